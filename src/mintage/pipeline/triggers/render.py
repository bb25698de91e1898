"""All schedules of a project as the files of one scheduler, and what differs from the files that are there. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from mintage.errors import ScheduleInvalidError
from mintage.pipeline.triggers.airflow import render_airflow
from mintage.pipeline.triggers.crontab import render_crontab
from mintage.pipeline.triggers.github import render_github
from mintage.pipeline.triggers.job import Job, Place, job_of, mark, names_taken, unit_name
from mintage.pipeline.triggers.kubernetes import render_kubernetes
from mintage.pipeline.triggers.systemd import render_systemd
from mintage.repo.project import Project
from mintage.repo.trigger import Trigger

__all__ = ["SCHEDULERS", "differences", "render", "stale"]

_EACH: dict[str, Callable[[Job, Trigger, Place], dict[str, str]]] = {
    "github": render_github,
    "systemd": render_systemd,
    "kubernetes": render_kubernetes,
    "airflow": render_airflow,
}
SCHEDULERS = ("github", "cron", "systemd", "kubernetes", "airflow")


def render(project: Project, place: Place, *, target: str) -> dict[str, str]:
    """File name to text; raises ScheduleInvalidError if there is no schedule, or one that the target cannot keep."""
    jobs = [(job_of(project, trigger), trigger) for trigger in project.schedule.values()]
    if not jobs:
        raise ScheduleInvalidError(
            "the project has no schedule",
            expected="an entry under `schedule:`",
            where="mintage.yaml",
            hint="such as `schedule: {nightly: {cron: 0 3 * * *}}`; docs/spec/schedule.md says the rest",
        )
    if target == "cron":
        return render_crontab(jobs, place)
    names_taken({job.name: unit_name(job, limit=52) for job, _ in jobs})
    return {name: text for job, trigger in jobs for name, text in _EACH[target](job, trigger, place).items()}


def stale(found: Mapping[str, str], rendered: Mapping[str, str], *, project: str, target: str) -> list[str]:
    """Names of files that an earlier rendering of this project left and that stand for no schedule any more."""
    own = mark(project, target)
    return sorted(name for name, text in found.items() if name not in rendered and text.startswith(f"{own}\n"))


def differences(found: Mapping[str, str], rendered: Mapping[str, str], *, gone: list[str]) -> str:
    """A unified diff from what is there to what is rendered; empty if that is the same."""
    changes: dict[str, tuple[str | None, str | None]] = {
        name: (found.get(name), text) for name, text in rendered.items()
    }
    changes |= {name: (found[name], None) for name in gone}
    lines = [
        line
        for name, (old, new) in changes.items()
        for line in difflib.unified_diff(
            [] if old is None else old.splitlines(keepends=True),
            [] if new is None else new.splitlines(keepends=True),
            fromfile="/dev/null" if old is None else name,
            tofile="/dev/null" if new is None else name,
        )
    ]
    return "".join(lines)
