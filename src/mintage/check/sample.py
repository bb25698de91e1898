"""Made-up evidence to try a check on: models of each task without a fault, and the hold-outs that break careless code.

>>> evidence = sample_evidence("binary", rows=200)
>>> evidence.holdout.rows, sorted(evidence.holdout.columns)
(200, ['a', 'b', 'kind'])
>>> sorted(hard_cases("binary"))[:2]
['20 rows', 'a constant column']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers, Task
from mintage.certify.evidence import Champion, Evidence, Native, Split
from mintage.certify.latency import LatencyRun, RecordedLatency
from mintage.certify.served import Columns, Served
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

__all__ = ["TASKS", "hard_cases", "sample_evidence"]

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
_CLASSES: Mapping[Task, tuple[str, ...]] = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high")}
_INPUTS = {
    "a": InputSpec(type="float", range=(-6.0, 6.0), monotone="increasing"),
    "b": InputSpec(type="float", range=(-6.0, 6.0)),
    "kind": InputSpec(type="string", categories=("x", "y", "z"), protected=True),
}


def sample_evidence(task: Task, *, seed: int = 1, rows: int = 800, grouped: bool = False) -> Evidence:
    """Evidence of a model that knows the truth, with all that a check may look at; ``grouped`` by twenty rows."""
    rng = np.random.default_rng(seed)
    train, holdout, validation = (
        _split(rng, task, name=name, rows=rows, grouped=grouped) for name in ("training", "hold-out", "validation")
    )
    edge = holdout.answers.values[:20]
    return Evidence(
        model="sample",
        root="sha256:" + "a" * 64,
        domain="sha256:" + "d" * 64,
        classes=_CLASSES.get(task, ()),
        group_key="day" if grouped else None,
        train=train,
        holdout=holdout,
        validation=validation,
        native=Native(holdout=holdout.answers.values, edge=edge, edge_served=edge),
        latency=RecordedLatency(
            LatencyRun(seconds=tuple(rng.gamma(4, 0.0003, size=2000).tolist()), warmup=0, scenario="made up")
        ),
        champion=Champion(root="sha256:" + "c" * 64, answers=holdout.answers),
        served=Served(lambda columns: _answers(task, columns)),
        spec=_spec(task, grouped=grouped),
        formats={"model.onnx": "onnx", "card.json": "json"},
    )


def hard_cases(task: Task) -> dict[str, Evidence]:
    """Evidence by what is odd about it; none of it is wrong, so a check must come to a result."""
    whole, grouped = sample_evidence(task), sample_evidence(task, grouped=True)
    cases = {
        "20 rows": _with(whole, lambda split: _taken(split, np.arange(20)), only="holdout"),
        "one row": _with(whole, lambda split: _taken(split, np.arange(1)), only="holdout"),
        "one group": _with(grouped, lambda split: replace(split, groups=np.full(split.rows, "day")), only="holdout"),
        "three groups": _with(grouped, lambda split: _taken(split, np.arange(60)), only="holdout"),
        "a constant column": _with(whole, lambda split: _columns(split, b=np.full(split.rows, 2.0))),
        "every input missing": _with(whole, _missing),
        "infinite values": _with(whole, lambda split: _columns(split, b=np.full(split.rows, np.inf))),
        "the same row again and again": _with(whole, lambda split: _taken(split, np.zeros(split.rows, dtype=int))),
        "the same answer to all": _with(whole, _constant),
        "a label of one value": _with(whole, lambda split: replace(split, labels=np.full_like(split.labels, 1))),
        "one label in the hold-out": _with(
            whole, lambda split: replace(split, labels=np.full_like(split.labels, 0)), only="holdout"
        ),
        "nothing but the rows": replace(
            whole, served=None, native=None, latency=None, champion=None, validation=None, spec=None, formats={}
        ),
    }
    if task == "regression":
        cases["labels of zero"] = _with(whole, lambda split: replace(split, labels=np.zeros(split.rows)))
    return cases


def _with(evidence: Evidence, change: Callable[[Split], Split], *, only: str | None = None) -> Evidence:
    """The evidence with other splits; what was computed of the hold-out follows it."""
    train = evidence.train if only == "holdout" else change(evidence.train)
    holdout = change(evidence.holdout)
    values = holdout.answers.values
    return replace(
        evidence,
        train=train,
        holdout=holdout,
        native=Native(holdout=values, edge=values[:20], edge_served=values[:20]),
        champion=Champion(root="sha256:" + "c" * 64, answers=holdout.answers),
    )


def _taken(split: Split, rows: NDArray[Any]) -> Split:
    return replace(
        split,
        columns={name: column[rows] for name, column in split.columns.items()},
        labels=split.labels[rows],
        answers=split.answers.of(split.answers.values[rows]),
        groups=None if split.groups is None else split.groups[rows],
        extra={role: column[rows] for role, column in split.extra.items()},
    )


def _columns(split: Split, **columns: NDArray[Any]) -> Split:
    return replace(split, columns={**split.columns, **columns})


def _missing(split: Split) -> Split:
    empty = np.full(split.rows, np.nan)
    return _columns(split, a=empty, b=empty, kind=np.full(split.rows, None, dtype=object))


def _constant(split: Split) -> Split:
    return replace(split, answers=split.answers.of(np.repeat(split.answers.values[:1], split.rows, axis=0)))


def _split(rng: np.random.Generator, task: Task, *, name: str, rows: int, grouped: bool) -> Split:
    columns: dict[str, NDArray[Any]] = {
        "a": np.where(rng.random(rows) < 0.02, np.nan, rng.normal(size=rows).clip(-6, 6)),
        "b": rng.normal(size=rows).clip(-6, 6),
        "kind": rng.choice(["x", "y", "z"], size=rows).astype(object),
    }
    answers = _answers(task, columns)
    labels: NDArray[Any]
    if task == "regression":
        labels = answers.values + 2 * rng.normal(size=rows)
    elif task == "binary":
        labels = (rng.random(rows) < answers.values).astype(np.int64)
    else:
        labels = (answers.values.cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1).clip(0, 2)
    groups = np.array([f"{name}-{row // 20}" for row in range(rows)], dtype=object) if grouped else None
    return Split(name=name, columns=columns, labels=labels, answers=answers, groups=groups)


def _answers(task: Task, columns: Columns) -> Answers:
    a, b = (np.clip(np.nan_to_num(columns[name].astype(np.float64)), -6, 6) for name in ("a", "b"))
    slope = 1.2 * a + 1.2 * b + np.array([0.8 if value == "x" else -0.4 for value in columns["kind"].tolist()])
    if task == "regression":
        return Answers(task=task, values=20 + 3 * slope)
    if task == "binary":
        return Answers(task=task, values=1 / (1 + np.exp(-slope)))
    lifted = np.exp(np.column_stack([-slope, np.zeros(len(slope)), slope]))
    return Answers(task=task, values=lifted / lifted.sum(axis=1, keepdims=True))


def _spec(task: Task, *, grouped: bool) -> ModelSpec:
    inputs = dict(_INPUTS)
    if task == "multiclass":
        inputs["a"] = InputSpec(type="float", range=(-6.0, 6.0))
    return ModelSpec(
        model="sample",
        task=task,
        target="y",
        purpose="to try a check on",
        owner="you@example.org",
        inputs=inputs,
        data=DataFiles(train="train", validation="validation", holdout="holdout"),
        group_key="day" if grouped else None,
    )
