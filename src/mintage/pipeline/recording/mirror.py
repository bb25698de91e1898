"""A private copy of the dirty tree that costs nothing for large files, and cannot damage the user's.

Small files are copied. A large one, and one of a crowd, is a reflink where the file system can (Btrfs, XFS); else, if
writing to the project can be closed off (``protect``), a symbolic link to the user's own; else a copy. Left out: Git,
virtual environments, caches, Mintage's own files, what MLflow keeps of earlier runs. Hard links are never made:
writing in place would reach the user's file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mintage.errors import RecordingTooLargeError
from mintage.pipeline.mlflow_log.own import is_database, is_folder
from mintage.store.clone import cloned

__all__ = ["LEFT_OUT", "SMALL", "Mirror", "Stamp", "filled", "is_sqlite", "mirror", "stamps_of"]

LEFT_OUT = frozenset(
    (
        *(".git", ".hg", ".svn", ".mintage", "mintage.lock", "mintage.yaml", "__pycache__", ".ipynb_checkpoints"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".venv", "node_modules", ".DS_Store"),
    )
)
SMALL = 4 << 20
CROWD = 100
"""A folder with more entries than this holds a crowd."""

MAX_FILES = 200_000
_SQLITE = b"SQLite format 3\0"

Stamp = tuple[int, int, int]
"""Inode, size and time of change of a file: equal stamps mean that nothing was written."""


@dataclass(kw_only=True)
class Mirror:
    """What the private folder held before the command: files by their stamp, folders, links to the user's files;
    ``sources`` are the stamps of the user's."""

    root: Path
    work: Path
    files: dict[str, Stamp] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    links: dict[str, Path] = field(default_factory=dict)
    sources: dict[str, Stamp] = field(default_factory=dict)

    def is_steady(self, path: str) -> bool:
        """Whether the user's file is as it was when it was taken over, if it was."""
        if path not in self.sources:
            return True
        try:
            return _stamp((self.root / path).stat()) == self.sources[path]
        except FileNotFoundError:
            return False

    @property
    def protected(self) -> list[Path]:
        """Folders that the command must not write to: the project, and what its links lead to elsewhere."""
        elsewhere = {path.parent for path in self.links.values() if not path.is_relative_to(self.root)}
        return [self.root, *sorted(elsewhere)]


def mirror(root: Path, work: Path, *, without: Collection[str] = (), can_link: bool) -> Mirror:
    """Fill the empty folder ``work`` from ``root``; raises RecordingTooLargeError if that would be unreasonable."""
    root = root.resolve()
    made = Mirror(root=root, work=work)
    clones = _can_clone(root, work)
    for path, entry, crowd in _walk(root, "", set()):
        if entry.is_dir():
            made.folders.append(path)
            (work / path).mkdir()
        elif path not in without and entry.is_file() and not is_database(Path(entry.path)):
            if len(made.files) >= MAX_FILES:
                raise _too_many(root)
            source, target = Path(entry.path), work / path
            status = source.stat()
            made.sources[path] = _stamp(status)
            costly = crowd or status.st_size > SMALL
            if costly and clones and cloned(source, target):
                _keep_times(target, status)
            elif _bring(source, target, status, can_link=can_link and costly):
                made.links[path] = target.readlink()
            made.files[path] = _stamp(target.lstat())
    return made


def filled(root: Path, work: Path, *, links: Mapping[str, Path]) -> Mirror:
    """What ``work`` holds already, which was filled by other means; ``links`` there lead to the user's files."""
    made = Mirror(root=root.resolve(), work=work, files=stamps_of(work), links=dict(links))
    made.sources |= {path: _stamp((root / path).stat()) for path in links}
    made.folders += [path for path, entry, _ in _walk(work, "", None) if entry.is_dir(follow_symlinks=False)]
    return made


def stamps_of(work: Path) -> dict[str, Stamp]:
    """Every file under ``work`` by its stamp, what is left out excepted; links count as files."""
    found = {}
    for path, entry, _ in _walk(work, "", None):
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            found[path] = _stamp(entry.stat(follow_symlinks=False))
    return found


def _walk(folder: Path, prefix: str, seen: set[str] | None) -> Iterator[tuple[str, os.DirEntry[str], bool]]:
    """Entries below ``folder`` and whether each is in a crowd, sorted, folders before what is in them; links to folders
    are followed if ``seen``."""
    if seen is not None:
        real = os.path.realpath(folder)
        if real in seen:
            return
        seen.add(real)
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in LEFT_OUT or entry.name.endswith(".pyc"):
            continue
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=seen is not None):
            inside = Path(entry.path)
            if not (inside / "pyvenv.cfg").is_file() and not (seen is not None and is_folder(inside)):
                yield path, entry, False
                yield from _walk(inside, f"{path}/", seen)
        else:
            yield path, entry, len(entries) > CROWD


def _bring(source: Path, target: Path, status: os.stat_result, *, can_link: bool) -> bool:
    """Put a file at ``target``; returns whether it is a link to the user's."""
    if can_link and not is_sqlite(source):  # SQLite writes beside a database even to read it
        target.symlink_to(os.path.realpath(source))
        return True
    if status.st_size > SMALL and shutil.disk_usage(target.parent).free < 2 * status.st_size:
        raise RecordingTooLargeError(
            f"{source.name} cannot be copied for recording: the disk is too full",
            expected=f"{2 * status.st_size} bytes free",
            where=str(source),
            hint="declare `in` and `out` of the stage in mintage.yaml, then nothing is recorded",
        )
    shutil.copyfile(source, target)
    _keep_times(target, status)
    return False


def _keep_times(target: Path, status: os.stat_result) -> None:
    target.chmod(status.st_mode & 0o777 | 0o600)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _can_clone(root: Path, work: Path) -> bool:
    """Whether the file system shares bytes between the two folders; tried with one file."""
    probe = next((entry for entry in root.iterdir() if entry.is_file()), None)
    target = work.with_name("probe")
    try:
        return probe is not None and cloned(probe, target)
    finally:
        target.unlink(missing_ok=True)


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE)) == _SQLITE


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _too_many(root: Path) -> RecordingTooLargeError:
    return RecordingTooLargeError(
        "the project has too many files to record a stage",
        expected=f"at most {MAX_FILES}",
        where=str(root),
        hint="declare `in` and `out` of the stage in mintage.yaml, then nothing is recorded",
    )
