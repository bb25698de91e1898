"""``mintage audit``: list the audit log, verify it, or witness that a policy is there."""

from __future__ import annotations

import argparse

import msgspec

from mintage.cli.console import count_of, emit, emit_json, plural, say
from mintage.cli.context import Context
from mintage.errors import UsageError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=("list", "verify", "witness"),
        default="list",
        help="list (default); verify; witness: sign that the committed policy of MODEL is there now",
    )
    parser.add_argument("model", nargs="?", help="with witness: a model of mintage.yaml that another person trains")
    parser.add_argument("-n", "--limit", type=count_of, default=50, help="how many entries (default 50)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    if (arguments.model is None) == (arguments.what == "witness"):
        raise UsageError("a MODEL goes with witness alone", hint="mintage audit witness MODEL")
    if arguments.what == "witness":
        return _witness(context, arguments.model, as_json=arguments.json)
    if arguments.what == "verify":
        return _verify(context, as_json=arguments.json)
    log = context.audit_log
    events = list(log.events(start=max(0, log.size - arguments.limit)))
    if arguments.json:
        emit_json([{"seq": seq, **msgspec.to_builtins(event)} for seq, event in events])
        return 0
    for seq, event in events:
        emit(f"{seq:>5}  {event.at}  {event.decision:<5}  {event.action:<18}  {event.resource}")
    return 0


def _verify(context: Context, *, as_json: bool) -> int:
    from mintage.cli.audit_history import check_openings

    report = context.audit_log.verify(published=context.checkpoint_file)
    report.require_ok()
    openings = check_openings(context)
    if as_json:
        emit_json(msgspec.to_builtins(report) | {"openings": openings})
        return 0
    emit(
        f"the audit log is whole: {report.entries} entries, {report.covered} of them under "
        f"{plural(report.checkpoints, 'signed checkpoint')}, root {report.root[:16]}"
    )
    if openings:
        emit(f"it has {plural(openings, 'opening')} of sealed hold-outs, each of which is in the project")
    return 0


def _witness(context: Context, model: str, *, as_json: bool) -> int:
    from mintage.cli.audit_witness import witness_policy

    path, word, name = witness_policy(context, model)
    if as_json:
        emit_json({"path": path, **msgspec.to_builtins(word), "by": name})
        return 0
    emit(f"{name} saw policies/{model}.yaml ({word.policy[:19]}) in commit {word.commit[:12]} at {word.at}")
    say(f"Share it before the model is judged: git add {path} && git commit")
    return 0
