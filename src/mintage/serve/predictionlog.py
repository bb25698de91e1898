"""The prediction log: one row for each prediction, in Parquet, for whoever watches, audits or explains a model.

The gateway appends an ``Entry`` for each request to the spool before it answers; ``compact`` turns a closed segment
into Parquet files whose names come from the segment's, so doing it twice (after a crash between the two steps) gives
the same files and no row twice. ``read_predictions`` gives every acknowledged prediction, also those still in the
spool. The log has the model's inputs in it: whoever may read it sees what callers sent. See
docs/spec/prediction-log.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mintage.errors import LogInvalidError
from mintage.record.names import escape_name
from mintage.serve.spool import SEGMENT_SUFFIX, read_segment, segments
from mintage.store.publish import publish_file, temporary_beside

__all__ = [
    "Entry",
    "answer_columns",
    "answer_names",
    "base_schema",
    "compact",
    "decode_entry",
    "encode_entry",
    "input_column",
    "log_folder",
    "read_predictions",
    "row_schema",
    "spool_dir",
    "write_log_file",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PART_LINES = 200

base_schema = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("event_time", pa.timestamp("us")),
        ("model_root", pa.string()),
        ("variant", pa.string()),
        ("source", pa.string()),
        ("score", pa.float64()),
        ("label", pa.int64()),
        ("latency_us", pa.int64()),
    ]
)
_ANSWERS = {
    "score": pa.float64(),
    "label": pa.int64(),
    "values": pa.list_(pa.float64()),
    "labels": pa.list_(pa.int64()),
}


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One answered request. Times are microseconds since 1970 (``event_time`` of the naive time as if it were UTC);
    inputs are lists of one value a row, numbers and texts apart so that their types need no guess. ``scores`` and
    ``labels`` are one value a row too, but lists of all numbers and all labels for a model without a score."""

    version: int
    request_id: str
    model: str
    root: str
    variant: str
    source: str
    ts: int
    event_time: int | None
    latency_us: int
    scores: Sequence[float | Sequence[float | None]]
    labels: Sequence[int | Sequence[int]]
    numbers: dict[str, list[float | None]]
    texts: dict[str, list[str | None]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode_entry(entry: Entry) -> bytes:
    """One line for the spool; NaN becomes null."""
    return _encoder.encode(entry)


def decode_entry(payload: bytes) -> Entry:
    """Parse one line of the spool; raises LogInvalidError."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise LogInvalidError("an entry of the spool is malformed", found=str(error)) from error


def _model_folder(envdir: Path, model: str) -> Path:
    return envdir / "predictions" / escape_name(model)


def spool_dir(envdir: Path) -> Path:
    """Where an environment's spool lies."""
    return envdir / "spool"


def log_folder(envdir: Path, model: str, ts: int) -> Path:
    """The folder for predictions of ``model`` made on the UTC day of ``ts`` (microseconds)."""
    return _model_folder(envdir, model) / _day(ts)


def answer_names(*, is_scored: bool) -> tuple[str, str]:
    """The columns of numbers and of labels, for a model with a score or without."""
    return ("score", "label") if is_scored else ("values", "labels")


def answer_columns(values: np.ndarray, labels: np.ndarray, *, is_scored: bool) -> dict[str, pa.Array]:
    """Numbers [N, W] and labels [N, H] as the log has them; null for a number that is not finite."""
    if is_scored:
        return {"score": pa.array(values[:, 1]), "label": pa.array(labels[:, 0])}
    found = {}
    for name, matrix in (("values", np.where(np.isfinite(values), values, np.nan)), ("labels", labels)):
        ends = pa.array(np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1])
        found[name] = pa.ListArray.from_arrays(ends, pa.array(matrix.ravel(), from_pandas=True))
    return found


def row_schema(inputs: Mapping[str, str], *, is_scored: bool) -> pa.Schema:
    """The columns of one model's files; ``inputs`` maps names to "FP64" or "BYTES"."""
    named = dict(zip(("score", "label"), answer_names(is_scored=is_scored), strict=True))
    fields = [
        pa.field(named[field.name], _ANSWERS[named[field.name]]) if field.name in named else field
        for field in base_schema
    ]
    kinds = {"BYTES": pa.string(), "FP64": pa.float64()}
    return pa.schema([*fields, *(pa.field(f"f.{name}", kinds[datatype]) for name, datatype in inputs.items())])


def input_column(values: np.ndarray) -> pa.Array:
    """One input column as the log holds it: text, or float64 with null for NaN."""
    if values.dtype == object:
        return pa.array(values.tolist(), type=pa.string())
    return pa.array(values, type=pa.float64(), from_pandas=True)


def compact(segment: Path, envdir: Path) -> int:
    """Publish a closed segment as Parquet, then delete it; returns how many damaged lines were left out.

    A segment with damaged lines is kept in ``spool/damaged`` for a person to look at.
    """
    tables, damaged = _load_segment(segment)
    for (model, day, root), parts in tables.items():
        write_log_file(pa.concat_tables(parts), _model_folder(envdir, model) / day / _file_name(segment, root))
    if damaged:
        kept = segment.parent / "damaged" / segment.name
        kept.parent.mkdir(exist_ok=True)
        segment.replace(kept)
    else:
        segment.unlink()
    return damaged


def write_log_file(table: pa.Table, target: Path) -> None:
    """Publish one Parquet file of the log."""
    temporary = temporary_beside(target)
    try:
        pq.write_table(table, temporary, compression="zstd")
        publish_file(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read_predictions(
    envdir: Path,
    model: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    root: str | None = None,
) -> pa.Table:
    """Every acknowledged prediction of ``model``, by time of prediction, request id and row.

    ``since`` (inclusive) and ``until`` (exclusive) bound the time of prediction ``ts`` and must have an offset;
    ``root`` keeps one model's. Columns are those of docs/spec/prediction-log.md; an input that some model did not have
    is null there. Raises LogInvalidError for a file that is not readable, or if an input was a number in one model and
    text in another (then read one ``root`` at a time).
    """
    spooled = _read_spool(envdir, model)  # first: a segment that is compacted meanwhile is found below
    files = sorted(_model_folder(envdir, model).glob("*/*.parquet"))
    published = {(path.parent.name, path.name) for path in files}
    tables = [base_schema.empty_table()]
    tables += [_read(path) for path in files if _day_matters(path.parent.name, since, until)]
    tables += [table for name, parts in spooled.items() if name not in published for table in parts]
    masks = []
    table = _concat(tables)
    if since is not None:
        masks.append(pc.greater_equal(table["ts"], _moment(since)))
    if until is not None:
        masks.append(pc.less(table["ts"], _moment(until)))
    if root is not None:
        masks.append(pc.equal(table["model_root"], root))
    if masks:
        table = table.filter(reduce(pc.and_, masks))
    return table.sort_by([("ts", "ascending"), ("request_id", "ascending"), ("row", "ascending")])


def _read_spool(envdir: Path, model: str) -> dict[tuple[str, str], list[pa.Table]]:
    """Rows of ``model`` that are in the spool, by the day folder and file name that they will get."""
    found: dict[tuple[str, str], list[pa.Table]] = {}
    for path in segments(spool_dir(envdir)):
        try:
            tables, _ = _load_segment(path)
        except FileNotFoundError:
            continue
        found |= {(day, _file_name(path, root)): parts for (name, day, root), parts in tables.items() if name == model}
    return found


def _load_segment(segment: Path) -> tuple[dict[tuple[str, str, str], list[pa.Table]], int]:
    """A segment's rows by model, day and root (what one Parquet file holds), and how many lines are damaged.

    In small parts: the gateway does this in a thread beside the one that answers, which waits for each step.
    """
    tables: dict[tuple[str, str, str], list[pa.Table]] = {}
    damaged = 0
    lines = read_segment(segment)
    while part := list(itertools.islice(lines, _PART_LINES)):
        groups: dict[tuple[str, str, str], list[Entry]] = {}
        for payload in part:
            entry = _decode(payload)
            if entry is None:
                damaged += 1
            else:
                groups.setdefault((entry.model, _day(entry.ts), entry.root), []).append(entry)
        for key, entries in groups.items():
            tables.setdefault(key, []).append(_table(entries))
    return tables, damaged


def _decode(payload: bytes | None) -> Entry | None:
    try:
        return None if payload is None else decode_entry(payload)
    except LogInvalidError:
        return None


def _file_name(segment: Path, root: str) -> str:
    return f"{segment.name.removesuffix(SEGMENT_SUFFIX)}-{root.rpartition(':')[2][:12]}.parquet"


def _day(ts: int) -> str:
    return (_EPOCH + timedelta(microseconds=ts)).strftime("%Y-%m-%d")


def _moment(time: datetime) -> pa.Scalar:
    return pa.scalar(time.astimezone(UTC), type=pa.timestamp("us", tz="UTC"))


def _day_matters(day: str, since: datetime | None, until: datetime | None) -> bool:
    """Whether a day's folder can hold predictions in the interval."""
    after = since is None or day >= since.astimezone(UTC).strftime("%Y-%m-%d")
    before = until is None or day <= until.astimezone(UTC).strftime("%Y-%m-%d")
    return after and before


def _table(entries: list[Entry]) -> pa.Table:
    """One root's entries as rows; one root has one signature, so the first entry names the inputs of all."""
    counts = np.array([len(entry.scores) for entry in entries])

    def each_row(values: list[object], type_: pa.DataType) -> pa.Array:
        return pa.array(values, type=type_).take(pa.array(np.repeat(np.arange(len(entries)), counts)))

    columns: dict[str, pa.Array] = {
        "request_id": each_row([entry.request_id for entry in entries], pa.string()),
        "row": pa.array(np.concatenate([np.arange(count) for count in counts]), type=pa.int32()),
        "ts": each_row([entry.ts for entry in entries], pa.timestamp("us", tz="UTC")),
        "event_time": each_row([entry.event_time for entry in entries], pa.timestamp("us")),
        "model_root": each_row([entry.root for entry in entries], pa.string()),
        "variant": each_row([entry.variant for entry in entries], pa.string()),
        "source": each_row([entry.source for entry in entries], pa.string()),
        **_answers(
            [score for entry in entries for score in entry.scores], [x for entry in entries for x in entry.labels]
        ),
        "latency_us": each_row([entry.latency_us for entry in entries], pa.int64()),
    }
    for name in entries[0].numbers:
        values = [value for entry in entries for value in entry.numbers[name]]
        columns[f"f.{name}"] = pa.array(values, type=pa.float64())
    for name in entries[0].texts:
        columns[f"f.{name}"] = pa.array([text for entry in entries for text in entry.texts[name]], type=pa.string())
    return pa.table(columns)


def _answers(scores: list[object], labels: list[object]) -> dict[str, pa.Array]:
    """The columns of what was answered: ``score`` and ``label``, or ``values`` and ``labels``."""
    names = answer_names(is_scored=not scores or isinstance(scores[0], float))
    return {name: pa.array(column, type=_ANSWERS[name]) for name, column in zip(names, (scores, labels), strict=True)}


def _read(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        raise LogInvalidError(
            "a file of the prediction log is not readable",
            found=str(error)[:200],
            where=str(path),
            hint="move it away to go on without its predictions, or restore it from a copy",
        ) from error


def _concat(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="default")
    except pa.ArrowException as error:
        raise LogInvalidError(
            "an input changed its type from one model to another",
            found=str(error)[:200],
            hint="read one model's predictions at a time: root=",
        ) from error
