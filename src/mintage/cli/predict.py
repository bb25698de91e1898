"""``mintage predict MODEL INPUT OUTPUT``: score a file through the checks, the split and the log of a release."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from mintage.cli.console import emit, emit_json, plural
from mintage.cli.context import Context
from mintage.cli.target import add_environment, environment_of
from mintage.database.connection import transaction
from mintage.errors import FileMissingError, RefusedError
from mintage.serve.batch import predict_file
from mintage.serve.desired import DESIRED_FILE, parse_desired
from mintage.serve.routes import load_route

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a released model")
    parser.add_argument("input", type=Path, help="rows to score: .parquet or .csv")
    parser.add_argument("output", type=Path, help="the rows with scores beside them: .parquet or .csv")
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    environment, envdir = environment_of(context, arguments.model, arguments.environment)
    if not arguments.input.is_file():
        raise FileMissingError(f"{arguments.input} is not there", where=str(arguments.input.absolute()))
    desired = envdir / DESIRED_FILE
    placements = parse_desired(desired.read_bytes(), where=str(desired)).models if desired.is_file() else {}
    if arguments.model not in placements:
        raise RefusedError(
            f"{arguments.model} is not admitted to {environment} yet",
            expected="a reconciled environment",
            where=str(envdir),
            hint=f"run `mintage reconcile {environment}`",
        )
    route = load_route(arguments.model, placements[arguments.model], now=datetime.datetime.now(datetime.UTC))
    result = predict_file(arguments.input, arguments.output, route=route, envdir=envdir)
    with transaction(context.connection):
        details = {"rows": result.rows, "input": arguments.input.name, "models": [s.root for _, s in route.served()]}
        context.record_access("model.predict", f"{environment}/{arguments.model}", details)
    if arguments.json:
        emit_json({"rows": result.rows, "by_variant": dict(result.by_variant), "output": str(arguments.output)})
        return 0
    split = ", ".join(f"{count} by the {variant}" for variant, count in result.by_variant.items())
    emit(f"{plural(result.rows, 'row')} scored into {arguments.output} ({split})")
    return 0
