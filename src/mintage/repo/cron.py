"""A cron expression, checked: minute, hour, day of the month, month, day of the week. Pure. See docs/spec/schedule.md.

Accepted is what every scheduler reads the same way: numbers, names of months and weekdays, ``*``, lists, ranges, steps
of ``*`` or of a range, Sunday as 0 or 7. Refused is what they read differently, or what never comes.

>>> cron = parse_cron("30 3 * * mon-fri")
>>> cron.hours, cron.weekdays
((3,), (1, 2, 3, 4, 5))
>>> cron.text
'30 3 * * 1-5'
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from mintage.errors import ScheduleInvalidError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["Cron", "check_zone", "coming", "parse_cron"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_STEP = re.compile(r"(?P<first>\*|\d{1,2})(?:-(?P<last>\d{1,2}))?(?:/(?P<step>\d{1,2}))?", re.ASCII)
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_DAYS_AHEAD = 366 * 8 + 1
"""29 February may be eight years away."""


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """The values of each field, sorted, and its ``text`` with numbers for names; weekdays count from Sunday, 0."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @property
    def every_day(self) -> bool:
        """Whether the day of the month does not matter."""
        return len(self.days) == 31

    @property
    def every_weekday(self) -> bool:
        """Whether the day of the week does not matter."""
        return len(self.weekdays) == 7

    @property
    def either_day(self) -> bool:
        """Whether days of the month and of the week are both restricted: a day need be in one of them only."""
        return not (self.every_day or self.every_weekday)

    def is_on(self, day: datetime.date) -> bool:
        """Whether it comes on that day."""
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.either_day else in_month and in_week)


def parse_cron(text: str) -> Cron:
    """Parse a cron expression; raises ScheduleInvalidError."""
    words = _MACROS.get(text.strip().lower(), text).lower().split()
    if len(words) != len(_FIELDS):
        raise ScheduleInvalidError(
            "not a cron expression",
            expected=f"five fields: {', '.join(name for name, _, _ in _FIELDS)}; or one of {', '.join(_MACROS)}",
            found=repr(text[:80]),
            hint="`0 3 * * *` is each day at three",
        )
    words[3] = _numbered(words[3], _MONTHS, 1)
    words[4] = _numbered(words[4], _WEEKDAYS, 0)
    values = [_values(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
    values[4] = tuple(sorted({value % 7 for value in values[4]}))
    cron = Cron(
        text=" ".join(words),
        minutes=values[0],
        hours=values[1],
        days=values[2],
        months=values[3],
        weekdays=values[4],
    )
    _check_meaning(cron, words)
    return cron


def _numbered(word: str, names: Sequence[str], first: int) -> str:
    return re.sub(r"[a-z]+", lambda found: str(names.index(found[0]) + first) if found[0] in names else found[0], word)


def _values(word: str, name: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        match = _STEP.fullmatch(part)
        first, last, step = (match["first"], match["last"], match["step"]) if match else ("", None, None)
        star = first == "*"
        if not match or (star and last) or (step and not (star or last)):
            raise _bad(part, name, low, high)
        start, end = (low, min(high, 6) if high == 7 else high) if star else (int(first), int(last or first))
        if not low <= start <= end <= high or (step is not None and not 1 <= int(step) <= high):
            raise _bad(part, name, low, high)
        found |= set(range(start, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _bad(part: str, name: str, low: int, high: int) -> ScheduleInvalidError:
    return ScheduleInvalidError(
        f"the {name} of a cron expression cannot be read",
        expected=f"*, {low} to {high}, a range such as {low}-{high}, a step such as */5, or a list of them",
        found=repr(part[:40]),
        hint="a step needs `*` or a range before it; a range goes upwards",
    )


def _check_meaning(cron: Cron, words: Sequence[str]) -> None:
    if cron.either_day and any("*" in word for word in (words[2], words[4])):
        raise ScheduleInvalidError(
            "schedulers differ in what this cron expression means",
            expected="a step of `*` in the day of the month or of the week only if the other is `*`",
            found=repr(cron.text),
            hint="write the days as a range with a step, as in 1-31/2: then one of the two is enough everywhere",
        )
    longest = max(_MONTH_DAYS[month - 1] for month in cron.months)
    if cron.every_weekday and min(cron.days) > longest:
        raise ScheduleInvalidError(
            "this cron expression never comes", found=repr(cron.text), hint="no month that it names has such a day"
        )


def check_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; raises ScheduleInvalidError."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # no project without a schedule loads the zones

    try:
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ScheduleInvalidError(
        "a time zone is not known",
        expected="an IANA name, such as Europe/Berlin, or UTC",
        found=repr(name[:80]),
        hint="abbreviations such as CEST name no rule for summer time",
    )


def coming(cron: Cron, *, after: datetime.datetime, zone: datetime.tzinfo) -> Iterator[datetime.datetime]:
    """The times at which it comes, in ``zone``, the first of them later than ``after``.

    An hour that summer time leaves out is left out; of one that comes twice, the first counts.
    """
    day, idle = after.astimezone(zone).date(), 0
    while idle < _DAYS_AHEAD:
        idle = 0 if cron.is_on(day) else idle + 1
        for hour, minute in itertools.product(cron.hours, cron.minutes) if not idle else ():
            when = datetime.datetime.combine(day, datetime.time(hour, minute), tzinfo=zone)
            exists = when.astimezone(datetime.UTC).astimezone(zone).hour == hour
            if exists and when.astimezone(datetime.UTC) > after.astimezone(datetime.UTC):
                yield when
        day += datetime.timedelta(days=1)
