"""A schedule as a workflow of GitHub Actions, one file each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mintage.errors import ScheduleInvalidError
from mintage.pipeline.triggers.job import Job, Place, changed_paths, commit_line, mark, shell_lines, unit_name
from mintage.pipeline.triggers.yaml_text import yaml_text
from mintage.repo.trigger import Trigger

__all__ = ["render_github"]

_SHORTEST = 5


def render_github(job: Job, trigger: Trigger, place: Place) -> dict[str, str]:
    """The workflow's file; raises ScheduleInvalidError for what GitHub does not run."""
    lines = [*shell_lines(job), *([commit_line(job)] if job.commit else [])]
    environment = {name: f"${{{{ vars.{name} }}}}" for name in job.variables}
    environment |= {name: f"${{{{ secrets.{name} }}}}" for name in job.secrets}
    run: dict[str, Any] = {"name": "Run the stages", "run": "\n".join(lines) + "\n"}
    if environment:
        run["env"] = environment
    steps: list[dict[str, Any]] = [
        {"uses": "actions/checkout@v4", "with": {"ref": job.branch}},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"name": "Install", "run": place.install},
    ]
    if job.commit:
        name = 'git config user.name "github-actions[bot]"'
        mail = 'git config user.email "41898282+github-actions[bot]@users.noreply.github.com"'
        steps.append({"name": "Say who commits", "run": f"{name}\n{mail}\n"})
    work: dict[str, Any] = {"runs-on": "ubuntu-latest", "timeout-minutes": 360}
    if place.prefix:
        work["defaults"] = {"run": {"working-directory": place.prefix.rstrip("/")}}
    workflow = {
        "name": f"mintage {job.name}",
        "on": {**_when(job, trigger, place), "workflow_dispatch": {}},
        "permissions": {"contents": "write" if job.commit else "read"},
        "concurrency": {"group": unit_name(job), "cancel-in-progress": False},
        "jobs": {"run": {**work, "steps": [*steps, run]}},
    }
    return {f"{unit_name(job)}.yml": f"{mark(job.project, 'github')}\n{yaml_text(workflow)}"}


def _when(job: Job, trigger: Trigger, place: Place) -> dict[str, Any]:
    if trigger.on_data:
        return {"push": {"branches": [job.branch], "paths": changed_paths(job, prefix=place.prefix)}}
    minutes = trigger.cron.minutes
    every = [later - sooner for sooner, later in pairwise((*minutes, minutes[0] + 60))]
    if min(every) < _SHORTEST:
        raise ScheduleInvalidError(
            f"GitHub does not run schedule {job.name} that often",
            expected=f"{_SHORTEST} minutes or more between two runs",
            found=repr(trigger.cron.text),
            where="mintage.yaml",
            hint="run less often, or render it for another scheduler",
        )
    return {"schedule": [{"cron": trigger.cron.text, "timezone": trigger.timezone}]}
