"""True labels, as they become known: an append-only table beside the prediction log.

Each call of ``add_labels`` publishes one Parquet file under ``ENVDIR/labels/<model>/`` that says which request's row
had which label, when that became known, and who said so. Nothing is changed or deleted: a correction is a later file,
and ``latest_labels`` lets the last revision win, as of any date. Labels of requests that the prediction log does not
know are kept and reported; so are contradictions. Adding the same table again does nothing. See docs/spec/labels.md.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mintage.errors import LabelsInvalidError
from mintage.record.names import check_name, escape_name
from mintage.store.publish import fsync_dir, temporary_beside

__all__ = ["LabelsAdded", "add_labels", "label_schema", "latest_labels", "parse_time", "read_labels"]

label_schema = pa.schema(
    [
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("observed_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
    ]
)
_FILE = re.compile(r"\d{8}\.parquet")


class LabelsAdded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a table of labels.

    ``rows`` were stored, of them ``corrected`` replace another label and ``unknown`` belong to no logged prediction
    (None: the log was not given); ``repeated`` rows said nothing new; ``contradictory`` ones were overruled by a later
    row of the same table; ``without_label`` had a null. ``examples`` names some request ids of each kind.
    """

    model: str
    rows: int
    corrected: int
    repeated: int
    contradictory: int
    without_label: int
    unknown: int | None
    revision: int | None
    file: str | None
    examples: dict[str, tuple[str, ...]]


def parse_time(text: str) -> datetime:
    """An RFC 3339 time, or a date (its first moment), as an aware UTC datetime; raises LabelsInvalidError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LabelsInvalidError("not a time", expected="like 2026-11-01T12:00:00Z", found=repr(text[:40])) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def add_labels(
    envdir: Path,
    model: str,
    table: pa.Table,
    *,
    observed_at: str,
    source: str,
    predictions: pa.Table | None = None,
) -> LabelsAdded:
    """Store labels that became known at ``observed_at`` from ``source`` (who or what says so).

    ``table`` needs the columns request_id and label (0, 1, true, false; null rows are left out) and may have row (0
    where absent). ``predictions``, with request_id and row, tells which ids are unknown. Raises LabelsInvalidError.
    """
    check_name(model, what="model")
    if not source:
        raise LabelsInvalidError("labels need a source", expected="who or what says so, for the record")
    moment = parse_time(observed_at)
    keys, labels, without_label = _parsed(table)
    last = {key: index for index, key in enumerate(keys)}
    chosen = np.fromiter(sorted(last.values()), dtype=np.int64, count=len(last))
    contradictory = sorted({key[0] for index, key in enumerate(keys) if labels[index] != labels[last[key]]})
    folder = _folder(envdir, model)
    before = _as_dict(latest_labels(read_labels(envdir, model)))
    fresh = [i for i in chosen if before.get(keys[i]) != int(labels[i])]
    corrected = [keys[i][0] for i in fresh if keys[i] in before]
    unknown = None if predictions is None else _unknown([keys[i] for i in fresh], predictions)
    name = revision = None
    if fresh:
        name, revision = _publish(folder, [keys[i] for i in fresh], labels[fresh], moment, source)
    return LabelsAdded(
        model=model,
        rows=len(fresh),
        corrected=len(corrected),
        repeated=len(keys) - len(fresh) - sum(labels[index] != labels[last[key]] for index, key in enumerate(keys)),
        contradictory=sum(int(labels[index] != labels[last[key]]) for index, key in enumerate(keys)),
        without_label=without_label,
        unknown=None if unknown is None else len(unknown),
        revision=revision,
        file=name,
        examples={
            kind: tuple(ids[:5])
            for kind, ids in (("corrected", corrected), ("contradictory", contradictory), ("unknown", unknown or []))
            if ids
        },
    )


def read_labels(envdir: Path, model: str) -> pa.Table:
    """All labels ever added for ``model``, in the order in which they were added."""
    files = _files(_folder(envdir, model))
    tables = []
    for path in files:
        try:
            tables.append(pq.read_table(path, schema=label_schema))
        except (pa.ArrowException, OSError) as error:
            raise LabelsInvalidError(
                "a file of labels cannot be read", found=str(error), where=str(path), hint="restore it from a copy"
            ) from error
    return pa.concat_tables(tables) if tables else label_schema.empty_table()


def latest_labels(table: pa.Table, *, as_of: datetime | None = None) -> pa.Table:
    """One row a request's row: the last revision known at ``as_of`` (None: ever), in the order of first mention."""
    if as_of is not None:
        table = table.filter(pc.less_equal(table["observed_at"], pa.scalar(as_of, pa.timestamp("us", tz="UTC"))))
    if not table.num_rows:
        return table
    order = pc.sort_indices(table, sort_keys=[("observed_at", "ascending"), ("revision", "ascending")])
    table = table.take(order).append_column("place", pa.array(np.arange(table.num_rows)))
    last = table.group_by(["request_id", "row"], use_threads=False).aggregate([("place", "max")])
    return table.take(last["place_max"]).drop_columns(["place"])


def _parsed(table: pa.Table) -> tuple[list[tuple[str, int]], np.ndarray[Any, np.dtype[np.int8]], int]:
    missing = {"request_id", "label"} - set(table.column_names)
    if missing:
        raise LabelsInvalidError(
            f"labels lack {', '.join(sorted(missing))}",
            expected="columns request_id, label and, for requests of many rows, row",
            found=", ".join(table.column_names) or "no columns",
        )
    try:
        ids = table["request_id"].cast(pa.string())
        labels = table["label"].cast(pa.float64() if pa.types.is_floating(table["label"].type) else pa.int64())
        rows = table["row"].cast(pa.int32()) if "row" in table.column_names else None
    except pa.ArrowInvalid as error:
        raise LabelsInvalidError("a label is of the wrong type", expected="0 or 1", found=str(error)) from error
    if ids.null_count or (rows is not None and rows.null_count):
        raise LabelsInvalidError("a label has no request id or row", expected="no nulls in request_id and row")
    known = pc.is_valid(labels)
    values = labels.filter(known).to_numpy()
    if values.size and not np.isin(values, (0, 1)).all():
        found = values[~np.isin(values, (0, 1))][0]
        raise LabelsInvalidError("a label is not binary", expected="0 or 1", found=str(found))
    numbers = rows.filter(known).to_pylist() if rows is not None else [0] * len(values)
    keys = list(zip(ids.filter(known).to_pylist(), numbers, strict=True))
    return keys, values.astype(np.int8), table.num_rows - len(keys)


def _as_dict(table: pa.Table) -> dict[tuple[str, int], int]:
    ids, rows, labels = (table[name].to_pylist() for name in ("request_id", "row", "label"))
    return dict(zip(zip(ids, rows, strict=True), labels, strict=True))


def _unknown(keys: list[tuple[str, int]], predictions: pa.Table) -> list[str]:
    logged = set(zip(predictions["request_id"].to_pylist(), predictions["row"].to_pylist(), strict=True))
    return [key[0] for key in keys if key not in logged]


def _folder(envdir: Path, model: str) -> Path:
    return envdir / "labels" / escape_name(model)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if _FILE.fullmatch(path.name)) if folder.is_dir() else []


def _publish(folder: Path, keys: list[tuple[str, int]], labels: Any, moment: datetime, source: str) -> tuple[str, int]:
    """Write one new file under the next free revision; two writers at once get two revisions, none is lost."""
    while True:
        files = _files(folder)
        revision = int(files[-1].stem) + 1 if files else 1
        path = folder / f"{revision:08d}.parquet"
        columns = {
            "request_id": [key[0] for key in keys],
            "row": [key[1] for key in keys],
            "label": labels,
            "observed_at": [moment] * len(keys),
            "source": [source] * len(keys),
            "revision": [revision] * len(keys),
        }
        temporary = temporary_beside(path)
        try:
            pq.write_table(pa.table(columns, schema=label_schema), temporary, compression="zstd")
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            os.link(temporary, path)  # unlike a rename it fails if another writer took the revision
            fsync_dir(folder)
        except FileExistsError:
            continue
        finally:
            temporary.unlink(missing_ok=True)
        return path.name, revision
