"""When stages are to run: an entry of ``schedule`` in mintage.yaml, checked. Pure. See docs/spec/schedule.md.

>>> trigger = plain_trigger("nightly", TriggerForm(cron="@daily", timezone="Europe/Berlin"), place=lambda *_: "here")
>>> trigger.cron.text, trigger.timezone, trigger.on_data
('0 0 * * *', 'Europe/Berlin', False)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError, ScheduleInvalidError
from mintage.record.names import check_name
from mintage.repo.cron import Cron, check_zone, parse_cron

__all__ = ["Trigger", "TriggerForm", "plain_trigger"]

POLL = "*/15 * * * *"
Branch = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]


class TriggerForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``schedule`` as it is written."""

    cron: Annotated[str | None, Meta(description="when: minute, hour, day, month, weekday; or @daily and the like")] = (
        None
    )
    on: Annotated[Literal["data"] | None, Meta(description="data: when data changed on the branch")] = None
    data: Annotated[tuple[str, ...], Meta(description="the data meant; without it, what the stages read")] = ()
    poll: Annotated[str | None, Meta(description="how often schedulers without pushes look for changed data")] = None
    timezone: Annotated[str, Meta(description="the IANA name of the zone of `cron` and `poll`")] = "UTC"
    branch: Annotated[Branch, Meta(description="the branch that is run")] = "main"
    stages: Annotated[tuple[str, ...], Meta(description="the stages to run; all, without")] = ()
    commit: Annotated[bool, Meta(description="true: commit what the run changed, and push it to the branch")] = False


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """When some stages (all, if none is named) run on a branch: at the times of ``cron`` in ``timezone``, or when
    ``data`` changed, which schedulers that see no pushes find out at these times."""

    name: str
    cron: Cron
    on_data: bool
    data: tuple[str, ...]
    timezone: str
    branch: str
    stages: tuple[str, ...]
    commit: bool


def plain_trigger(name: str, form: TriggerForm, *, place: Callable[..., str]) -> Trigger:
    """The trigger that ``form`` stands for; ``place`` says where keys of the entry stand in the file.

    Raises FileMalformedError.
    """
    check_name(name, what="schedule")
    if (form.cron is None) == (form.on is None):
        raise FileMalformedError(
            f"schedule {name} says {'not when' if form.cron is None else 'twice when'} to run",
            expected="`cron: 0 3 * * *`, or `on: data`",
            where=place(),
            hint="give each of the two an entry of its own" if form.cron else None,
        )
    for key in ("data", "poll"):
        if form.on is None and getattr(form, key):
            raise FileMalformedError(f"`{key}` of schedule {name} goes with `on: data`", where=place(key))
    if ".." in form.branch or form.branch.endswith(("/", ".", ".lock", "\n")) or "//" in form.branch:
        raise FileMalformedError("not the name of a branch", found=repr(form.branch), where=place("branch"))
    key = "cron" if form.on is None else "poll"
    try:
        cron = parse_cron(form.cron or form.poll or POLL)
        key = "timezone"
        check_zone(form.timezone)
    except ScheduleInvalidError as error:
        raise FileMalformedError(
            error.message, expected=error.expected, found=error.found, where=place(key), hint=error.hint
        ) from error
    return Trigger(
        name=name,
        cron=cron,
        on_data=form.on is not None,
        data=form.data,
        timezone=form.timezone,
        branch=form.branch,
        stages=form.stages,
        commit=form.commit,
    )
