"""Latency: a protocol for who measures it, a closed-loop measurement of any call, and the record of the wall times.

Wall times differ from run to run, so they never enter the statistics of a certificate: they stand in a record of their
own (kind ``latency``), which the certificate names by digest.

>>> run = RecordedLatency(LatencyRun(seconds=(0.001, 0.002), warmup=0, scenario="recorded")).measure(calls=2)
>>> latency_record(run).body["nanoseconds"]
[1000000, 2000000]
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from mintage.record.envelope import Record

__all__ = ["CallProbe", "LatencyProbe", "LatencyRun", "RecordedLatency", "latency_record"]


class LatencyRun(msgspec.Struct, frozen=True, kw_only=True):
    """The wall time of each call in seconds, in order; ``scenario`` says how the load was made, and on what."""

    seconds: tuple[float, ...]
    warmup: int
    scenario: str
    collections: int = 0


class LatencyProbe(Protocol):
    """Who can time single predictions of the model: a call in this process, or a client of a running gateway."""

    def measure(self, *, calls: int) -> LatencyRun:
        """Warm up, then time ``calls`` calls one after another."""
        ...


class RecordedLatency:
    """A probe that gives back what was measured before."""

    def __init__(self, run: LatencyRun) -> None:
        self.run = run

    def measure(self, *, calls: int) -> LatencyRun:
        """The recorded run, whatever ``calls`` asks for."""
        return self.run


class CallProbe:
    """Times ``call`` in a closed loop: the next call starts when the last one ended, so queueing is not in it."""

    def __init__(self, call: Callable[[], object], *, scenario: str, warmup: int = 100) -> None:
        self.call = call
        self.scenario = scenario
        self.warmup = warmup

    def measure(self, *, calls: int) -> LatencyRun:
        """Warm up, then time each call with the monotonic clock; garbage collection stays on and is counted."""
        for _ in range(self.warmup):
            self.call()
        before, seconds = _collections(), []
        for _ in range(calls):
            start = time.perf_counter()
            self.call()
            seconds.append(time.perf_counter() - start)
        return LatencyRun(
            seconds=tuple(seconds),
            warmup=self.warmup,
            scenario=self.scenario,
            collections=_collections() - before,
        )


def latency_record(run: LatencyRun) -> Record:
    """The record of the wall times, in nanoseconds and in order."""
    body = {
        "scenario": run.scenario,
        "warmup": run.warmup,
        "collections": run.collections,
        "nanoseconds": [round(value * 1e9) for value in run.seconds],
    }
    return Record(kind="latency", version=1, upstream=(), body=body)


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
