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
from mintage.pipeline.facts import Inspector
from mintage.pipeline.stage_run import keep_inputs
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
    inspector = Inspector(workspace, cache)
    refused: dict[str, str] = {}
    found = {}
    outputs: dict[str, tuple[Item, ...]] = {}
    for name, claim in claims.items():
        if name in inspector.locks:
            continue
        try:
            found[name] = inspector.facts(name)
        except MintageError as error:
            refused[name] = error.message
            continue
        keep_inputs(inspector.store, workspace.root, found[name].inputs)
        declared = [path.rstrip("/") for path in (*found[name].stage.out, *found[name].stage.metrics)]
        by_path = {item.path: item for item in claim.outputs}
        if set(declared) != set(by_path):
            refused[name] = "its outputs are not those of mintage.yaml"
            del found[name]
            continue
        outputs[name] = tuple(by_path[path] for path in declared)
    if not found:
        return refused
    stages = {
        name: {
            "action": "adopt",
            "key": stage.key,
            "parts": stage.parts,
            "inputs": msgspec.to_builtins(stage.inputs),
            "outputs": msgspec.to_builtins(outputs[name]),
            "said": claims[name].said,
        }
        for name, stage in found.items()
    }
    digests = [item.digest for name, stage in found.items() for item in (*stage.inputs, *outputs[name])]
    record = inspector.store.put_record(
        Record(
            kind="adopted",
            version=0,
            upstream=tuple(dict.fromkeys(digests)),
            body={**facts, "project": inspector.project.project, "note": note, "stages": stages},
        )
    )
    for name, stage in found.items():
        lock = Lock(
            name=name,
            what="stage",
            key=stage.key,
            parts=stage.parts,
            inputs=stage.inputs,
            outputs=outputs[name],
            run=record,
        )
        write_lock(workspace.root, lock)
    return refused
