"""Counts of traffic over a profile's bins: integers that add exactly, in any order, from any replica.

>>> from mintage.profile.profile import build_profile
>>> x = np.arange(40.0)
>>> profile = build_profile({"x": x}, x / 40, None, inputs={"x": "number"})
>>> both = count(profile, {"x": x[:9]}, x[:9] / 40) + count(profile, {"x": x[9:]}, x[9:] / 40)
>>> both == count(profile, {"x": x}, x / 40)
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.errors import ProfileInvalidError
from mintage.profile.bins import bin_numbers, bin_text
from mintage.profile.profile import SCORE, Profile, profile_digest

__all__ = ["Counts", "count", "no_counts", "reference_counts"]


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts over the bins of the profile with digest ``profile``: an int64 array for each of its streams."""

    profile: str
    rows: int
    streams: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]]

    def __add__(self, other: Counts) -> Counts:
        if self.profile != other.profile:
            raise ProfileInvalidError(
                "counts over different bins cannot be added", expected=self.profile, found=other.profile
            )
        streams = {name: values + other.streams[name] for name, values in self.streams.items()}
        return Counts(profile=self.profile, rows=self.rows + other.rows, streams=streams)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Counts)
            and (self.profile, self.rows, self.streams.keys()) == (other.profile, other.rows, other.streams.keys())
            and all(np.array_equal(values, other.streams[name]) for name, values in self.streams.items())
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash


def count(profile: Profile, columns: Mapping[str, np.ndarray[Any, Any]], scores: np.ndarray[Any, Any]) -> Counts:
    """Counts of rows: ``columns`` float64 or objects of str or None, ``scores`` probabilities."""
    found: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}
    for stream in profile.streams:
        values = scores if stream.name == SCORE else columns[stream.name]
        if len(values) != len(scores):
            raise ProfileInvalidError(
                f"the column {stream.name} has another length", expected=str(len(scores)), found=str(len(values))
            )
        text = stream.kind == "text"
        place = bin_text(stream.categories, values) if text else bin_numbers(stream.edges, values)
        found[stream.name] = np.bincount(place, minlength=len(stream.total)).astype(np.int64)
    return Counts(profile=profile_digest(profile), rows=len(scores), streams=found)


def no_counts(profile: Profile) -> Counts:
    """Counts of no rows: the neutral element."""
    streams = {stream.name: np.zeros(len(stream.total), dtype=np.int64) for stream in profile.streams}
    return Counts(profile=profile_digest(profile), rows=0, streams=streams)


def reference_counts(profile: Profile) -> Counts:
    """The counts of the reference rows themselves."""
    streams = {stream.name: np.array(stream.total, dtype=np.int64) for stream in profile.streams}
    return Counts(profile=profile_digest(profile), rows=profile.rows, streams=streams)
