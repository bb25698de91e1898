"""``mintage audit``: list the audit log, or verify it."""

from __future__ import annotations

import argparse

import msgspec

from mintage.cli.console import count_of, emit, emit_json, plural
from mintage.cli.context import Context

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("list", "verify"), default="list", help="list (default) or verify")
    parser.add_argument("-n", "--limit", type=count_of, default=50, help="how many entries (default 50)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    if arguments.what == "verify":
        report = context.audit_log.verify(published=context.checkpoint_file)
        report.require_ok()
        if arguments.json:
            emit_json(msgspec.to_builtins(report))
        else:
            emit(
                f"the audit log is whole: {report.entries} entries, {report.covered} of them under "
                f"{plural(report.checkpoints, 'signed checkpoint')}, root {report.root[:16]}"
            )
        return 0
    log = context.audit_log
    events = list(log.events(start=max(0, log.size - arguments.limit)))
    if arguments.json:
        emit_json([{"seq": seq, **msgspec.to_builtins(event)} for seq, event in events])
        return 0
    for seq, event in events:
        emit(f"{seq:>5}  {event.at}  {event.decision:<5}  {event.action:<18}  {event.resource}")
    return 0
