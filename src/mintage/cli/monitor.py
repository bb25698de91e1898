"""``mintage monitor MODEL``: compare traffic with the profile, realised loss with the reference, and decide."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context, now
from mintage.cli.decisions import decisions_of, remember_decision
from mintage.cli.run_lock import run_lock
from mintage.cli.target import add_environment, environment_of
from mintage.cli.watching import look
from mintage.database.connection import transaction
from mintage.monitor.result import MonitorResult
from mintage.store.local import Store

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a released model")
    parser.add_argument(
        "--as-of", metavar="TIME", help="use only what was known then, a date or RFC 3339 (default: now)"
    )
    parser.add_argument("--no-candidate", action="store_true", help="do not train a candidate to find the gain")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if the decision is to retrain")
    add_environment(parser)


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    environment, envdir = environment_of(context, arguments.model, arguments.environment)
    as_of = arguments.as_of or now()
    earlier = [body["as_of"] for _, body in decisions_of(context.workspace, environment, arguments.model)]
    with run_lock(context.workspace, f"mintage monitor {arguments.model}"):
        result, upstream = look(
            context,
            arguments.model,
            environment=environment,
            envdir=envdir,
            as_of=as_of,
            last_look=max((moment for moment in earlier if moment < as_of), default=None),
            candidates=not arguments.no_candidate,
        )
        digest = Store(context.workspace.store_dir).put_record(result.to_record(upstream=upstream))
        remember_decision(envdir, arguments.model, digest)
    with transaction(context.connection):
        details = {"decision": digest, "action": result.decision.action, "as_of": as_of}
        context.record_access("monitor.decide", f"{environment}/{arguments.model}", details)
    if arguments.json:
        emit_json({"record": digest, **result.to_record(upstream=()).body})
    else:
        _show(result, digest)
    return 1 if arguments.exit_code and result.decision.action == "retrain" else 0


def _show(result: MonitorResult, digest: str) -> None:
    decision = result.decision
    emit(decision.sentence)
    for reason in decision.reasons:
        emit(f"  {reason}")
    for change in decision.would_change:
        say(f"  would change it: {change}")
    say(f"  decision {digest}")
