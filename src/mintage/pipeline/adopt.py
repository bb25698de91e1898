"""Adopt outputs that another tool made: a stage's lock whose record says on whose word it rests.

An adopted stage is up to date until something that counts changes, like any other. But its record is of the kind
``adopted``, not a run: no model is built on it and `mintage verify` does not pass it, until a run of ours has made the
outputs again. Its result is not remembered under its key, so it is never restored elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mintage.errors import MintageError
from mintage.pipeline.facts import Inspector, StageFacts
from mintage.record.envelope import Record
from mintage.repo.locks import Item, Lock, write_lock
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["ADOPTED", "Claim", "adopt"]

ADOPTED = "adopted"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the other tool says of a stage: its outputs, which lie in the store and the work tree, and its own entry."""

    outputs: tuple[Item, ...]
    said: Mapping[str, Any]


def adopt(
    workspace: Workspace, cache: StatCache, claims: Mapping[str, Claim], *, note: str, facts: Mapping[str, Any]
) -> dict[str, str]:
    """Write the record and the locks of the claimed stages; returns per stage that could not be adopted why.

    ``facts`` (who, when, at which commit) go into the record. A stage that has a lock already keeps it.
    """
    from mintage.pipeline.stage_run import keep_inputs  # every command that knows of models imports this module

    inspector = Inspector(workspace, cache)
    refused: dict[str, str] = {}
    adopted: dict[str, tuple[StageFacts, tuple[Item, ...]]] = {}
    for name, claim in claims.items():
        if name in inspector.locks:
            continue
        try:
            stage = inspector.facts(name)
        except MintageError as error:
            refused[name] = error.message
            continue
        outputs = _in_order(stage, claim)
        if outputs is None:
            refused[name] = "its outputs are not those of mintage.yaml"
            continue
        keep_inputs(inspector.store, workspace.root, stage.inputs)
        adopted[name] = (stage, outputs)
    if adopted:
        said = {name: claim.said for name, claim in claims.items()}
        body = {**facts, "project": inspector.project.project, "note": note, "stages": _entries(adopted, said)}
        digests = [item.digest for stage, outputs in adopted.values() for item in (*stage.inputs, *outputs)]
        upstream = tuple(dict.fromkeys(digests))
        record = inspector.store.put_record(Record(kind="adopted", version=0, upstream=upstream, body=body))
        for stage, outputs in adopted.values():
            _lock(workspace, stage, outputs, record)
    return refused


def _in_order(stage: StageFacts, claim: Claim) -> tuple[Item, ...] | None:
    """The claimed outputs in the stage's order; None if they are others than it declares."""
    declared = [path.rstrip("/") for path in stage.stage.outputs]
    by_path = {item.path: item for item in claim.outputs}
    return tuple(by_path[path] for path in declared) if set(declared) == set(by_path) else None


def _entries(
    adopted: Mapping[str, tuple[StageFacts, tuple[Item, ...]]], said: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        name: {
            "action": "adopt",
            "key": stage.key,
            "parts": stage.parts,
            "inputs": msgspec.to_builtins(stage.inputs),
            "outputs": msgspec.to_builtins(outputs),
            "said": dict(said[name]),
        }
        for name, (stage, outputs) in adopted.items()
    }


def _lock(workspace: Workspace, stage: StageFacts, outputs: tuple[Item, ...], record: str) -> None:
    lock = Lock(
        name=stage.name,
        what="stage",
        key=stage.key,
        parts=stage.parts,
        inputs=stage.inputs,
        outputs=outputs,
        run=record,
    )
    write_lock(workspace.root, lock)
