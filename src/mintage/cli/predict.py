"""``mintage predict [MODEL] ROWS [OUT]`` scores a file or a stream, ``mintage predict [MODEL] NAME=VALUE …`` one row.

A model that an environment releases answers a file through that release: its checks, its split and its prediction log.
Any other answers as the lock has it, verified, and nothing is logged but the access.
"""

from __future__ import annotations

import argparse
import datetime
from dataclasses import replace
from pathlib import Path

from mintage.cli.console import emit, emit_json, plural
from mintage.cli.context import Context
from mintage.cli.predict_built import predict_built
from mintage.cli.predict_words import Asked, read_words
from mintage.cli.standing import environments_of
from mintage.cli.target import add_environment, environment_of
from mintage.database.connection import transaction
from mintage.errors import FileMissingError, ProjectNotFoundError, RefusedError, UsageError
from mintage.serve.batch import predict_file
from mintage.serve.desired import DESIRED_FILE, parse_desired
from mintage.serve.routes import load_route

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="+",
        metavar="[MODEL] ROWS [OUT]",
        help="a model of mintage.yaml or a model's folder, if there are several; the rows to score, as .csv, .tsv, "
        ".parquet or .jsonl, or - for CSV from stdin; where to write them with the answers, CSV on stdout without. "
        "Or NAME=VALUE for each input of one row; an empty VALUE is missing",
    )
    parser.add_argument("--built", action="store_true", help="the model as the lock has it, past its releases")
    parser.add_argument("--trust", metavar="PUBKEY.pem", type=Path, help="the public key that must have signed it")
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    context = _context()
    models = list(context.workspace.project().models) if context is not None else []
    asked = read_words(arguments.words, models)
    if asked.model is None and len(models) == 1:
        asked = replace(asked, model=models[0])
    if context is not None and _is_released(context, asked, arguments):
        return _predict_released(context, asked, arguments)
    return predict_built(asked, trust=arguments.trust, as_json=arguments.json)


def _context() -> Context | None:
    try:
        return Context.here()
    except ProjectNotFoundError:
        return None


def _is_released(context: Context, asked: Asked, arguments: argparse.Namespace) -> bool:
    """Whether a release answers: of one row never, because it would count as traffic."""
    if arguments.built and arguments.environment is not None:
        raise UsageError("--built is past the releases, --in names one", hint="leave one of them out")
    if arguments.environment is not None:
        return True
    if arguments.built or asked.row is not None or asked.model not in context.workspace.project().models:
        return False
    return bool(environments_of(context, asked.model))


def _predict_released(context: Context, asked: Asked, arguments: argparse.Namespace) -> int:
    if asked.row is not None or asked.source is None or asked.output is None or asked.model is None:
        raise UsageError(
            "a release scores files",
            expected="MODEL, a file of rows and a file to write",
            found=" ".join(arguments.words)[:200],
            hint="with --built the model answers one row, or a stream",
        )
    environment, envdir = environment_of(context, asked.model, arguments.environment)
    if not asked.source.is_file():
        raise FileMissingError(f"{asked.source} is not there", where=str(asked.source.absolute()))
    desired = envdir / DESIRED_FILE
    placements = parse_desired(desired.read_bytes(), where=str(desired)).models if desired.is_file() else {}
    if asked.model not in placements:
        raise RefusedError(
            f"{asked.model} is not admitted to {environment} yet",
            expected="a reconciled environment",
            where=str(envdir),
            hint=f"run `mintage reconcile {environment}`, or with --built take the model as the lock has it",
        )
    route = load_route(asked.model, placements[asked.model], now=datetime.datetime.now(datetime.UTC))
    result = predict_file(asked.source, asked.output, route=route, envdir=envdir)
    with transaction(context.connection):
        details = {"rows": result.rows, "input": asked.source.name, "models": [s.root for _, s in route.served()]}
        context.record_access("model.predict", f"{environment}/{asked.model}", details)
    if arguments.json:
        emit_json({"rows": result.rows, "by_variant": dict(result.by_variant), "output": str(asked.output)})
        return 0
    split = ", ".join(f"{count} by the {variant}" for variant, count in result.by_variant.items())
    emit(f"{plural(result.rows, 'row')} scored into {asked.output} ({split})")
    return 0
