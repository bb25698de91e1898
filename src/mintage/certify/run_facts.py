"""What the records of the run say of how a model came about, and what its files hold: for checks V3 and Z2.

Both start from the model's record and the locks, and read everything by digest. ``provenance_of`` gives each fact that
must be there, None where it is missing: not recorded, or recorded and no longer in Git or the store. ``scan_run`` looks
into every file that a stage wrote and the estimator. Nothing is run or unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mintage.certify.pickles.files import MOST_BYTES, Scan, ScannedFiles, scan_file
from mintage.errors import GitError, IntegrityError
from mintage.pipeline.stage_data import files_of
from mintage.record.envelope import Record
from mintage.repo.git import Git
from mintage.repo.locks import Item, Lock, read_locks
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["provenance_of", "scan_run", "stages_behind"]

_HARDWARE = ("processor", "machine", "cores", "memory_bytes", "system")
Facts = dict[str, str | None]


def provenance_of(workspace: Workspace, model: Record) -> Facts:
    """What V3 asks for, of the model that ``model`` is the record of."""
    store, body = Store(workspace.store_dir), model.body
    run = _record(store, body.get("run"))
    hardware = {} if run is None else run.body.get("hardware") or {}
    facts: Facts = {
        "commit": _known_commit(workspace.git, body.get("commit")),
        "record of the run": None if run is None else str(body["run"]),
        "hardware": ", ".join(f"{hardware[key]}" for key in _HARDWARE) if all(map(hardware.get, _HARDWARE)) else None,
        "signed statement": _kept(store, body.get("provenance")),
    }
    locks = {name: lock for name, lock in read_locks(workspace.root).items() if lock.what == "stage"}
    estimator = str(body["estimator"]["path"])
    for name in stages_behind(locks, estimator):
        facts |= _stage_facts(store, locks[name], fits=_writes(locks[name], estimator))
    return facts


def _stage_facts(store: Store, lock: Lock, *, fits: bool) -> Facts:
    run = _record(store, lock.run)
    entry: Mapping[str, Any] = {} if run is None else run.body.get("stages", {}).get(lock.name) or {}
    parts = entry.get("parts") or {}
    items = [*lock.inputs, *lock.outputs]
    lost = [item.path for item in items if not item.digest or not store.has(item.digest)]
    facts: Facts = {
        f"key of stage {lock.name}": entry.get("key") if entry.get("key") == lock.key else None,
        f"data of stage {lock.name}": None if lost else f"{len(items)} digests",
        f"environment of stage {lock.name}": _kept(store, entry.get("environment")),
    }
    if fits:
        facts[f"seed of stage {lock.name}"] = _seed(entry, parts)
    return facts


def _seed(entry: Mapping[str, Any], parts: Mapping[str, Any]) -> str | None:
    """The declared seed; else a call that seeded, a parameter or a constant of the code that is called one."""
    if parts.get("seed") is not None:
        return str(parts["seed"])
    calls = [str(call) for call in entry.get("seeds") or ()]
    named = {**(parts.get("params") or {}), **(entry.get("parameters") or {})}
    calls += [f"{name} = {value}" for name, value in sorted(named.items()) if _is_seed(name) and value is not None]
    return calls[0] if calls else None


def _is_seed(name: str) -> bool:
    last = name.lower().rpartition(".")[2].rpartition(":")[2]
    return last == "random_state" or "seed" in last.split("_")


def stages_behind(locks: Mapping[str, Lock], path: str) -> list[str]:
    """The stages between the data and the file at ``path``, sorted."""
    found: set[str] = set()
    wanted = [path]
    while wanted:
        one = wanted.pop()
        for name, lock in locks.items():
            if name not in found and _writes(lock, one):
                found.add(name)
                wanted += [item.path for item in lock.inputs]
    return sorted(found)


def _writes(lock: Lock, path: str) -> bool:
    return any(item.path == path or path.startswith(f"{item.path}/") for item in lock.outputs)


def _record(store: Store, digest: object) -> Record | None:
    try:
        return store.get_record(str(digest), kind="run") if digest else None
    except IntegrityError:
        return None


def _kept(store: Store, digest: object) -> str | None:
    return str(digest) if digest and store.has(str(digest)) else None


def _known_commit(git: Git, commit: object) -> str | None:
    try:
        return git.resolve(str(commit)) if commit else None
    except GitError:
        return None


def scan_run(workspace: Workspace, estimator: Item) -> ScannedFiles:
    """What the files of the stages and the estimator hold of pickles."""
    store, files = Store(workspace.store_dir), {estimator.path: estimator}
    for lock in read_locks(workspace.root).values():
        if lock.what == "stage":
            for item in lock.outputs:
                files |= {file.path: file for file in files_of(item, store)}
    files[estimator.path] = estimator
    return ScannedFiles(files=len(files), scans=dict(_scans(store, files, estimator.path)))


def _scans(store: Store, files: Mapping[str, Item], estimator: str) -> Iterator[tuple[str, Scan]]:
    for path, item in sorted(files.items()):
        found = _scan(store, item, sure=path == estimator)
        if found is not None:
            yield path, found


def _scan(store: Store, item: Item, *, sure: bool) -> Scan | None:
    with store.open(item.digest) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        if data.startswith((b"PAR1", b"ARROW1")):
            return None
        return Scan(names=(), problems=(f"it is larger than {MOST_BYTES:,} bytes, and was not looked into",))
    return scan_file(item.path, data, sure=sure)
