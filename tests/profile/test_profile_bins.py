"""Profiles: frozen bins, counts that add exactly in any order, and strict parsing."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mintage.errors import ProfileInvalidError
from mintage.profile.bins import bin_numbers, quantile_edges
from mintage.profile.counts import count, no_counts, reference_counts
from mintage.profile.profile import SCORE, Profile, build_profile, decode_profile, encode_profile

KINDS: dict[str, Any] = {"x": "number", "s": "text"}


def rows(count: int, seed: int) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    text = np.empty(count, dtype=object)
    text[:] = [("a", "b", "rare", None)[place] for place in rng.choice(4, count, p=[0.5, 0.3, 0.1, 0.1])]
    x = np.where(rng.random(count) < 0.2, np.nan, rng.normal(size=count))
    return {"x": x, "s": text}, rng.random(count)


@pytest.fixture
def profile() -> Profile:
    columns, scores = rows(600, 1)
    return build_profile(columns, scores, np.arange(600) // 20, inputs=KINDS)


def test_a_profile_has_a_stream_for_each_input_and_the_score(profile: Profile) -> None:
    found = [(stream.name, stream.kind) for stream in profile.streams]
    assert found == [
        ("x", "number"),
        ("s", "text"),
        (SCORE, "number"),
    ]
    assert profile.stream("s").labels == ("a", "b", "rare", "other", "null")
    assert (profile.rows, profile.groups, len(profile.block_rows)) == (600, 30, 30)
    for stream in profile.streams:
        assert len(stream.labels) == len(stream.total)
        assert np.array_equal(np.array(stream.blocks).sum(axis=0), stream.total)
    x = profile.stream("x")
    assert x.total[0] == x.total[-2] == 0
    assert x.total[-1] == int(np.isnan(rows(600, 1)[0]["x"]).sum())
    assert len(x.edges) == 21


def test_the_reference_counted_again_gives_its_own_counts(profile: Profile) -> None:
    columns, scores = rows(600, 1)
    assert count(profile, columns, scores) == reference_counts(profile)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=40, deadline=None)
def test_counts_add_exactly_however_rows_are_cut(seed: int, cuts: list[int]) -> None:
    reference, scores = rows(200, 7)
    profile = build_profile(reference, scores, None, inputs=KINDS)
    columns, scores = rows(60, seed)
    ends = [0, *sorted(cuts), 60]
    total = no_counts(profile)
    for start, end in itertools.pairwise(ends):
        part = {name: column[start:end] for name, column in columns.items()}
        total = count(profile, part, scores[start:end]) + total
    assert total == count(profile, columns, scores)
    assert all(values.sum() == 60 for values in total.streams.values())
    assert all(values.dtype == np.int64 for values in total.streams.values())


def test_values_that_the_reference_never_had_go_to_the_outer_bins(profile: Profile) -> None:
    text = np.array(["never seen", None, "a\x00"], dtype=object)
    found = count(profile, {"x": np.array([np.inf, -np.inf, 1e300]), "s": text}, np.array([0.5, 0.5, 0.5]))
    assert found.streams["x"][0] == 1
    assert found.streams["x"][-2] == 2
    assert found.streams["s"].tolist() == [0, 0, 0, 2, 1]


def test_counts_over_other_bins_are_not_added(profile: Profile) -> None:
    other = build_profile(*rows(100, 5), None, inputs=KINDS)
    with pytest.raises(ProfileInvalidError):
        _ = no_counts(profile) + no_counts(other)
    with pytest.raises(ProfileInvalidError, match="length"):
        count(profile, {"x": np.zeros(2), "s": np.array(["a"], dtype=object)}, np.zeros(2))


@given(st.lists(st.floats(allow_nan=True), max_size=50))
@example([1.7976931348623157e308])
@settings(max_examples=80, deadline=None)
def test_any_numbers_have_edges_that_hold_them(values: list[float]) -> None:
    column = np.array(values, dtype=np.float64)
    edges = quantile_edges(column)
    assert 2 <= len(edges) <= 21
    assert np.isfinite(edges).all()
    assert all(low < high for low, high in itertools.pairwise(edges))
    place = bin_numbers(edges, column)
    finite = np.isfinite(column)
    assert ((place[finite] >= 1) & (place[finite] < len(edges))).all()
    assert (place[np.isnan(column)] == len(edges) + 1).all()


def test_a_common_value_has_a_bin_that_ends_at_it() -> None:
    values = np.array([10.0] * 80 + [1.0, 2.0, 9.5] * 5)
    edges = quantile_edges(values)
    assert 10.0 in edges
    assert bin_numbers(edges, np.array([10.0]))[0] == bin_numbers(edges, np.array([9.7]))[0]
    assert bin_numbers(edges, np.array([10.5]))[0] == len(edges)


def test_many_groups_share_blocks_in_their_order() -> None:
    columns, scores = rows(1000, 3)
    profile = build_profile(columns, scores, np.arange(1000), inputs=KINDS)
    assert (profile.groups, len(profile.block_rows), set(profile.block_rows)) == (1000, 200, {5})
    assert len(build_profile(columns, scores, None, inputs=KINDS).block_rows) == 20


def test_only_the_most_common_categories_have_a_bin() -> None:
    text = np.array([f"level {place % 400}" for place in range(1000)], dtype=object)
    stream = build_profile({"s": text}, np.zeros(1000), None, inputs={"s": "text"}).streams[0]
    assert len(stream.categories) == 256
    assert stream.total[-2] > 0


def test_a_profile_survives_its_bytes_and_bad_bytes_are_refused(profile: Profile) -> None:
    data = encode_profile(profile)
    assert decode_profile(data) == profile
    assert encode_profile(decode_profile(data)) == data
    value = json.loads(data)
    value["streams"][0]["total"][3] += 1
    with pytest.raises(ProfileInvalidError):
        decode_profile(json.dumps(value).encode())
    for bad in (b"{}", b"[]", b"\xff", data[:-1], data.replace(b'"version":0', b'"version":9')):
        with pytest.raises(ProfileInvalidError):
            decode_profile(bad)
