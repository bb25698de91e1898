"""Keep what a text was parsed to, so that a command that finds the same text need not parse it again.

``parsed`` gives what ``parse`` would, from the file ``keep`` if that was written for the same bytes by the same code:
the version of msgspec, and path, size and time of the source files of this package, of ``record`` and ``by`` (all of a
folder), so that neither an update of Mintage nor whoever edits it meets an old answer. It is only a cache: what is
damaged, of other code, or cannot be written is not there, and deleting it changes nothing. A value that does not come
back as it was (a date, a NaN, an integer of more than 64 bits) is not kept, nor is an error.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     keep = Path(folder, "numbers")
...     for parse in (lambda: [1, 2], lambda: [3]):
...         print(parsed(keep, b"1 2", shape=list[int], parse=parse))
[1, 2]
[1, 2]
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from mintage import record
from mintage.record.digest import blake3_bytes

__all__ = ["parsed"]

T = TypeVar("T")
_READERS = (str(Path(__file__).parent), str(Path(record.__file__).parent))
"""The packages whose code decides what a text means."""


def parsed(keep: Path | None, data: bytes, *, shape: type[T], parse: Callable[[], T], by: Iterable[str] = ()) -> T:
    """What ``parse()`` makes of ``data``, a value of the msgspec type ``shape``; without ``keep`` nothing is kept."""
    if keep is None:
        return parse()
    key = f"{msgspec.__version__} {_mark((*_READERS, *by))} {blake3_bytes(data)}".encode()
    found = _read(keep, key, shape)
    if found is None:
        found = parse()
        _write(keep, key, found, shape)
    return found


def _mark(by: Iterable[str]) -> str:
    """Size and time of each source file."""
    facts = []
    for place in by:
        with os.scandir(place) if os.path.isdir(place) else contextlib.nullcontext([place]) as found:  # noqa: PTH112
            for each in found:
                if os.fspath(each).endswith(".py"):
                    status = os.stat(each)  # noqa: PTH116 as text: faster
                    facts.append(f"{os.fspath(each)}:{status.st_size}:{status.st_mtime_ns}")
    return blake3_bytes("\n".join(sorted(facts)).encode())


def _read(keep: Path, key: bytes, shape: type[T]) -> T | None:
    try:
        head, digest, body = keep.read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    if head != key or digest != blake3_bytes(body).encode():
        return None
    try:
        return msgspec.msgpack.decode(body, type=shape)
    except msgspec.MsgspecError:
        return None


def _write(keep: Path, key: bytes, value: T, shape: type[T]) -> None:
    """Without waiting for the disk: what a power cut tears is not of its digest."""
    try:
        body = msgspec.msgpack.encode(value)
        if msgspec.msgpack.decode(body, type=shape) != value:
            return
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        return
    with contextlib.suppress(OSError):
        keep.parent.mkdir(exist_ok=True)
        temporary = keep.with_name(f".tmp-{os.urandom(8).hex()}")
        temporary.write_bytes(b"\n".join((key, blake3_bytes(body).encode(), body)))
        temporary.replace(keep)
