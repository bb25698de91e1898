"""``mintage.lock/``: what each stage, each added file and each model is, by digest; one small sorted JSON file a name.

See docs/spec/lock.md. Times, hosts and costs stay out of it: they are in the run record that ``run`` names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from mintage.errors import FileMalformedError
from mintage.record.names import escape_name, unescape_name
from mintage.repo.use import Pin
from mintage.store.publish import publish_all

__all__ = [
    "LOCK_FOLDER",
    "Item",
    "Lock",
    "lock_path",
    "parse_lock",
    "read_lock",
    "read_locks",
    "write_lock",
    "write_locks",
]

LOCK_FOLDER = "mintage.lock"


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A path and what it holds: a file (``digest`` of its bytes) or a folder (``digest`` of its data manifest)."""

    path: str
    digest: str
    size: int
    folder: bool = False


class Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One lock. ``key`` is the cache key and ``parts`` what it was made of, each by digest, so a miss can be explained.

    ``run`` names the record of the execution that made the outputs. A model's lock has its ``root`` (the model's id)
    and the ``record`` that ties it to the run; the lock of an import names the ``record`` of what it brought in.
    ``use`` is the commit of another repository that a stage uses. ``seen`` are those of the code files in ``parts``
    that a run was seen to use, beside those that its imports lead to.
    """

    name: str
    what: Literal["data", "stage", "model", "certificate", "import"]
    kind: str = msgspec.field(default="lock")
    version: int = 0
    key: str | None = None
    parts: dict[str, Any] = {}
    inputs: tuple[Item, ...] = ()
    outputs: tuple[Item, ...] = ()
    run: str | None = None
    root: str | None = None
    record: str | None = None
    use: Pin | None = None
    seen: tuple[str, ...] = ()


def lock_path(name: str) -> str:
    """The lock's path below the project's root."""
    return f"{LOCK_FOLDER}/{escape_name(name)}.json"


def parse_lock(data: bytes, *, where: str) -> Lock:
    """Parse a lock strictly; raises FileMalformedError."""
    try:
        return msgspec.json.decode(data, type=Lock)
    except msgspec.MsgspecError as error:
        if data.startswith(b"<<<<<<<") or b"\n<<<<<<<" in data:
            raise _merge_conflict(where) from error
        raise FileMalformedError(
            "a lock cannot be read",
            found=str(error),
            where=where,
            hint="delete the file and run `mintage run` or `mintage add` again",
        ) from error


def _merge_conflict(where: str) -> FileMalformedError:
    """Both sides of a merge changed one lock. Either side will do: what the code, data and parameters that the merge
    settled on do not give runs again."""
    name = unescape_name(Path(where).stem)
    return FileMalformedError(
        f"the lock of {name} has the marks of a merge: both sides ran it, or added it anew",
        expected="one side of it; settle the merge of code, data and parameters first",
        where=where,
        hint=f"`git checkout --theirs {where}` (or --ours), then `mintage run`, or of data `mintage checkout`",
    )


def read_lock(root: Path, name: str) -> Lock | None:
    """The lock of a name; None if there is none."""
    path = root / lock_path(name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return parse_lock(data, where=lock_path(name))


def read_locks(root: Path) -> dict[str, Lock]:
    """All locks by name, sorted."""
    found = {}
    folder = f"{root}/{LOCK_FOLDER}"  # text, not paths: there may be thousands, and every command reads them
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208 as text: faster
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for name in names:
        stem, where = name.removesuffix(".json"), f"{LOCK_FOLDER}/{name}"
        with open(f"{folder}/{name}", "rb", buffering=0) as stream:
            lock = parse_lock(stream.readall(), where=where)
        if (unescape_name(stem) if "%" in stem else stem) != lock.name:
            raise FileMalformedError("a lock's name is not its file's", expected=stem, found=lock.name, where=where)
        found[lock.name] = lock
    return found


def write_lock(root: Path, lock: Lock) -> bool:
    """Write a lock if it differs from what is there; returns whether it did."""
    return bool(write_locks(root, [lock]))


def write_locks(root: Path, locks: Iterable[Lock]) -> list[str]:
    """Write those locks that differ from what is there, all or, after a crash, the first of them; returns their paths
    below the root."""
    changed: dict[str, bytes] = {}
    for lock in locks:
        value = {"kind": "lock", "version": 0, **msgspec.to_builtins(lock)}
        data = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"
        path = lock_path(lock.name)
        if _bytes_of(root / path) != data:
            changed[path] = data
    publish_all({root / path: data for path, data in changed.items()})
    return list(changed)


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None
