from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.serve.split import variant_of

keys = st.text(max_size=40)
shares = st.floats(min_value=0, max_value=1)


@settings(deadline=None)
@given(keys, keys, shares, shares)
def test_a_challengers_request_stays_the_challengers_when_the_share_grows(key, salt, one, other):
    low, high = sorted((one, other))
    if variant_of(key, salt, low) == "challenger":
        assert variant_of(key, salt, high) == "challenger"


@settings(deadline=None)
@given(keys, keys)
def test_share_zero_and_one_leave_nobody_out(key, salt):
    assert variant_of(key, salt, 0.0) == "champion"
    assert variant_of(key, salt, 1.0) == "challenger"


def test_the_share_is_met_in_the_long_run_for_each_salt():
    for salt in ("", "a", "late-2013"):
        taken = sum(variant_of(f"request-{i}", salt, 0.2) == "challenger" for i in range(20_000))
        assert abs(taken - 4000) < 5 * (20_000 * 0.2 * 0.8) ** 0.5


def test_two_salts_split_independently():
    both = sum(variant_of(str(i), "a", 0.5) == variant_of(str(i), "b", 0.5) for i in range(10_000))
    assert abs(both - 5000) < 250


def test_salt_and_key_do_not_run_into_each_other():
    differ = sum(variant_of(f"x{i}", "a", 0.5) != variant_of(f"{i}", "ax", 0.5) for i in range(200))
    assert differ > 50


def test_the_assignment_is_the_same_for_ever():
    taken = [i for i in range(24) if variant_of(str(i), "salt", 0.5) == "challenger"]
    assert taken == [1, 2, 4, 5, 7, 9, 10, 11, 12, 13, 15, 16, 17, 19, 20]
