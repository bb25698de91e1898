"""Cron expressions: what is read, what is refused, and when they come."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from mintage.errors import ScheduleInvalidError
from mintage.pipeline.triggers.systemd import on_calendar
from mintage.repo.cron import check_zone, coming, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def next_times(text: str, after: str, zone: str = "UTC", count: int = 3) -> list[str]:
    start = datetime.datetime.fromisoformat(after)
    return [when.isoformat() for when in islice(coming(parse_cron(text), after=start, zone=ZoneInfo(zone)), count)]


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("*/20 * * * *", "minutes", (0, 20, 40)),
        ("1-10/4,30 * * * *", "minutes", (1, 5, 9, 30)),
        ("0 0 * JAN-Mar *", "months", (1, 2, 3)),
        ("0 0 * * 5-7", "weekdays", (0, 5, 6)),
        ("0 0 * * */2", "weekdays", (0, 2, 4, 6)),
        ("@weekly", "weekdays", (0,)),
    ],
)
def test_a_field_is_read_as_cron_reads_it(text: str, field: str, values: tuple[int, ...]) -> None:
    assert getattr(parse_cron(text), field) == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5/10 * * * *",
        "*/0 * * * *",
        "10-5 * * * *",
        "*-5 * * * *",
        "1,,2 * * * *",
        "* * * * mo",
        "@reboot",
        "0 0 L * *",
        "0 0 * * 1#2",
        "0 0 31 2,4,6 *",
        "0 0 30 feb *",
        "0 0 */2 * 1",
        "0 0 1 * */2",
        "-1 * * * *",
        "٣ * * * *\n",
    ],
)
def test_what_cannot_be_read_alike_everywhere_or_never_comes_is_refused(text: str) -> None:
    with pytest.raises(ScheduleInvalidError):
        parse_cron(text)


def test_days_of_month_and_week_together_mean_either() -> None:
    found = next_times("0 6 13 * 5", "2026-11-01T00:00:00+00:00", count=4)
    assert found == [f"2026-11-{day:02}T06:00:00+00:00" for day in (6, 13, 20, 27)]
    assert next_times("0 6 14 * 5", "2026-11-12T00:00:00+00:00", count=3)[:2] == [
        "2026-11-13T06:00:00+00:00",
        "2026-11-14T06:00:00+00:00",
    ]


def test_an_hour_that_summer_time_leaves_out_is_left_out() -> None:
    found = next_times("30 2 * * *", "2026-03-27T12:00:00+00:00", "Europe/Berlin")
    assert found == ["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]


def test_the_29th_of_february_comes_in_eight_years_at_most() -> None:
    assert next_times("0 0 29 2 *", "2096-03-01T00:00:00+00:00", count=1) == ["2104-02-29T00:00:00+00:00"]


@pytest.mark.parametrize("name", ["CEST", "../../etc/passwd", "/etc/localtime", "Europe/Atlantis", "", "Europe"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ScheduleInvalidError):
        check_zone(name)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: install systemd")
@pytest.mark.parametrize("text", ["30 3 * * 1-5", "*/20 5,17 * * *", "0 6 1 * 1", "15 0 29 2 *", "7 4 1-31/2 1-6 *"])
def test_systemd_says_the_same_times(text: str) -> None:
    start = datetime.datetime(2026, 11, 26, 1, 2, tzinfo=datetime.UTC)
    said: set[datetime.datetime] = set()
    for event in on_calendar(parse_cron(text), "Europe/Berlin"):
        command = ["systemd-analyze", "calendar", "--iterations=5", "--base-time=2026-11-26 01:02:00 UTC", event]
        output = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"})
        times = re.findall(r"(?:elapse|Iter(?:\.|ation) #\d+): \w+ (\S+ \S+) UTC", output.stdout)
        said |= {datetime.datetime.fromisoformat(f"{each}+00:00") for each in times}
    ours = list(islice(coming(parse_cron(text), after=start, zone=BERLIN), 5))
    assert sorted(said)[:5] == [when.astimezone(datetime.UTC) for when in ours]
