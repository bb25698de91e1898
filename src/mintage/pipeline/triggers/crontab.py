"""Schedules as lines of one crontab."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mintage.pipeline.triggers.job import Job, Place, checked_folder, in_clone, mark
from mintage.repo.trigger import Trigger

__all__ = ["render_crontab"]


def render_crontab(jobs: Sequence[tuple[Job, Trigger]], place: Place) -> dict[str, str]:
    """One file with a line for each; ``%`` means a new line to cron, so it is escaped."""
    folder = shlex.quote(checked_folder(place.folder))
    lines = []
    for job, trigger in jobs:
        what = "looks whether data changed" if trigger.on_data else "runs"
        command = f"cd {folder} && {in_clone(job, program=place.program)}".replace("%", "\\%")
        zone = trigger.timezone
        lines += [
            "",
            f"# {job.name} {what}, by the clock of {zone}. Debian's cron does not read CRON_TZ: there, the machine's",
            f"# own zone must be {zone}.",
            *(f"# The crontab must set the secret {name}." for name in job.secrets),
            f"CRON_TZ={zone}",
            f"{trigger.cron.text} {command}",
        ]
    return {"mintage.crontab": "\n".join([mark(jobs[0][0].project, "cron"), *lines, ""])}
