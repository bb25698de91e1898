"""``mintage holdout``: seal the labels of a hold-out to a second person's key, and open them for what was committed."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.errors import UsageError

__all__ = ["configure", "run"]

_BUDGET = 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("join", "seal", "open", "list"),
        help="join: add this machine's key to trust.yaml as a witness; seal: encrypt the labels of TABLE; "
        "open: judge what was committed; list: the openings so far",
    )
    parser.add_argument("name", help="a model of mintage.yaml; with join, your name in trust.yaml")
    parser.add_argument("table", nargs="?", type=Path, help="with seal: rows with labels, outside of the project")
    parser.add_argument("--to", metavar="NAME", help="with seal: who holds them (default: this machine's key)")
    parser.add_argument(
        "--budget", type=int, default=_BUDGET, help=f"with seal: how often they may be opened (default {_BUDGET})"
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    if (arguments.table is None) == (arguments.what == "seal"):
        raise UsageError("a TABLE goes with seal alone", hint="mintage holdout seal MODEL TABLE")
    if arguments.what == "join":
        from mintage.cli.holdout_join import join

        return join(context, arguments.name, as_json=arguments.json)
    if arguments.what == "seal":
        return _seal(context, arguments)
    if arguments.what == "list":
        from mintage.cli.holdout_list import list_openings

        return list_openings(context, arguments.name, as_json=arguments.json)
    return _open(context, arguments)


def _seal(context: Context, arguments: argparse.Namespace) -> int:
    from mintage.certify.sealed import seal_path
    from mintage.cli.holdout_seal import seal_holdout

    model = arguments.name
    made, holder = seal_holdout(context, model, arguments.table, to=arguments.to, budget=arguments.budget)
    if arguments.json:
        emit_json(
            {"path": seal_path(model), "rows": made.path, "count": made.count, "budget": made.budget, "to": holder}
        )
        return 0
    emit(f"sealed  {made.count} labels ({made.target}) to {holder}, for {made.budget} openings")
    say(f"Each takes its share, 1/{made.budget}, of what the policy lets go wrong: the more, the wider the intervals.")
    say(f"{made.path} has the rows without labels. Keep {arguments.table} where no author of a model reads it, and:")
    say(f"  git add {seal_path(model)} mintage.lock && git commit && mintage push")
    return 0


def _open(context: Context, arguments: argparse.Namespace) -> int:
    from mintage.certify.sealed import openings_path
    from mintage.cli.holdout_open import open_holdout

    model = arguments.name
    outcome, opening, report = open_holdout(context, model)
    if arguments.json:
        emit_json(
            {
                "verdict": outcome.verdict,
                "sentence": outcome.sentence,
                "number": opening.number,
                "budget": opening.budget,
                "passed": opening.passed,
                "certificate": opening.certificate,
                "report": str(report),
            }
        )
        return 0 if opening.passed else 1
    emit(f"opening {opening.number} of {opening.budget}: {'passed' if opening.passed else 'not passed'}")
    say(f"  {outcome.verdict}: {outcome.sentence}")
    shown = report.relative_to(Path.cwd()) if report.is_relative_to(Path.cwd()) else report
    if opening.passed:
        say(f"The certificate is signed, page {shown}. Share it:")
        say(f"  git add {openings_path(model)} mintage.lock && git commit && mintage push")
        return 0
    say(f"For your eyes alone: page {shown}. The author learns that it did not pass, and no figure:")
    say(f"  git add {openings_path(model)} && git commit")
    return 1
