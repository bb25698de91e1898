"""Stored columns of a watched program as an Arrow table, and that as Parquet with what is known of its rows.

What a program stored is from outside: arrays are read without pickle, their lengths and names are checked. What the
rows are stands in the file's metadata under ``mintage.captured``, so that it goes where the file goes.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from mintage.errors import CaptureUnreadableError

__all__ = ["About", "about_in", "read_stored", "write_parquet"]

_KEY = b"mintage.captured"


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a captured table holds: ``role``, the file of the estimator that it belongs to, where the rows come from in
    words, the target columns; in the training rows also why there is no hold-out."""

    role: Literal["train", "validation", "holdout"]
    estimator: str
    source: str
    targets: tuple[str, ...]
    why: str = ""


class _Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: Literal["number", "text", "time"]
    zone: str | None = None


def read_stored(folder: Path, name: str) -> Any:
    """The table that was stored as ``name`` in ``folder``; raises CaptureUnreadableError."""
    import pyarrow as pa

    try:
        said = msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=tuple[_Column, ...])
        with np.load(folder / f"{name}.npz", allow_pickle=False, mmap_mode=None) as arrays:
            columns = [_column(column, arrays, place) for place, column in enumerate(said)]
        return pa.table(columns, names=[column.name for column in said])
    except (OSError, ValueError, KeyError, TypeError, msgspec.DecodeError, pa.ArrowException) as error:
        raise CaptureUnreadableError(
            "the rows that a stage left of its fit cannot be read",
            found=str(error).splitlines()[0][:300] if str(error) else type(error).__name__,
            where=name,
            hint="run the stage again; if that does not help, take the lines out of `captured:` and report it",
        ) from error


def write_parquet(table: Any, about: About, target: Path) -> None:
    """Write ``table`` to ``target``; the same rows give the same bytes."""
    from pyarrow import parquet

    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # in the copy of a project it may be a link to the user's own
    parquet.write_table(
        table.replace_schema_metadata({_KEY: msgspec.json.encode(about)}), target, compression="zstd", version="2.6"
    )


def about_in(source: Path) -> About | None:
    """What the Parquet file ``source`` says of its rows; None if Mintage did not capture them."""
    from pyarrow import parquet

    with source.open("rb") as stream:
        if stream.read(4) != b"PAR1":
            return None
    data = (parquet.read_schema(source).metadata or {}).get(_KEY)
    try:
        return None if data is None else msgspec.json.decode(data, type=About)
    except msgspec.DecodeError:
        return None


def _column(column: _Column, arrays: Any, place: int) -> Any:
    import pyarrow as pa

    missing = arrays.get(f"{place}.missing")
    if column.kind == "text":
        texts = _texts(arrays[f"{place}.data"].tobytes(), arrays[f"{place}.ends"].tolist())
        return pa.array(texts, type=pa.string(), mask=None if missing is None else missing.astype(bool))
    kind = pa.timestamp("ns", tz=column.zone) if column.kind == "time" else None
    return pa.array(arrays[f"{place}.values"], type=kind, mask=missing)


def _texts(data: bytes, ends: list[int]) -> np.ndarray[Any, Any]:
    found = np.empty(max(len(ends) - 1, 0), dtype=object)
    found[:] = [data[start:end].decode("utf-8") for start, end in itertools.pairwise(ends)]
    return found
