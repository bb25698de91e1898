"""``status`` of stages: for each, why it is not up to date, without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from mintage.errors import FileMissingError
from mintage.pipeline.environment_change import explained
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import order, upstream
from mintage.pipeline.key import cache_key, explain
from mintage.pipeline.places import cycles_placed
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

if TYPE_CHECKING:
    from mintage.pipeline.implicit import ImplicitStage

__all__ = ["StageState", "stage_states", "states_of"]


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """One stage: its key if its inputs are there, and the reasons why it would run; none means up to date."""

    name: str
    key: str | None
    reasons: tuple[str, ...]


def stage_states(workspace: Workspace, cache: StatCache, implicit: Sequence[ImplicitStage]) -> list[StageState]:
    """The state of every stage in running order, the implicit ones last."""
    return states_of(Inspector(workspace, cache), implicit)


def states_of(inspector: Inspector, implicit: Sequence[ImplicitStage]) -> list[StageState]:
    """As ``stage_states``, for who looks at more than the states."""
    needs = upstream(inspector.project.stages)
    states: dict[str, StageState] = {}
    with cycles_placed(inspector.workspace.root, inspector.project.stages):
        names = order(inspector.project.stages)
    for name in names:
        waiting = [maker for maker in needs[name] if states[maker].reasons]
        states[name] = _waits(name, waiting) if waiting else _stage(inspector, name)
    waiting = [name for name, state in states.items() if state.reasons]
    for stage in implicit:
        states[stage.name] = _waits(stage.name, waiting) if waiting else _implicit(inspector, stage)
    return list(states.values())


def _waits(name: str, makers: Sequence[str]) -> StageState:
    return StageState(name=name, key=None, reasons=(f"waits for {', '.join(makers)}",))


def _stage(inspector: Inspector, name: str) -> StageState:
    try:
        facts = inspector.facts(name)
    except FileMissingError as error:
        return StageState(name=name, key=None, reasons=(error.message,))
    reasons: tuple[str, ...] = ()
    if facts.lock is None or facts.lock.key != facts.key:
        reasons = tuple(explained(inspector.store, facts.lock, facts.parts, frozen=facts.environment.frozen))
    elif not inspector.is_recorded(facts.lock.run):
        reasons = ("the record of its run is not in the store",)
    elif not facts.in_place:
        reasons = ("its outputs are missing or changed",)
    return StageState(name=name, key=facts.key, reasons=reasons)


def _implicit(inspector: Inspector, stage: ImplicitStage) -> StageState:
    try:
        parts = stage.parts(inspector)
    except FileMissingError as error:
        return StageState(name=stage.name, key=None, reasons=(error.message,))
    lock = inspector.locks.get(stage.name)
    key = cache_key(parts)
    reasons: tuple[str, ...] = ()
    if lock is None or lock.key != key:
        reasons = tuple(explain(lock.parts if lock else None, parts))
    elif not stage.in_place(inspector, lock):
        reasons = ("the model's folder or its record is missing or changed",)
    return StageState(name=stage.name, key=key, reasons=reasons)
