"""What a commit has of each part: its project file, parameters, locks, and the data that its stages read.

``read_side`` reads Git and the locks; nothing is put into the work tree. Data are versioned items (the locks say which
bytes of the store), files that Git tracks, or else what the lock of a stage says that it read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mintage.errors import FileMissingError, GitError, UnknownNameError
from mintage.pipeline.change.parts import is_data
from mintage.pipeline.declared_pythons import declared_pythons
from mintage.pipeline.discover.environment import lock_files
from mintage.pipeline.facts import StageResult
from mintage.pipeline.graph import Makers
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.seen.note import note, seen_by
from mintage.pipeline.stage_run import keep_inputs
from mintage.repo.git import Git
from mintage.repo.locks import LOCK_FOLDER, Item, Lock, parse_lock
from mintage.repo.project import Project, parse_project
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.repo.yamlfile import load_yaml
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Side", "find_commit", "read_side", "remember_results"]

_EXPERIMENTS = "refs/mintage/exp/"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One commit: ``name`` as it was asked for, ``files`` (path to blob), ``texts`` of the project file, of
    params.yaml if it is there and of the locks of environments, the parsed project, and all locks by name."""

    name: str
    commit: str
    files: Mapping[str, str]
    texts: Mapping[str, bytes]
    project: Project
    locks: Mapping[str, Lock]

    @property
    def written(self) -> dict[str, Any]:
        """mintage.yaml as plain values."""
        value: dict[str, Any] = load_yaml(self.texts[PROJECT_FILE], where=PROJECT_FILE)[0]
        return value

    @property
    def params(self) -> dict[str, Any]:
        """The parameters as plain values, wherever they stand."""
        if PARAMS_FILE in self.texts:
            value: dict[str, Any] = load_yaml(self.texts[PARAMS_FILE], where=PARAMS_FILE)[0]
            return value
        return self.written.get("params") or {}

    def inputs(self) -> list[str]:
        """What stages read and none writes, each path once, sorted."""
        makers = Makers(self.project.stages)
        paths = {path.rstrip("/") for stage in self.project.stages.values() for path in stage.inputs}
        return sorted(path for path in paths if not makers.all_of(path))

    def made(self, parts: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Those inputs in the parts of keys, by stage, that stages write, or a part of them."""
        makers = Makers(self.project.stages)
        paths = {path for own in parts.values() for path in own.get("inputs", {})}
        return {path for path in paths if makers.all_of(path)}

    def data(self, inputs: Iterable[str]) -> dict[str, dict[str, Item | str]]:
        """For each of ``inputs`` its data by path: an item of the store, or the id of a blob of Git; not there if the
        commit has none."""
        makers = Makers(self.project.stages)
        kept = {item.path: item for lock in self.locks.values() if lock.what == "data" for item in lock.outputs}
        read = {item.path: item for lock in self.locks.values() if lock.what == "stage" for item in lock.inputs}
        found: dict[str, dict[str, Item | str]] = {}
        for path in inputs:
            if not is_data(path):
                continue
            tracked = {name: blob for name, blob in self.files.items() if _within(name, path) and is_data(name)}
            own = {name: item for name, item in kept.items() if _within(name, path) or _within(path, name)}
            if not tracked and not own and path in read and makers.of(path) is None:
                own = {path: read[path]}
            if tracked or own:
                found[path] = {**tracked, **own}
        return found


def find_commit(git: Git, name: str) -> str:
    """The commit of a revision, or of an experiment by its name; raises UnknownNameError."""
    try:
        return git.resolve(name)
    except GitError:
        refs = git.run("for-each-ref", "--format=%(refname)", _EXPERIMENTS).split()
        found = [ref for ref in refs if ref.endswith(f"/{name}")]
        if len(found) == 1:
            return git.resolve(found[0])
        raise UnknownNameError(
            f"there is no revision {name!r}" if not found else f"{len(found)} experiments are called {name!r}",
            expected="a commit, branch, tag or experiment",
            found=", ".join(found[:4]) or None,
            hint="`git log --oneline` and `git branch -a` list what there is",
        ) from None


def read_side(workspace: Workspace, revision: str | None) -> Side:
    """Read a commit's side of the comparison; None: the work tree as it is, of which a snapshot is made.

    Raises UnknownNameError, and FileMissingError if it is no project.
    """
    git, name = workspace.git, revision or "the work tree"
    commit = git.snapshot(label="snapshot to compare") if revision is None else find_commit(git, revision)
    files = git.tree(commit)
    if PROJECT_FILE not in files:
        raise FileMissingError(f"{name} has no {PROJECT_FILE}", where=commit, hint="name a later commit")
    locked = [path for path in files if path.startswith(f"{LOCK_FOLDER}/")]
    wanted = [PROJECT_FILE, PARAMS_FILE, *lock_files(list(files))]
    blobs = git.blobs(list({files[path] for path in (*locked, *wanted) if path in files}))
    project = parse_project(blobs[files[PROJECT_FILE]], where=f"{name}:{PROJECT_FILE}", allow_unmade=True)
    named = [found.lock for found in declared_pythons(project) if found.lock not in wanted and found.lock in files]
    if named:
        blobs |= git.blobs([files[path] for path in named])
        wanted += named
    locks = [parse_lock(blobs[files[path]], where=f"{path} at {name}") for path in locked]
    texts = {path: blobs[files[path]] for path in wanted if path in files}
    side = Side(
        name=name,
        commit=commit,
        files=files,
        texts=texts,
        project=project,
        locks={lock.name: lock for lock in locks},
    )
    return side if revision is not None else _with_data_of_now(workspace, side)


def _with_data_of_now(workspace: Workspace, side: Side) -> Side:
    """The side of the work tree, with the data that lie there, be they added or not; the store keeps them."""
    store, locks = Store(workspace.store_dir), dict(side.locks)
    with StatCache(workspace.cache_database) as cache:
        for path in side.inputs():
            full = workspace.root / path
            if not is_data(path) or not full.exists() or any(_within(name, path) for name in side.files):
                continue
            digest, size, folder = cache.digest(full)
            item = Item(path=path, digest=digest, size=size, folder=folder)
            keep_inputs(store, workspace.root, [item])
            locks[path] = Lock(name=path, what="data", outputs=(item,))
    return replace(side, locks=locks)


def remember_results(workspace: Workspace, side: Side) -> None:
    """Let the cache know what the commit's locks say was made, so that a fresh clone need not run it again."""
    store = Store(workspace.store_dir)
    with StatCache(workspace.cache_database) as cache:
        for lock in side.locks.values():
            if lock.what != "stage" or lock.key is None or lock.run is None or cache.result(lock.key) is not None:
                continue
            if store.has(lock.run):
                entry = store.get_record(lock.run).body["stages"].get(lock.name, {})
                # A lock may have been edited: what counts is what the record says was made under that key.
                if entry.get("key") != lock.key or entry.get("outputs") != msgspec.to_builtins(list(lock.outputs)):
                    continue
                metrics = tuple((key, float(value), 0) for key, value in entry.get("metrics", {}).items())
                result = StageResult(outputs=lock.outputs, run=lock.run, metrics=metrics, mlflow=entry.get("mlflow"))
                cache.remember(lock.key, msgspec.json.encode(result).decode())
                note(cache, lock.parts, seen_by(lock))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
