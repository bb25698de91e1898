"""Repeat the stages that made a model, from the same commit, inputs and environment, with one thing changed.

It works in a work tree of the commit and a store of its own, both gone when the block ends: no lock, cache, run, record
or file of the project is touched, and nothing made here is ever taken for the model. Inputs come from the store by
digest. A stage runs as in a run, in the same scratch folder and its own interpreter, and is stopped, with all that it
started, when the time is over. What differs from the recorded run (code, environment, parameters) is refused: what is
asked about is the model as it was made.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from mintage.data.checkout import place
from mintage.errors import BlobMissingError, GitError, NotRepeatableError, StageStoppedError
from mintage.pipeline.attempts import attempt_stage
from mintage.pipeline.facts import Inspector, StageFacts
from mintage.pipeline.graph import maker_of, order
from mintage.pipeline.key import explain
from mintage.pipeline.stage_data import files_of
from mintage.pipeline.worktree import worktree
from mintage.repo.locks import Item, Lock, read_locks
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Edit", "Repeated", "Repeater", "open_repeater"]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change of files: ``apply`` changes the one at a path, which is named so in the project, if it is one to change,
    and says whether it did. A file that was none is not looked at again by an edit of the same ``name``."""

    name: str
    apply: Callable[[Path, str], bool]


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """What a repetition made: the estimator's file, of which ``workspace`` has the bytes, and whether those are the
    recorded ones; ``changed`` are the files and folders with other bytes than the recorded run's."""

    workspace: Workspace
    estimator: Item
    is_same: bool
    changed: frozenset[str]

    def has_changed(self, path: str) -> bool:
        """Whether the file ``path`` may have other bytes than recorded."""
        return _is_in(path, self.changed)


class Repeater:
    """Repeats one model's stages; ``wanted`` are other files that count, such as the hold-out."""

    def __init__(
        self, tree: Workspace, *, store: Store, locks: dict[str, Lock], estimator: Item, wanted: Sequence[str]
    ) -> None:
        self._tree, self._store, self._locks, self._estimator = tree, store, locks, estimator
        self._unedited: set[tuple[str, Item]] = set()
        self._project = tree.project(allow_unmade=True)
        stages = self._project.stages
        makers = [maker_of(stages, path) for path in (estimator.path, *wanted)]
        self.stages = order(stages, target=[maker for maker in makers if maker])
        if makers[0] is None:
            raise _not_repeatable(f"no stage writes {estimator.path}", "a stage of mintage.yaml that fits the model")
        self._check_locks()

    def __call__(self, *, edit: Edit | None, seed: int | None, left_s: Callable[[], float]) -> Repeated | None:
        """Run what must be run; ``edit`` None runs all stages on what they read then. None if no file was edited that
        the estimator is made from. ``seed`` replaces that of each stage; ``left_s`` is asked before each.

        Raises NotRepeatableError, StageStoppedError, and TimeoutError when the time is over.
        """
        shutil.rmtree(self._tree.store_dir, ignore_errors=True)
        with StatCache(self._tree.cache_database) as cache:
            inspector = Inspector(self._tree, cache)
            inspector.locks = dict(self._locks)  # those of the commit are of the run before, and saw other code
            changed: set[str] = set()
            made: set[str] = set()
            placed: set[str] = set()
            for name in self.stages:
                reads = [item for item in self._locks[name].inputs if not _is_in(item.path, made)]
                for item in reads:
                    if edit is not None and item.path not in placed and (edit.name, item) not in self._unedited:
                        changed |= self._edited(item, edit)
                        placed.add(item.path)
                if edit is None or any(_touches(item.path, changed) for item in self._locks[name].inputs):
                    for item in reads:
                        if item.path not in placed:
                            self._place(item)
                            placed.add(item.path)
                    recorded = {item.path: item.digest for item in self._locks[name].outputs}
                    outputs = self._run(inspector, name, seed=seed, left_s=left_s)
                    made |= {item.path for item in outputs}
                    changed |= {item.path for item in outputs if item.digest != recorded.get(item.path)}
            if not _is_in(self._estimator.path, made):
                return None
            digest = cache.digest(self._tree.root / self._estimator.path)[0]
        return Repeated(
            workspace=self._tree,
            estimator=Item(path=self._estimator.path, digest=digest, size=0),
            is_same=digest == self._estimator.digest,
            changed=frozenset(changed),
        )

    def reads(self, path: str) -> bool:
        """Whether a stage reads that file, alone or in a folder."""
        return any(_is_in(path, [item.path]) for name in self.stages for item in self._locks[name].inputs)

    def _check_locks(self) -> None:
        """Whether the locks are those of the run that made the estimator."""
        without = [name for name in self.stages if name not in self._locks]
        if without:
            raise _not_repeatable(f"the stage {without[0]} has no lock", "the lock of each stage before the model")
        written = [file for name in self.stages for item in self._locks[name].outputs for file in self._files(item)]
        if not any(file.path == self._estimator.path and file.digest == self._estimator.digest for file in written):
            raise _not_repeatable(
                f"mintage.lock is of another run than the one that made {self._estimator.path}", self._estimator.digest
            )

    def _files(self, item: Item) -> list[Item]:
        return files_of(item, self._store) if not item.folder or self._store.has(item.digest) else []

    def _place(self, item: Item) -> None:
        """Put an input where the stages expect it."""
        try:
            place(self._store, item, self._tree.root / item.path)
        except BlobMissingError as error:
            raise _not_repeatable(
                f"{item.path} is not in the store as the stage read it", item.digest, hint="`mintage pull` brings it"
            ) from error

    def _edited(self, item: Item, edit: Edit) -> set[str]:
        """Put an input in its place, and edit it; the paths that were."""
        self._place(item)
        found = {file.path for file in self._files(item) if edit.apply(self._tree.root / file.path, file.path)}
        if not found:
            self._unedited.add((edit.name, item))
        return found

    def _run(
        self, inspector: Inspector, name: str, *, seed: int | None, left_s: Callable[[], float]
    ) -> tuple[Item, ...]:
        facts = self._facts(inspector, name)
        if seed is not None:
            facts = replace(facts, stage=msgspec.structs.replace(facts.stage, seed=seed))
        log = self._tree.logs_dir / f"{name}.log"
        log.unlink(missing_ok=True)
        inspector.cache.flush()
        try:
            outcome = attempt_stage(
                self._tree, facts, models=self._project.models, log=log, stop=lambda: left_s() <= 0
            ).outcome
        except StageStoppedError as error:
            raise TimeoutError from error
        for item in outcome.outputs:
            place(inspector.store, item, self._tree.root / item.path)
        return outcome.outputs

    def _facts(self, inspector: Inspector, name: str) -> StageFacts:
        """The stage as it stands here, which must be as it was recorded but for what it reads."""
        facts = inspector.placing(inspector.facts(name))
        differences = explain(_but_inputs(self._locks[name].parts), _but_inputs(facts.parts))
        if differences:
            raise _not_repeatable(
                f"the stage {name} is not as it was when the model was made: {'; '.join(differences[:3])}",
                "the code, parameters and environment of that run",
                hint="`mintage run` makes the model again as things are now",
            )
        return facts


@contextlib.contextmanager
def open_repeater(
    workspace: Workspace, *, commit: str, estimator: Item, wanted: Sequence[str] = ()
) -> Iterator[Repeater]:
    """A work tree at ``commit`` in which the stages that made ``estimator`` can be repeated, by the locks of
    ``workspace``. Raises NotRepeatableError."""
    apart = workspace.state / "repeat"
    folder = apart / secrets.token_hex(6)
    locks = read_locks(workspace.root)
    try:
        workspace.git.resolve(commit)
    except GitError as error:
        raise _not_repeatable(
            f"the commit {commit[:10]} that the model was made from is not in this clone",
            "a commit of this clone",
            hint="certify where the model was made, or make it again here: `mintage run --force`",
        ) from error
    try:
        with worktree(workspace, revision=commit) as tree:
            tree.store_dir, tree.cache_database = folder / "store", folder / "cache.db"
            tree.tmp_dir, tree.logs_dir = folder / "tmp", folder / "logs"
            folder.mkdir(parents=True)
            store = Store(workspace.store_dir)
            yield Repeater(tree, store=store, locks=locks, estimator=estimator, wanted=wanted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another one is at work
            apart.rmdir()


def _is_in(path: str, paths: Collection[str]) -> bool:
    """Whether ``path`` is one of them, or within a folder among them."""
    return any(path == other or path.startswith(f"{other}/") for other in paths)


def _touches(path: str, paths: Collection[str]) -> bool:
    """Whether one of them is ``path``, holds it, or lies within it."""
    return _is_in(path, paths) or any(other.startswith(f"{path}/") for other in paths)


def _but_inputs(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if name != "inputs"}


def _not_repeatable(message: str, expected: str, *, hint: str | None = None) -> NotRepeatableError:
    return NotRepeatableError(
        message,
        expected=expected,
        where="mintage.lock",
        hint=hint or "run `mintage run`, which makes the model from stages and locks them, and certify again",
    )
