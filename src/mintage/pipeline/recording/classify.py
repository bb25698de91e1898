"""Join what was there before, what is there after and what was seen in between. Pure.

Not outputs: what was made and deleted again, and the files that SQLite keeps beside a database, unless a write-ahead
log with content was left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mintage.pipeline.recording.evidence import Evidence
from mintage.pipeline.recording.mirror import Stamp

__all__ = ["Files", "classify", "is_journal", "restamped"]

_JOURNALS = ("-journal", "-shm", "-wal")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Paths by what became of them; see ``Recording``."""

    reads: frozenset[str]
    writes: frozenset[str]
    changed_inputs: frozenset[str]
    deleted: frozenset[str]


def restamped(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> set[str]:
    """Files that are new or have another stamp, SQLite's own excepted.

    >>> sorted(restamped({"a": (1, 5, 0), "c": (2, 5, 0)}, {"a": (1, 5, 9), "b.db": (3, 1, 1), "b.db-shm": (4, 1, 1)}))
    ['a', 'b.db']
    """
    return {path for path, stamp in after.items() if before.get(path) != stamp and not is_journal(path, after)}


def is_journal(path: str, files: Mapping[str, Stamp]) -> bool:
    """Whether ``path`` is one that SQLite keeps beside a database of ``files`` and that holds nothing of it."""
    for suffix in _JOURNALS:
        if path.endswith(suffix) and path.removesuffix(suffix) in files:
            return suffix != "-wal" or files[path][1] == 0
    return False


def classify(
    before: Mapping[str, Stamp], after: Mapping[str, Stamp], evidence: Evidence, *, altered: Collection[str]
) -> Files:
    """``altered`` are the restamped files of ``before`` whose content is another.

    >>> seen = Evidence(read_first={"a.csv", "b.csv"}, written={"b.csv", "old.bin"})
    >>> stamp, later = (1, 1, 1), (1, 1, 2)
    >>> before = {"a.csv": stamp, "b.csv": stamp, "old.bin": stamp}
    >>> files = classify(before, {**before, "b.csv": later, "old.bin": later}, seen, altered={"b.csv", "old.bin"})
    >>> sorted(files.reads), sorted(files.writes), sorted(files.changed_inputs)
    (['a.csv', 'b.csv'], ['old.bin'], ['b.csv'])
    """
    gone = {path for path in before if path not in after and not is_journal(path, before)}
    reads = {path for path in evidence.inputs if path in before and not is_journal(path, before)}
    return Files(
        reads=frozenset(reads),
        writes=frozenset(restamped(before, after) - reads),
        changed_inputs=frozenset(reads & (set(altered) | gone)),
        deleted=frozenset(gone - reads),
    )
