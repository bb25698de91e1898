"""``mintage labels MODEL FILE``: add what came true of predictions; it matures from the day it was observed."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, plural
from mintage.cli.context import Context, now
from mintage.cli.target import add_environment, environment_of
from mintage.database.connection import transaction
from mintage.errors import DataError, FileMissingError
from mintage.monitor.labels import add_labels
from mintage.serve.predictionlog import read_predictions

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a released model")
    parser.add_argument("file", type=Path, help="Parquet with request_id and label (0 or 1), and row where it is not 0")
    parser.add_argument("--observed-at", metavar="TIME", help="when it became known, a date or RFC 3339 (default: now)")
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    context = Context.here()
    environment, envdir = environment_of(context, arguments.model, arguments.environment)
    if not arguments.file.is_file():
        raise FileMissingError(f"{arguments.file} is not there", where=str(arguments.file.absolute()))
    try:
        table = pq.read_table(arguments.file)
    except pa.ArrowInvalid as error:
        raise DataError(
            "the labels cannot be read", expected="Parquet", found=str(error), where=str(arguments.file)
        ) from error
    with context.workspace.lock(f"labels-{environment}"):
        added = add_labels(
            envdir,
            arguments.model,
            table,
            observed_at=arguments.observed_at or now(),
            source=context.actor,
            predictions=read_predictions(envdir, arguments.model).select(["request_id", "row"]),
        )
    with transaction(context.connection):
        details = {"rows": added.rows, "corrected": added.corrected, "unknown": added.unknown}
        context.record_access("labels.add", f"{environment}/{arguments.model}", details)
    if arguments.json:
        emit_json(added)
        return 0
    emit(f"{plural(added.rows, 'label')} added" + (f", {added.corrected} corrected" if added.corrected else ""))
    for count, meaning in (
        (added.unknown or 0, "belong to no logged prediction"),
        (added.contradictory, "were overruled by a later row of the same file"),
        (added.repeated, "said nothing new"),
        (added.without_label, "had no label"),
    ):
        if count:
            emit(f"  {count} {meaning}")
    return 0
