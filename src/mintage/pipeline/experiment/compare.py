"""How commits that were run differ: parameters, metrics, and by the locks' parts all else that could be why. Pure.

>>> def side(label, depth, auc, code):
...     lock = Lock(name="train", what="stage", parts={"params": {"depth": depth}, "code": {"train.py": code}})
...     return Side(label=label, params={"depth": depth, "seed": 1}, metrics={"auc": auc}, locks={"train": lock})
>>> found = compare([side("a", 2, 0.8, "b3:11"), side("b", 4, 0.9, "b3:22")])
>>> found.params, found.metrics, found.others
({'depth': [2, 4]}, {'auc': [0.8, 0.9]}, {'b': ['train: code train.py changed: b3:11 -> b3:22']})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintage.pipeline.key import explain
from mintage.repo.locks import Lock

__all__ = ["Comparison", "Side", "compare"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of those compared: parameters by dotted name, metrics, locks by name."""

    label: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    locks: Mapping[str, Lock]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Values side by side, None where one has none: ``params`` that differ, all ``metrics``; ``others`` are sentences
    on what differs from the first side beside parameters, by label."""

    params: dict[str, list[Any]]
    metrics: dict[str, list[float | None]]
    others: dict[str, list[str]]


def compare(sides: Sequence[Side]) -> Comparison:
    """Compare the sides, the first of which the others are held against."""
    names = dict.fromkeys(key for side in sides for key in side.params)
    params = {key: [side.params.get(key) for side in sides] for key in names}
    measured = dict.fromkeys(key for side in sides for key in side.metrics)
    return Comparison(
        params={key: values for key, values in params.items() if any(value != values[0] for value in values)},
        metrics={key: [side.metrics.get(key) for side in sides] for key in measured},
        others={side.label: _others(sides[0], side) for side in sides[1:]},
    )


def _others(first: Side, other: Side) -> list[str]:
    """Sentences by stage and data set. An input that a stage makes follows from that stage, and is left out."""
    made = {
        item.path
        for side in (first, other)
        for lock in side.locks.values()
        if lock.what == "stage"
        for item in lock.outputs
    }
    found = []
    for name in sorted(set(first.locks) | set(other.locks)):
        one, two = first.locks.get(name), other.locks.get(name)
        what = (one or two or Lock(name=name, what="data")).what
        if what not in ("stage", "data"):
            continue
        if one is None or two is None:
            found.append(f"{name}: {'only in ' + (other if one is None else first).label}")
        elif what == "data" and one.outputs != two.outputs:
            found += [f"{name}: the data changed: {_short(one)} -> {_short(two)}"]
        elif what == "stage":
            found += [f"{name}: {line}" for line in explain(_parts(one, made), _parts(two, made))]
    return found


def _parts(lock: Lock, made: set[str]) -> dict[str, Any]:
    parts = {key: value for key, value in lock.parts.items() if key not in ("params", "args", "format")}
    inputs = parts.get("inputs", {})
    return {**parts, "inputs": {path: digest for path, digest in inputs.items() if path not in made}}


def _short(lock: Lock) -> str:
    return lock.outputs[0].digest[:11] if lock.outputs else "nothing"
