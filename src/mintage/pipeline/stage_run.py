"""Run one stage: fill the scratch folder from the store, run the command, keep its outputs, read its metrics."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.errors import DataError, StageOutputMissingError
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.sandbox import Finished, Scratch, run_command, stage_environment
from mintage.pipeline.stage_capture import keep_declared, watch_stage
from mintage.pipeline.stage_failure import failure
from mintage.repo.locks import Item
from mintage.repo.project import ModelEntry, Stage
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["StageOutcome", "execute_stage", "keep_inputs", "keep_outcome"]

_METRIC_LIMIT = 100_000


@dataclass(frozen=True, kw_only=True)
class StageOutcome:
    """What a command made: outputs in the store, metrics as (name, value, step), how it ended, its log's digest."""

    outputs: tuple[Item, ...]
    metrics: tuple[tuple[str, float, int], ...]
    finished: Finished
    log: str


def keep_inputs(store: Store, root: Path, items: Sequence[Item]) -> None:
    """Put inputs that the store lacks into it, so that the run can be repeated from its record."""
    for item in items:
        if not store.has(item.digest):
            digest = store.put_tree(root / item.path) if item.folder else store.put_file(root / item.path)
            if digest != item.digest:
                raise DataError(
                    f"{item.path} changed while it was read", expected=item.digest, found=digest, hint="run again"
                )


def execute_stage(
    workspace: Workspace, facts: StageFacts, *, models: Mapping[str, ModelEntry], log: Path
) -> StageOutcome:
    """Run the command of ``facts`` in a scratch folder; ``models`` are the project's. Raises StageFailedError with the
    last lines of its output."""
    store = Store(workspace.store_dir)
    keep_inputs(store, workspace.root, facts.inputs)
    with Scratch(workspace.tmp_dir) as scratch:
        _fill(scratch, store, facts, workspace.root)
        environment = stage_environment(
            scratch,
            seed=facts.stage.seed,
            threads=facts.stage.threads,
            declared=facts.stage.env,
            environment=facts.environment,
        )
        if facts.stage.captured:
            environment = watch_stage(scratch, environment, hooked=False)
        finished = run_command(
            facts.command,
            folder=scratch.work,
            environment=environment,
            log=log,
            timeout_s=facts.stage.timeout_s,
            python=facts.environment.python,
        )
        if finished.exit_code != 0:
            raise failure(facts, finished, log=log, root=workspace.root)
        if facts.stage.captured:
            keep_declared(scratch, facts.name, facts.stage, models)
        return keep_outcome(store, scratch, facts.name, facts.stage, finished=finished, log=log)


def keep_outcome(
    store: Store, scratch: Scratch, name: str, stage: Stage, *, finished: Finished, log: Path
) -> StageOutcome:
    """Put the outputs of stage ``name`` from its scratch folder, and its log, into the store; read its metrics."""
    outputs = tuple(_keep(store, scratch.work, path, name) for path in stage.outputs)
    metrics = _reported(scratch.private / "metrics.jsonl") + _from_files(scratch.work, name, stage.metrics)
    return StageOutcome(outputs=outputs, metrics=tuple(metrics), finished=finished, log=store.put_file(log))


def _fill(scratch: Scratch, store: Store, facts: StageFacts, root: Path) -> None:
    for item in facts.inputs:
        target = scratch.work / item.path
        if item.folder:
            store.checkout_tree(item.digest, target)
        else:
            store.checkout(item.digest, target)
    for path in facts.parts["code"]:
        target = scratch.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = root / path
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode & 0o755)
    for path in facts.stage.outputs:
        (scratch.work / path).parent.mkdir(parents=True, exist_ok=True)
    (scratch.private / "params.json").write_text(json.dumps(facts.parts["params"]))
    _write_params(scratch.work / PARAMS_FILE, facts, root)


def _write_params(target: Path, facts: StageFacts, root: Path) -> None:
    """For a script that opens params.yaml itself: the declared slice of it, unless all of it is an input."""
    if facts.parts["params"] and (root / PARAMS_FILE).is_file() and not target.exists():
        import yaml

        target.write_text(yaml.safe_dump(facts.parts["params"], sort_keys=False, allow_unicode=True))


def _keep(store: Store, work: Path, path: str, stage: str) -> Item:
    made = work / path.rstrip("/")
    if not made.exists():
        raise StageOutputMissingError(
            f"stage {stage} ended well but did not write {path}",
            expected=path,
            found=", ".join(sorted(p.name for p in made.parent.iterdir())) if made.parent.is_dir() else None,
            hint="correct `out:` of the stage, or let its command write the file",
        )
    if made.is_dir():
        digest = store.put_tree(made)
        return Item(path=path.rstrip("/"), digest=digest, size=store.get_tree(digest).size, folder=True)
    return Item(path=path, digest=store.put_file(made), size=made.stat().st_size)


def _reported(path: Path) -> list[tuple[str, float, int]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines()[:_METRIC_LIMIT]:
        entry = json.loads(line)
        found.append((str(entry["key"]), float(entry["value"]), int(entry["step"])))
    return found


def _from_files(work: Path, stage: str, paths: Sequence[str]) -> list[tuple[str, float, int]]:
    found: list[tuple[str, float, int]] = []
    for path in paths:
        try:
            value = json.loads((work / path).read_bytes())
        except ValueError as error:
            raise DataError(
                f"the metrics file {path} of stage {stage} is not JSON", found=str(error), where=path
            ) from error
        found += _numbers(value, "")
    return found[:_METRIC_LIMIT]


def _numbers(value: Any, name: str) -> list[tuple[str, float, int]]:
    if isinstance(value, dict):
        return [entry for key, item in value.items() for entry in _numbers(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isinf(value):
        return [(name or "value", float(value), 0)]
    return []
