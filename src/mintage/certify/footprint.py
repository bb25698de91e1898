"""What a model costs a machine: how fast a fresh process answers, how soon, with how much memory, and its size on disk.

A protocol for who starts the processes, and what they measured. The numbers differ from run to run, so they stand with
a certificate's measured results, never among its statistics.

>>> run = FootprintRun(rows_per_s=(9e4, 8e4), cold_start_s=(0.8, 0.7), peak_bytes=(9 << 20, 9 << 20), scenario="x")
>>> RecordedFootprint(run, size_bytes=1000).measure(repeats=2).cold_start_s
(0.8, 0.7)
"""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["FootprintProbe", "FootprintRun", "RecordedFootprint"]


class FootprintRun(msgspec.Struct, frozen=True, kw_only=True):
    """One number a fresh process, in order: rows answered a second in a batch, seconds from its start to its first
    answer, the most memory that it held in bytes. ``scenario`` says on what."""

    rows_per_s: tuple[float, ...]
    cold_start_s: tuple[float, ...]
    peak_bytes: tuple[int, ...]
    scenario: str


class FootprintProbe(Protocol):
    """Who can start fresh processes that load the model and answer; ``size_bytes`` is that of the model's folder."""

    @property
    def size_bytes(self) -> int:
        """The bytes of the model's files."""
        ...

    def measure(self, *, repeats: int) -> FootprintRun:
        """At least ``repeats`` fresh processes, one after another."""
        ...


class RecordedFootprint:
    """A probe that gives back what was measured before."""

    def __init__(self, run: FootprintRun, *, size_bytes: int) -> None:
        self.run, self.size_bytes = run, size_bytes

    def measure(self, *, repeats: int) -> FootprintRun:
        """The recorded run, whatever ``repeats`` asks for."""
        return self.run
