"""Run a tree that takes its parts from different commits, in a work tree beside the user's, through the shared cache.

Branches, HEAD and the user's files stay as they are. What was run before under the same cache key is restored.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mintage.data.checkout import place
from mintage.errors import BlobMissingError
from mintage.pipeline.change.mix import mixed_params, mixed_project
from mintage.pipeline.change.parts import CODE, DATA, ENVIRONMENT, PARAMETERS
from mintage.pipeline.change.side import Side
from mintage.pipeline.events import RunOutcome
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import order
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.select import Selection
from mintage.pipeline.worktree import worktree
from mintage.repo.locks import Item
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Run", "Trial", "composed", "pure", "run_trial"]

Run = Callable[[Workspace, Selection], RunOutcome]
"""Runs the chosen stages of a workspace."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a tree gave: metrics by stage, the parts of each stage's key and the freeze of its environment; ``ran`` are
    the stages whose command was run for it."""

    metrics: dict[str, dict[str, float]]
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    frozen: dict[str, dict[str, Any]] = field(default_factory=dict)
    ran: tuple[str, ...] = ()


def pure(side: Side) -> dict[str, Side]:
    """All parts from one side."""
    return dict.fromkeys((CODE, DATA, PARAMETERS, ENVIRONMENT), side)


def run_trial(tree: Workspace, run: Run, targets: Sequence[str]) -> Trial:
    """Run the stages ``targets`` (none: all) of a composed tree and what they need; raises what that raises."""
    actions = run(tree, Selection(targets=tuple(targets))).actions
    with StatCache(tree.cache_database) as cache:
        inspector = Inspector(tree, cache)
        names = order(inspector.project.stages, target=targets or None)
        return Trial(
            metrics={name: inspector.metrics(name) for name in names},
            parts={name: inspector.facts(name).parts for name in names},
            frozen={name: inspector.environment(name).frozen for name in names},
            ran=tuple(name for name in names if actions.get(name) == "run"),
        )


@contextlib.contextmanager
def composed(
    workspace: Workspace, sides: Mapping[str, Side], *, data: Mapping[str, Item | str] | None = None
) -> Iterator[Workspace]:
    """A work tree with each part from its side; ``data`` are other contents of single paths."""
    with worktree(workspace, revision=sides[CODE].commit) as tree:
        _put_data(tree, sides, data or {})
        _put_text(tree, sides)
        yield tree


def _put_data(tree: Workspace, sides: Mapping[str, Side], single: Mapping[str, Item | str]) -> None:
    code, side = sides[CODE], sides[DATA]
    inputs = sorted({*code.inputs(), *side.inputs()})
    here, there = code.data(inputs), side.data(inputs)
    for path in inputs:
        if path in there and there[path] != here.get(path, {}):
            for name in here.get(path, {}):
                _remove(tree.root / name)
        for name, content in sorted((there.get(path) or here.get(path, {})).items()):
            _write(tree, name, content)
    for name, content in single.items():
        _remove(tree.root / name)
        _write(tree, name, content)


def _write(tree: Workspace, path: str, content: Item | str) -> None:
    target = tree.root / path
    if isinstance(content, str):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tree.git.blobs([content])[content])
        return
    store = Store(tree.store_dir)
    if not store.has(content.digest):
        raise BlobMissingError(
            f"these bytes of {path} are not in the store",
            expected=content.digest,
            hint="`mintage pull` brings what was pushed",
        )
    place(store, content, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put_text(tree: Workspace, sides: Mapping[str, Side]) -> None:
    """mintage.yaml, params.yaml, and the locks of the environment."""
    code, params, environment = sides[CODE], sides[PARAMETERS], sides[ENVIRONMENT]
    if params is not code:
        values = mixed_params(code.params, params.params)
        same = values == params.params and PARAMS_FILE in params.texts
        if values:
            (tree.root / PARAMS_FILE).write_bytes(params.texts[PARAMS_FILE] if same else _yaml(values))
    if params is not code or environment is not code:
        value = mixed_project(code.written, params.written, environment.written)
        if params is code and "params" in code.written:
            value["params"] = code.written["params"]
        if value != code.written:
            (tree.root / PROJECT_FILE).write_bytes(_yaml(value))
    if environment is not code:
        locks = ({*code.texts, *environment.texts}) - {PARAMS_FILE, PROJECT_FILE}
        for name in locks:
            _remove(tree.root / name)
            if name in environment.texts:
                (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
                (tree.root / name).write_bytes(environment.texts[name])


def _yaml(value: object) -> bytes:
    import yaml

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode()
