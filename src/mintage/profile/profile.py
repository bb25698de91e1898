"""The profile: for each stream (an input, or the score) its frozen bins and its counts in the reference data.

A stream of numbers has the bins ``under``, one for each pair of neighbouring edges, ``over`` and ``null``; the edges
are quantiles, bins are closed on the right, the first on both sides. A stream of text has one bin a category, then
``other`` and ``null``. Counts are also kept for each block of rows that belong together (days, say), in the order of
the groups, so that a judge of drift knows how much counts vary from block to block. No raw rows, no group names.

>>> profile = build_profile({"x": np.arange(40.0)}, np.linspace(0, 1, 40), np.arange(40) // 4, inputs={"x": "number"})
>>> [stream.name for stream in profile.streams], profile.streams[0].total[-3:], len(profile.streams[0].blocks)
(['x', '#score'], (2, 0, 0), 10)
>>> decode_profile(encode_profile(profile)) == profile
True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.errors import ProfileInvalidError
from mintage.profile.bins import MAX_CATEGORIES, bin_numbers, bin_text, quantile_edges
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import sha256_bytes
from mintage.repo.modelfile import ModelSpec

__all__ = ["SCORE", "Profile", "Stream", "build_profile", "decode_profile", "encode_profile", "profile_digest"]

SCORE = "#score"
MAX_BLOCKS = 200
FEWEST_BLOCKS = 20

Kind = Literal["number", "text"]


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or the score. ``edges`` or ``categories`` are the frozen bins; ``total`` sums ``blocks``."""

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    total: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each bin, in their order."""
        if self.kind == "text":
            return (*self.categories, "other", "null")
        pairs = zip(self.edges, self.edges[1:], strict=False)
        return ("under", *(f"{low:.6g} to {high:.6g}" for low, high in pairs), "over", "null")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All streams of one model, inputs in their declared order and the score last."""

    kind: Literal["profile"] = "profile"
    version: Literal[0] = 0
    rows: int
    groups: int
    block_rows: tuple[int, ...]
    streams: tuple[Stream, ...]

    def stream(self, name: str) -> Stream:
        """The stream of that name; raises KeyError."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)


def build_profile(
    columns: Mapping[str, np.ndarray[Any, Any]],
    scores: np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]],
    groups: np.ndarray[Any, Any] | None,
    spec: ModelSpec | None = None,
    *,
    inputs: Mapping[str, Kind] | None = None,
) -> Profile:
    """The profile of reference rows that the model was not trained on.

    ``columns`` are float64 (NaN is missing) or objects of str or None, ``scores`` the probabilities of the positive
    class, or the answers of another model as named streams; ``groups`` one sortable value a row (None: rows in their
    order are cut into blocks). Which columns count is said by ``spec``, or by ``inputs`` as name to kind.
    """
    kinds: dict[str, Kind] = dict(inputs or {})
    if inputs is None and spec is not None:
        kinds = {name: "text" if column.type == "string" else "number" for name, column in spec.inputs.items()}
    answers = scores if isinstance(scores, Mapping) else {SCORE: scores}
    rows = len(next(iter(answers.values())))
    block, count, group_count = _blocks(groups, rows)
    streams = [_stream(name, kind, columns[name], block, count) for name, kind in kinds.items()]
    streams.extend(_stream(name, "number", values, block, count) for name, values in answers.items())
    return Profile(
        rows=rows,
        groups=group_count,
        block_rows=tuple(np.bincount(block, minlength=count).tolist()),
        streams=tuple(streams),
    )


def encode_profile(profile: Profile) -> bytes:
    """The profile's canonical bytes."""
    return canonical_bytes(msgspec.to_builtins(profile))


def decode_profile(data: bytes) -> Profile:
    """Parse a profile strictly; raises ProfileInvalidError."""
    try:
        profile = msgspec.json.decode(data, type=Profile)
    except msgspec.MsgspecError as error:
        raise ProfileInvalidError("malformed profile", expected="a profile, version 0", found=str(error)) from error
    for stream in profile.streams:
        _check(stream, profile)
    if len({stream.name for stream in profile.streams}) != len(profile.streams):
        raise ProfileInvalidError("two streams of a profile have one name")
    return profile


def profile_digest(profile: Profile) -> str:
    """SHA-256 of the canonical bytes: counts are comparable only over equal digests."""
    return sha256_bytes(encode_profile(profile))


def _blocks(groups: np.ndarray[Any, Any] | None, rows: int) -> tuple[np.ndarray[Any, Any], int, int]:
    """The block of each row, how many blocks, how many groups; many groups share a block, neighbours together."""
    if groups is None:
        count = max(1, min(FEWEST_BLOCKS, rows))
        return np.arange(rows) * count // max(rows, 1), count, rows
    names, place = np.unique(groups, return_inverse=True)
    count = max(1, min(len(names), MAX_BLOCKS))
    return place * count // max(len(names), 1), count, len(names)


def _stream(name: str, kind: Kind, values: np.ndarray[Any, Any], block: np.ndarray[Any, Any], blocks: int) -> Stream:
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    if kind == "text":
        found = Counter(value for value in values.tolist() if value is not None)
        common = sorted(found, key=lambda value: (-found[value], value))[:MAX_CATEGORIES]
        categories = tuple(sorted(common))
        place, size = bin_text(categories, values), len(categories) + 2
    else:
        edges = quantile_edges(values)
        place, size = bin_numbers(edges, values), len(edges) + 2
    table = np.bincount(block * size + place, minlength=blocks * size).reshape(blocks, size)
    return Stream(
        name=name,
        kind=kind,
        edges=edges,
        categories=categories,
        total=tuple(table.sum(axis=0).tolist()),
        blocks=tuple(tuple(row) for row in table.tolist()),
    )


def _check(stream: Stream, profile: Profile) -> None:
    bins = (len(stream.categories) if stream.kind == "text" else len(stream.edges)) + 2
    ascending = all(low < high for low, high in zip(stream.edges, stream.edges[1:], strict=False))
    unique = len(set(stream.categories)) == len(stream.categories)
    rows = tuple(sum(row) for row in stream.blocks)
    fits = (
        len(stream.total) == bins
        and all(len(row) == bins and min(row) >= 0 for row in stream.blocks)
        and rows == profile.block_rows
        and tuple(sum(column) for column in zip(*stream.blocks, strict=True)) == stream.total
        and sum(stream.total) == profile.rows
        and (stream.kind == "text" or len(stream.edges) >= 2)
    )
    if not (fits and ascending and unique):
        raise ProfileInvalidError(
            f"the counts of {stream.name} do not fit its bins", expected=f"{bins} bins that add up to {profile.rows}"
        )
