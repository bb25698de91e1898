"""A schedule as a timer of systemd and the service that it starts."""

from __future__ import annotations

from mintage.pipeline.triggers.job import Job, Place, checked_folder, in_clone, mark, unit_name
from mintage.repo.cron import Cron
from mintage.repo.trigger import Trigger

__all__ = ["on_calendar", "render_systemd"]

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def on_calendar(cron: Cron, zone: str) -> list[str]:
    """The calendar events that come when ``cron`` does. systemd wants the weekday *and* the day of the month, so what
    cron means by either becomes two events.

    >>> from mintage.repo.cron import parse_cron
    >>> on_calendar(parse_cron("30 3 1 * 1"), "UTC")
    ['*-*-01 03:30:00 UTC', 'Mon *-*-* 03:30:00 UTC']
    """
    clock = f"{_listed(cron.hours, 24)}:{_listed(cron.minutes, 60)}:00 {zone}"
    months, days = _listed(cron.months, 12), _listed(cron.days, 31)
    week = "" if cron.every_weekday else ",".join(_WEEKDAYS[day] for day in cron.weekdays) + " "
    if cron.either_day:
        return [f"*-{months}-{days} {clock}", f"{week}*-{months}-* {clock}"]
    return [f"{week}*-{months}-{days} {clock}"]


def _listed(values: tuple[int, ...], count: int) -> str:
    return "*" if len(values) == count else ",".join(f"{value:02}" for value in values)


def render_systemd(job: Job, trigger: Trigger, place: Place) -> dict[str, str]:
    """The two files, for ``systemctl --user`` or the system's own."""
    name, head = unit_name(job), mark(job.project, "systemd")
    folder = checked_folder(place.folder)
    service = [
        head,
        "[Unit]",
        f"Description=mintage schedule {job.name} of {job.project}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={folder}",
        f"EnvironmentFile=-%h/.config/mintage/{job.project}.env",
        f"ExecStart=/bin/sh -c {_quoted(in_clone(job, program=place.program))}",
        "",
    ]
    timer = [
        head,
        "[Unit]",
        f"Description=mintage schedule {job.name} of {job.project}",
        "",
        "[Timer]",
        *(f"OnCalendar={each}" for each in on_calendar(trigger.cron, trigger.timezone)),
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    return {f"{name}.service": "\n".join(service), f"{name}.timer": "\n".join(timer)}


def _quoted(text: str) -> str:
    """One word of systemd: its quotes, its variables and its specifiers mean nothing in it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return f'"{plain}"'
