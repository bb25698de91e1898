"""Which files Git should not take in: data and what is large, secrets, environments and caches. Pure.

Code is never ignored, whatever its size, and what Git tracks already is left alone: ``tracked`` only mentions it.

>>> found = ignorable({"data.csv": 9, "train.py": 9, ".env": 9, "old.parquet": 9}, tracked={"old.parquet"})
>>> found.data, found.secrets, found.tracked
(('data.csv',), ('.env',), ('old.parquet',))
>>> ignorable({f"img/{n}.png": 9 for n in range(60)}, tracked=()).data
('img/',)
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mintage.pipeline.secret import looks_secret

__all__ = ["LARGE", "Ignorable", "ignorable"]

LARGE = 5_000_000
"""A file from this size on is not for Git, code excepted."""

_CROWD = 50
_DATA = frozenset(
    (
        *(".csv", ".tsv", ".parquet", ".feather", ".arrow", ".avro", ".orc", ".jsonl", ".ndjson", ".xlsx", ".xls"),
        *(".npy", ".npz", ".h5", ".hdf5", ".mat", ".nc", ".zarr", ".sqlite", ".sqlite3", ".db", ".duckdb", ".dta"),
        *(".pkl", ".pickle", ".joblib", ".skops", ".onnx", ".pt", ".pth", ".pt2", ".ckpt", ".safetensors", ".ubj"),
        *(".cbm", ".model", ".bin", ".keras", ".tfrecord", ".sas7bdat", ".sav", ".rds", ".zip", ".gz", ".zst", ".tar"),
    )
)
_CODE = frozenset(
    (
        *(".py", ".ipynb", ".sql", ".sh", ".r", ".jl", ".md", ".rst", ".toml", ".yaml", ".yml", ".cfg", ".ini"),
        *(".lock", ".html", ".css", ".js", ".ts", ".c", ".cpp", ".h", ".hpp", ".rs", ".go", ".java", ".scala"),
    )
)
_PLAIN_TEXT = frozenset((*_CODE, ".json", ".txt", ""))


@dataclass(frozen=True, kw_only=True)
class Ignorable:
    """Paths for .gitignore by reason, a folder with ``/`` at its end; ``tracked`` are data that Git holds already,
    ``own`` what programs make for themselves."""

    data: tuple[str, ...]
    secrets: tuple[str, ...]
    tracked: tuple[str, ...]
    own: tuple[str, ...] = ()


def ignorable(files: Mapping[str, int], *, tracked: Collection[str]) -> Ignorable:
    """``files`` are sizes by path; those that a .gitignore names already are left out by the caller."""
    secrets = [path for path in files if looks_secret(path) and path not in tracked]
    data = [path for path, size in files.items() if _is_data(path, size) and path not in secrets]
    crowds = _crowds([path for path in files if path not in secrets], tracked)
    alone = [path for path in data if path not in tracked and not any(path.startswith(crowd) for crowd in crowds)]
    return Ignorable(
        data=tuple(sorted({*alone, *crowds})),
        secrets=tuple(sorted(secrets)),
        tracked=tuple(sorted(path for path in data if path in tracked)),
    )


def _is_data(path: str, size: int) -> bool:
    suffix = posixpath.splitext(path)[1].lower()
    return suffix not in _CODE and (suffix in _DATA or size >= LARGE)


def _crowds(files: Collection[str], tracked: Collection[str]) -> list[str]:
    """Folders of many files of one kind that is no text, or of data, and of nothing that is tracked or code."""
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    kept: set[str] = set()
    for path in files:
        suffix = posixpath.splitext(path)[1].lower()
        folder = posixpath.dirname(path)
        if suffix in _CODE or path in tracked:
            kept |= _parents(path)
        elif folder:
            kinds[folder][suffix] += 1
    crowds = {
        folder
        for folder, counts in kinds.items()
        if folder not in kept and any(count >= _CROWD for suffix, count in counts.items() if suffix not in _PLAIN_TEXT)
    }
    return sorted(f"{_widest(folder, crowds, kept, files)}/" for folder in crowds)


def _widest(folder: str, crowds: Collection[str], kept: Collection[str], files: Collection[str]) -> str:
    """The folder above several crowds (``images/cats``, ``images/dogs``), if it holds nothing else."""
    above = posixpath.dirname(folder)
    beside = [other for other in crowds if posixpath.dirname(other) == above]
    others = {posixpath.dirname(path) for path in files if path.startswith(f"{above}/")}
    return above if above and above not in kept and len(beside) > 1 and others <= set(beside) else folder


def _parents(path: str) -> set[str]:
    parts = path.split("/")[:-1]
    return {"/".join(parts[: count + 1]) for count in range(len(parts))}
