"""What the locks of a commit say was measured then, and in which environment: read from records, nothing runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mintage.pipeline.change.metric import find_metric
from mintage.pipeline.change.side import Side
from mintage.pipeline.change.trial import Trial
from mintage.store.local import Store

__all__ = ["Recorded", "recorded", "targets_of"]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """By stage its metrics, the key of its environment and the freeze of that; ``lost`` are stages that were made in an
    environment that is not here any more, while all else of the commit is as it was then."""

    metrics: dict[str, dict[str, float]]
    environments: dict[str, str | None]
    frozen: dict[str, dict[str, Any]]
    lost: tuple[str, ...] = ()


def recorded(store: Store, side: Side, trial: Trial | None = None) -> Recorded:
    """What the records of the side's locks say; with the ``trial`` of that side also which environments are lost."""
    metrics, environments, frozen, lost, holds = {}, {}, {}, [], True
    for name in side.project.stages:
        lock = side.locks.get(name)
        if lock is None or lock.run is None or not store.has(lock.run):
            continue
        entry = store.get_record(lock.run).body["stages"].get(name, {})
        metrics[name] = {key: float(value) for key, value in entry.get("metrics", {}).items()}
        environments[name] = lock.parts.get("environment")
        environment = entry.get("environment")
        if environment is not None and store.has(environment):
            frozen[name] = json.loads(store.get_bytes(environment))
        now = trial.parts.get(name) if trial is not None else None
        holds = holds and (now is None or _same(now, lock.parts, side))
        if now is not None and now["environment"] != environments[name]:
            lost.append(name)
    if trial is not None and not (holds and set(trial.parts) <= set(metrics)):
        # It was edited since: what was recorded says nothing about it.
        environments, frozen, lost = (
            {name: parts["environment"] for name, parts in trial.parts.items()},
            trial.frozen,
            [],
        )
    return Recorded(metrics=metrics, environments=environments, frozen=frozen, lost=tuple(lost))


def targets_of(store: Store, sides: Iterable[Side], metric: str | None) -> tuple[str, ...]:
    """The stage that reported ``metric``, by the records, if there is one in each project; none: all must run."""
    if metric is None:
        return ()
    found: set[str] = set()
    for side in sides:
        place = find_metric(metric, recorded(store, side).metrics)
        if place is not None:
            found.add(place[0])
    return tuple(found) if len(found) == 1 and all(found <= set(side.project.stages) for side in sides) else ()


def _same(now: dict[str, Any], then: dict[str, Any], side: Side) -> bool:
    """Whether only the environment differs, and what comes from stages before."""
    made = side.made({"now": now, "then": then})

    def own(parts: dict[str, Any]) -> dict[str, Any]:
        read = {path: digest for path, digest in parts.get("inputs", {}).items() if path not in made}
        return {**parts, "environment": None, "inputs": read}

    return own(now) == own(then)
