"""Read what is compared: the files and locks of experiments or revisions, out of Git, with nothing checked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mintage.errors import GitError, UnknownNameError
from mintage.pipeline.experiment.collection import find
from mintage.pipeline.experiment.compare import Side
from mintage.pipeline.experiment.experiment import Found
from mintage.pipeline.experiment.naming import joined_metrics
from mintage.pipeline.experiment.values import VALUE_FILES, values_in
from mintage.repo.git import Git
from mintage.repo.locks import LOCK_FOLDER, Lock, parse_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["locks_at", "read_side", "runs_of"]


def read_side(workspace: Workspace, known: Sequence[Found], name: str, store: Store) -> Side:
    """An experiment by its name, else a revision. Raises UnknownNameError."""
    try:
        found = find(known, name)
    except UnknownNameError as unknown:
        try:
            commit = workspace.git.resolve(name)
        except GitError:
            raise unknown from None
        files, locks = _read(workspace.git, commit)
        return Side(label=name, params=_values(files), metrics=_metrics(store, locks), locks=locks)
    files, locks = _read(workspace.git, found.commit)
    return Side(label=found.experiment.name, params=_values(files), metrics=found.experiment.metrics, locks=locks)


def locks_at(git: Git, commit: str) -> dict[str, Lock]:
    """The locks of a commit, by name."""
    return _read(git, commit)[1]


def runs_of(store: Store, locks: dict[str, Lock]) -> list[str]:
    """The ids of the runs that made what the stages' locks name, as far as the store has their records."""
    records = dict.fromkeys(lock.run for lock in locks.values() if lock.what == "stage" and lock.run is not None)
    bodies = (store.get_record(digest).body for digest in records if store.has(digest))
    return list(dict.fromkeys(str(body["run"]) for body in bodies if "run" in body))


def _read(git: Git, commit: str) -> tuple[dict[str, bytes], dict[str, Lock]]:
    ids = {path: blob for path, blob in git.tree(commit).items() if path in VALUE_FILES or _is_lock(path)}
    data = git.blobs(list(ids.values()))
    files = {path: data[blob] for path, blob in ids.items()}
    locks = [parse_lock(text, where=path) for path, text in files.items() if _is_lock(path)]
    return files, {lock.name: lock for lock in locks}


def _is_lock(path: str) -> bool:
    return path.startswith(f"{LOCK_FOLDER}/") and path.endswith(".json")


def _values(files: dict[str, bytes]) -> dict[str, Any]:
    return values_in({path: files[path].decode(errors="replace") for path in VALUE_FILES if path in files})


def _metrics(store: Store, locks: dict[str, Lock]) -> dict[str, float]:
    found: dict[str, dict[str, float]] = {}
    for name, lock in locks.items():
        if lock.what == "stage" and lock.run is not None and store.has(lock.run):
            found[name] = store.get_record(lock.run).body["stages"].get(name, {}).get("metrics", {})
    return joined_metrics(found)
