"""Score a file of rows: the same models, checks, split and prediction log as a request, for as many rows as it has.

``predict_file`` reads a file of rows in chunks (``serve.rowfile``) and writes the input's columns with ``request_id``,
``model_root``, ``variant`` and the model's outputs beside them: ``score`` and ``label``, or others by name
(``serve.outputs``). It is all or nothing: one row outside the model's domain refuses the file, and neither output nor
log has any of it. A row's request id is the model's id column, else a new UUID; scoring the same file again is a new
batch and is logged again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mintage.errors import BatchFileError, DataError, UsageError
from mintage.model.runtime import stack
from mintage.model.tables import encode_columns
from mintage.serve.predictionlog import answer_columns, input_column, log_folder, row_schema
from mintage.serve.routes import Route
from mintage.serve.rowfile import kind_of, open_rows
from mintage.serve.rowwriter import kind_to_write, published, row_writer
from mintage.serve.score import ARROW_KINDS, check_columns, locate
from mintage.serve.split import Variant
from mintage.store.publish import publish_file, temporary_beside

__all__ = ["BatchResult", "predict_file"]

ADDED = (
    ("request_id", pa.string()),
    ("model_root", pa.string()),
    ("variant", pa.string()),
)


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What a batch did: rows scored, by variant too, and the log's file that has them (None without rows)."""

    rows: int
    by_variant: Mapping[Variant, int]
    log_file: Path | None


def predict_file(input_path: Path, output_path: Path, *, route: Route, envdir: Path) -> BatchResult:
    """Score ``input_path`` into ``output_path`` (each .parquet, .csv, .tsv or .jsonl) and log it under ``envdir``.

    Raises BatchFileError for a file that cannot be read or lacks a column, and the model's own DataErrors, with the
    rows they are about, for values outside its domain.
    """
    if output_path.resolve() == input_path.resolve():
        raise UsageError("the output is the input", where=str(input_path), hint="write to another file")
    kind, signature, where = kind_to_write(output_path), route.champion.signature, str(input_path)
    schema, chunks = open_rows(
        input_path, signature, kind=kind_of(input_path.name), where=where, is_verbatim=kind in ("csv", "tsv")
    )
    added = _added(route)
    check_columns(schema.names, signature, added=[name for name, _ in added], needs_id=True, where=where)
    now = time.time_ns() // 1000
    log_file = log_folder(envdir, route.model, now) / f"batch-{uuid.uuid4()}.parquet"
    log_schema = row_schema(route.champion.inputs, is_scored=route.champion.outputs.is_scored)
    out_schema = pa.schema([*schema, *added])
    temporary_log = temporary_beside(log_file)
    by_variant: dict[Variant, int] = {variant: 0 for variant, _ in route.served()}
    done = 0
    try:
        with published(output_path) as temporary:
            with ExitStack() as opened:
                write = opened.enter_context(row_writer(temporary, kind, out_schema))
                log = opened.enter_context(pq.ParquetWriter(temporary_log, log_schema, compression="zstd"))
                for chunk in chunks:
                    if chunk.num_rows == 0:
                        continue
                    logged, answers = _score(chunk, route, now, log_schema, where=where, first_row=done + 1)
                    written = [*chunk.columns, *(logged[name] for name, _ in ADDED), *answers]
                    write(pa.table(written, schema=out_schema))
                    log.write_table(logged)
                    done += chunk.num_rows
                    for count in pc.value_counts(logged["variant"]).to_pylist():
                        by_variant[count["values"]] += count["counts"]
            if done:
                publish_file(temporary_log, log_file)
    finally:
        temporary_log.unlink(missing_ok=True)
    return BatchResult(rows=done, by_variant=by_variant, log_file=log_file if done else None)


def _score(
    chunk: pa.Table, route: Route, now: int, log_schema: pa.Schema, *, where: str, first_row: int
) -> tuple[pa.Table, list[pa.Array]]:
    """One chunk's rows of the prediction log, and the columns of the model's outputs."""
    started = time.perf_counter()
    rows = chunk.num_rows
    rows_are = f"{where}, rows {first_row} to {first_row + rows - 1}"
    ids = _request_ids(chunk, route.champion.signature.id, where=rows_are)
    chosen = [route.choose(request_id)[0] for request_id in ids]
    outputs = route.champion.outputs
    values, labels = np.empty((rows, outputs.width)), np.empty((rows, outputs.labels), dtype=np.int64)
    roots = np.empty(rows, dtype=object)
    try:
        columns = encode_columns(chunk, route.champion.signature)
        for variant, served in route.served():
            index = np.flatnonzero(np.array([name == variant for name in chosen]))
            if len(index) == 0:
                continue
            part = columns if len(index) == rows else {name: column[index] for name, column in columns.items()}
            answer = stack(served.predict(part).outputs)
            values[index], labels[index], roots[index] = answer.values, answer.labels, served.root
    except DataError as error:
        locate(error, where=where, first_row=first_row)
        raise
    latency_us = round((time.perf_counter() - started) * 1e6 / rows)
    logged = {
        "request_id": pa.array(ids, type=pa.string()),
        "row": pa.array(np.zeros(rows), type=pa.int32()),
        "ts": pa.array(np.full(rows, now), type=pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "event_time": _event_times(chunk, route.champion.signature.time, where=rows_are),
        "model_root": pa.array(roots.tolist(), type=pa.string()),
        "variant": pa.array(chosen, type=pa.string()),
        "source": pa.array(["batch"] * rows, type=pa.string()),
        **answer_columns(values, labels, is_scored=outputs.is_scored),
        "latency_us": pa.array(np.full(rows, latency_us)),
    }
    logged |= {f"f.{name}": input_column(column) for name, column in columns.items()}
    table = pa.table([logged[name] for name in log_schema.names], schema=log_schema)
    given = outputs.columns(values, labels)
    return table, [pa.array(given[name], type=ARROW_KINDS[kind], from_pandas=True) for name, kind in outputs.fields]


def _added(route: Route) -> list[tuple[str, pa.DataType]]:
    """The columns that the output has beside the input's."""
    return [*ADDED, *((name, ARROW_KINDS[kind]) for name, kind in route.champion.outputs.fields)]


def _request_ids(chunk: pa.Table, id_column: str | None, *, where: str) -> list[str]:
    if id_column is None:
        return [str(uuid.uuid4()) for _ in range(chunk.num_rows)]
    ids: list[str | None] = chunk[id_column].cast(pa.string()).to_pylist()
    known = [request_id for request_id in ids if request_id]
    if len(known) != len(ids):
        raise BatchFileError("a row has no id", expected=f"a value in column {id_column!r} of each row", where=where)
    return known


def _event_times(chunk: pa.Table, time_column: str | None, *, where: str) -> pa.Array:
    """The naive event times; a time with an offset becomes UTC. Null throughout without such a column."""
    kind = pa.timestamp("us")
    if time_column is None or time_column not in chunk.column_names:
        return pa.nulls(chunk.num_rows, type=kind)
    column = chunk[time_column]
    try:
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            column = column.cast(pa.timestamp("us", tz="UTC"), safe=False)
        return column.cast(kind, safe=not pa.types.is_timestamp(column.type)).combine_chunks()
    except pa.ArrowException as error:
        raise BatchFileError(
            f"column {time_column!r} has a value that is no time", expected="times", found=str(error)[:200], where=where
        ) from error
