import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.report.numbers import count, duration, estimated, interval, number, percent, short, signed, when


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.66312, "0.663"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (37521.0, "37,521"),
        (37521.4, "37,521"),
        (123.456, "123.5"),
        (-0.004, "−0.004"),
        (1e-12, "1 × 10⁻¹²"),
        (2.23e-16, "2.2 × 10⁻¹⁶"),
        (0.0004, "4 × 10⁻⁴"),
        (0.0005, "0.001"),
        (3e20, "3 × 10²⁰"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_number_is_written_one_way(value, text):
    assert number(value) == text


@given(st.floats())
def test_any_number_can_be_written(value):
    assert number(value)
    assert signed(value)
    assert percent(value)
    assert interval(value, value)
    assert duration(value)


def test_an_interval_with_an_open_end_is_written_as_its_limit():
    assert interval(None, 1.74) == "≤ 1.740"
    assert interval(0.6, None) == "≥ 0.600"
    assert interval(None, None) == "–"
    assert estimated(0.5, None, None) == "0.500"
    assert estimated(1.31, None, 1.74, "ms") == "1.310 ms (≤ 1.740)"


def test_a_difference_shows_its_sign():
    assert (signed(0.036), signed(-0.5), signed(0.0), signed(None)) == ("+0.036", "−0.500", "0", "–")


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2013-08-01", "1 Aug 2013"),
        ("2013-08-01T00:09:59Z", "1 Aug 2013, 00:09 UTC"),
        ("2013-08-01T02:09:59+02:00", "1 Aug 2013, 00:09 UTC"),
        ("2013-08-01T02:09:59", "1 Aug 2013, 02:09"),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+23:59"),
        ("last summer", "last summer"),
        (None, "–"),
    ],
)
def test_a_time_is_written_in_utc_and_what_is_no_time_stays(at, text):
    assert when(at) == text


def test_counts_shares_durations_and_digests_are_short():
    assert (count(1234567), count(None)) == ("1,234,567", "–")
    assert (percent(0.2), percent(0.125), percent(1.0)) == ("20 %", "12.5 %", "100 %")
    assert (duration(0.3), duration(22), duration(75.2), duration(7321)) == ("0.3 s", "22 s", "1 min 15 s", "2 h 2 min")
    assert (short("sha256:7c1f9a2e55"), short("7c1f"), short(None), short("")) == ("7c1f9a2e", "7c1f", "–", "–")
