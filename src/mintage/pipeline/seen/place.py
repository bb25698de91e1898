"""Put the code around a stage into its scratch folder, so that what it imports or opens by name is there.

Making hundreds of files for each stage would cost more than a small stage itself. So there is one copy of each file as
it stands, in ``pool``, and the scratch folders have hard links to that; never to the user's own file. Its time of
change is a fixed one: a copy that a stage wrote to has another, and is made anew.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

__all__ = ["place_sources"]

_WHEN_NS = 946_684_800 * 10**9  # in 2000, as archives hold no time before 1980
_RACY_NS = 2 * 10**9
_SPARE = 500


def place_sources(paths: Collection[str], *, root: Path, work: Path, pool: Path, now_ns: int) -> list[str]:
    """Give ``work`` those of the files at ``paths`` that it lacks; returns which. One that was changed in the last two
    seconds may change again unnoticed: it is copied.
    """
    placed: list[str] = []
    made: set[str] = set()
    pool.mkdir(parents=True, exist_ok=True)
    for path in paths:  # there may be thousands: texts are faster than paths here
        source, target = f"{root}/{path}", f"{work}/{path}"
        if os.path.lexists(target):
            continue
        try:
            status = os.lstat(source)
        except OSError:
            continue  # it has gone since it was listed
        folder = target.rpartition("/")[0]
        if folder not in made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        old = max(status.st_mtime_ns, status.st_ctime_ns) < now_ns - _RACY_NS
        _place(source, status, target, pool if old else None)
        placed.append(path)
    _tidy(pool, most=len(paths) + _SPARE)
    return placed


def _place(source: str, status: os.stat_result, target: str, pool: Path | None) -> None:
    mode = stat.S_IMODE(status.st_mode) & 0o755
    if pool is not None:
        try:
            os.link(_kept(source, status, mode, pool), target)
            return
        except OSError:
            pass  # another file system, or one without links, or too many of them
    shutil.copyfile(source, target)
    Path(target).chmod(mode)


def _kept(source: str, status: os.stat_result, mode: int, pool: Path) -> str:
    """The copy of a file as its stat says that it is."""
    marks = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, mode)
    kept = f"{pool}/{'-'.join(f'{mark:x}' for mark in marks)}"
    try:
        there = os.lstat(kept)
        if there.st_mtime_ns == _WHEN_NS and there.st_size == status.st_size:
            return kept
    except FileNotFoundError:
        pass
    new = f"{pool}/.new-{secrets.token_hex(8)}"
    shutil.copyfile(source, new)
    Path(new).chmod(mode)
    os.utime(new, ns=(_WHEN_NS, _WHEN_NS))
    Path(new).rename(kept)
    return kept


def _tidy(pool: Path, *, most: int) -> None:
    """Let the copies go of which there are too many: links to them stay good."""
    names = os.listdir(pool)  # noqa: PTH208 as text: faster
    if len(names) > 2 * most:
        for name in names:
            (pool / name).unlink(missing_ok=True)
