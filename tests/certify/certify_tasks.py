"""Evidence of fault-free models of three classes and of numbers, on made-up days; beside ``certify_evidence``."""

from __future__ import annotations

from typing import Any

import numpy as np
from certify_evidence import DOMAIN, ROOT, latency_run
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.evidence import Evidence, Native, Split
from mintage.certify.latency import RecordedLatency

KINDS = ("low", "mid", "high")


def many_split(rng: np.random.Generator, *, name: str, days: int, rows: int, grouped: bool) -> Split:
    """A split whose probabilities of three classes are the true ones but for the day's own effect."""
    count = days * rows
    a, b = rng.normal(size=count), rng.normal(size=count)
    day = np.repeat(np.arange(days), rows)
    raw = np.column_stack([1.3 * a, 1.3 * b, -0.6 * a - 0.6 * b])
    seen = _softmax(raw)
    true = _softmax(raw + 0.15 * rng.normal(size=(days, 3))[day])
    labels = (true.cumsum(axis=1) < rng.random(count)[:, None]).sum(axis=1).clip(0, 2)
    columns = {"a": a, "b": np.where(rng.random(count) < 0.05, np.nan, b)}
    answers = Answers(task="multiclass", values=seen)
    return Split(name=name, columns=columns, labels=labels, answers=answers, groups=_groups(name, day, grouped=grouped))


def number_split(rng: np.random.Generator, *, name: str, days: int, rows: int, grouped: bool) -> Split:
    """A split whose predictions are the means of the true numbers but for the day's own effect."""
    count = days * rows
    a, b = rng.normal(size=count), rng.normal(size=count)
    kind = rng.choice(["x", "y", "z"], size=count).astype(object)
    day = np.repeat(np.arange(days), rows)
    mean = 20 + 3 * a + 2 * b + np.where(kind == "x", 2.0, -1.0)
    labels = mean + 0.3 * rng.normal(size=days)[day] + 2 * rng.normal(size=count)
    answers = Answers(task="regression", values=mean)
    columns = {"a": a, "b": b, "kind": kind}
    return Split(name=name, columns=columns, labels=labels, answers=answers, groups=_groups(name, day, grouped=grouped))


def task_evidence(
    task: str, seed: int = 1, *, days: int = 25, rows: int = 40, grouped: bool = True, **changes: Any
) -> Evidence:
    """Evidence of a fault-free model of the task; ``changes`` replace fields."""
    rng = np.random.default_rng(seed)
    make = many_split if task == "multiclass" else number_split
    train = make(rng, name="training", days=2 * days, rows=rows, grouped=grouped)
    holdout = make(rng, name="hold-out", days=days, rows=rows, grouped=grouped)
    edge = holdout.answers.values[:50]
    parts: dict[str, Any] = {
        "model": "late",
        "root": ROOT,
        "domain": DOMAIN,
        "group_key": "day" if grouped else None,
        "classes": KINDS if task == "multiclass" else (),
        "train": train,
        "holdout": holdout,
        "native": Native(holdout=holdout.answers.values, edge=edge, edge_served=edge),
        "latency": RecordedLatency(latency_run(rng.gamma(4, 0.0003, size=2000))),
    }
    return Evidence(**(parts | changes))


def _softmax(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    lifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(lifted / lifted.sum(axis=1, keepdims=True))


def _groups(name: str, day: NDArray[Any], *, grouped: bool) -> NDArray[Any] | None:
    return np.array([f"{name}-{number:03d}" for number in day], dtype=object) if grouped else None
