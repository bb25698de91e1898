"""Run one stage: fill the scratch folder from the store, run the command, keep its outputs, read its metrics."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.errors import DataError, StageFailedError, StageOutputMissingError
from mintage.pipeline.environment import Environment
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.sandbox import Finished, Scratch, run_command, stage_environment
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["StageOutcome", "execute_stage", "keep_inputs"]

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


def execute_stage(workspace: Workspace, facts: StageFacts, *, log: Path) -> StageOutcome:
    """Run the command of ``facts`` in a scratch folder. Raises StageFailedError with the last lines of its output."""
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
        finished = run_command(
            facts.command,
            folder=scratch.work,
            environment=environment,
            log=log,
            timeout_s=facts.stage.timeout_s,
            python=facts.environment.python,
        )
        if finished.exit_code != 0:
            raise _failure(facts, finished, log, workspace.root)
        outputs = tuple(_keep(store, scratch.work, path, facts) for path in (*facts.stage.out, *facts.stage.metrics))
        metrics = _reported(scratch.private / "metrics.jsonl") + _from_files(scratch.work, facts)
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
    for path in (*facts.stage.out, *facts.stage.metrics):
        (scratch.work / path).parent.mkdir(parents=True, exist_ok=True)
    (scratch.private / "params.json").write_text(json.dumps(facts.parts["params"]))


def _keep(store: Store, work: Path, path: str, facts: StageFacts) -> Item:
    made = work / path.rstrip("/")
    if not made.exists():
        raise StageOutputMissingError(
            f"stage {facts.name} ended well but did not write {path}",
            expected=path,
            found=", ".join(sorted(p.name for p in made.parent.iterdir())) if made.parent.is_dir() else None,
            hint="correct `out:` of the stage, or let its command write the file",
        )
    if made.is_dir():
        digest = store.put_tree(made)
        return Item(path=path.rstrip("/"), digest=digest, size=store.get_tree(digest).size, folder=True)
    return Item(path=path, digest=store.put_file(made), size=made.stat().st_size)


def _failure(facts: StageFacts, finished: Finished, log: Path, root: Path) -> StageFailedError:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    if finished.timed_out:
        found = f"still running after {facts.stage.timeout_s} s"
    elif finished.exit_code < 0:
        found = f"ended by signal {-finished.exit_code}"
    else:
        found = f"exit code {finished.exit_code}"
    hint = "see the last lines above; the full output is in the log"
    missing = [line for line in tail.splitlines() if "FileNotFoundError" in line or "No such file" in line]
    module = _module_missing(tail)
    if module is not None:
        hint = _import_hint(module, facts.environment, root)
    elif missing:
        hint = "a stage sees only its declared inputs and code: if it reads another file, name it under `in:`"
    return StageFailedError(
        f"stage {facts.name} failed: {found}" + (f"\n{tail}" if tail else ""),
        expected="exit code 0",
        found=found,
        where=str(log),
        hint=hint,
    )


def _module_missing(tail: str) -> str | None:
    found = re.search(r"(?:ModuleNotFoundError: No module named|ImportError: .* from) '([\w.]+)", tail)
    return found[1] if found else None


def _import_hint(module: str, environment: Environment, root: Path) -> str:
    """Where a module that could not be imported is looked for, and how to name another interpreter."""
    if environment.named is not None:
        if module.partition(".")[0] == "mintage":
            return f"install mintage for {environment.named}, or read the JSON file at $MINTAGE_PARAMS instead"
        return f"the stage runs with {environment.named}: install {module} there, or correct `python:`"
    if (root / ".venv/bin/python").exists():
        return f"the stage runs with {environment.python}; for the project's own, say `python: .venv/bin/python`"
    return f"the stage runs with {environment.python}: install {module} there, or name another with `python:`"


def _reported(path: Path) -> list[tuple[str, float, int]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines()[:_METRIC_LIMIT]:
        entry = json.loads(line)
        found.append((str(entry["key"]), float(entry["value"]), int(entry["step"])))
    return found


def _from_files(work: Path, facts: StageFacts) -> list[tuple[str, float, int]]:
    found: list[tuple[str, float, int]] = []
    for path in facts.stage.metrics:
        try:
            value = json.loads((work / path).read_bytes())
        except ValueError as error:
            raise DataError(
                f"the metrics file {path} of stage {facts.name} is not JSON", found=str(error), where=path
            ) from error
        found += _numbers(value, "")
    return found[:_METRIC_LIMIT]


def _numbers(value: Any, name: str) -> list[tuple[str, float, int]]:
    if isinstance(value, dict):
        return [entry for key, item in value.items() for entry in _numbers(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isinf(value):
        return [(name or "value", float(value), 0)]
    return []
