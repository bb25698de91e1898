"""Evidence of a fault-free model on made-up days, and the ways to plant one fault in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import CheckResult, Requirement
from mintage.certify.evidence import Evidence, Native, Split
from mintage.certify.latency import LatencyRun, RecordedLatency

ROOT = "sha256:" + "a" * 64
DOMAIN = "sha256:" + "d" * 64
POLICY = b"""
model: late
owner: risk@example.org
statistics: {seed: 11, draws: 2000}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.70}
  - {id: loss, check: F1, metric: log_loss, max: 0.68}
  - {id: trivial, check: F2}
  - {id: champion, check: F3, margin: 0.02}
  - {id: gap, check: F5, max: 0.05}
  - {id: shared, check: L1}
  - {id: parity, check: Z3}
  - {id: p50, check: T1, quantile: 0.5, max_ms: 5}
  - {id: p99, check: T1, quantile: 0.99, max_ms: 25}
  - {id: order, check: V4, severity: should}
"""


class Watcher:
    """Hands each result on as it comes; ``kept`` has the requirements whose result was known from before."""

    def __init__(self, take: Callable[[CheckResult], None]) -> None:
        self._take = take
        self.kept: list[str] = []

    def started(self, requirement: Requirement) -> None:
        """Nothing is shown."""

    def ended(self, result: CheckResult, *, kept: bool) -> None:
        """A result."""
        if kept:
            self.kept.append(result.requirement)
        self._take(result)


def binary(scores: NDArray[np.float64]) -> Answers:
    """The answers of a model with two classes."""
    return Answers(task="binary", values=scores)


def make_split(
    rng: np.random.Generator, *, name: str, days: int, rows: int = 150, day_effect: float = 0.15
) -> tuple[Split, NDArray[np.float64]]:
    """A split whose scores are the true probabilities but for the day's own effect; also its true probabilities."""
    count = days * rows
    a, b = rng.normal(size=count), rng.normal(size=count)
    kind = rng.choice(["x", "y", "z"], size=count).astype(object)
    day = np.repeat(np.arange(days), rows)
    slope = 1.2 * a + 1.2 * b + np.where(kind == "x", 0.8, -0.4)
    score = 1 / (1 + np.exp(-slope))
    truth = 1 / (1 + np.exp(-(slope + day_effect * rng.normal(size=days)[day])))
    labels = (rng.random(count) < truth).astype(np.int64)
    b_seen = np.where(rng.random(count) < 0.05, np.nan, b)
    groups = np.array([f"{name}-{number:03d}" for number in day], dtype=object)
    columns = {"a": a, "b": b_seen, "kind": kind}
    return Split(name=name, columns=columns, labels=labels, answers=binary(score), groups=groups), truth


def make_evidence(seed: int = 1, *, train_days: int = 30, days: int = 15, rows: int = 150, **changes: Any) -> Evidence:
    """Evidence of a fault-free model; ``changes`` replace fields."""
    rng = np.random.default_rng(seed)
    train, _ = make_split(rng, name="training", days=train_days, rows=rows)
    holdout, _ = make_split(rng, name="hold-out", days=days, rows=rows)
    edge = rng.random(200)
    parts: dict[str, Any] = {
        "model": "late",
        "root": ROOT,
        "domain": DOMAIN,
        "group_key": "day",
        "train": train,
        "holdout": holdout,
        "native": Native(holdout=holdout.scores, edge=edge, edge_served=edge),
        "latency": RecordedLatency(latency_run(rng.gamma(4, 0.0003, size=2000))),
    }
    return Evidence(**(parts | changes))


def latency_run(seconds: NDArray[np.float64]) -> LatencyRun:
    """A run of the given wall times."""
    return LatencyRun(seconds=tuple(seconds.tolist()), warmup=0, scenario="recorded")


def with_scores(evidence: Evidence, *, train: NDArray[np.float64], holdout: NDArray[np.float64]) -> Evidence:
    """The evidence for another model on the same rows, exported without loss."""
    assert evidence.native is not None
    return replace(
        evidence,
        train=replace(evidence.train, answers=binary(train)),
        holdout=replace(evidence.holdout, answers=binary(holdout)),
        native=replace(evidence.native, holdout=holdout),
    )


def with_copied_rows(evidence: Evidence, share: float) -> Evidence:
    """The evidence after ``share`` of the hold-out was replaced by rows of training."""
    train, holdout = evidence.train, evidence.holdout
    count = max(1, round(share * holdout.rows))

    def copied(own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([other[:count], own[count:]])

    columns: Mapping[str, NDArray[Any]] = {
        name: copied(column, train.columns[name]) for name, column in holdout.columns.items()
    }
    split = replace(
        holdout,
        columns=columns,
        labels=copied(holdout.labels, train.labels),
        answers=binary(copied(holdout.scores, train.scores)),
    )
    assert evidence.native is not None
    return replace(evidence, holdout=split, native=replace(evidence.native, holdout=split.scores))
