"""``mintage verify TARGET``: check every digest and signature behind a model, a release or an endpoint."""

from __future__ import annotations

import argparse

import msgspec

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context, now
from mintage.lineage.chain import render_chain, walk
from mintage.lineage.holdout_link import OwnLog
from mintage.lineage.verify import verify_target

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="a model, ENVIRONMENT/MODEL, or the address of a gateway")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    own = OwnLog(log=context.audit_log, key_id=context.signer.key_id)
    chain = verify_target(arguments.target, workspace=context.workspace, now=now(), own=own)
    report = context.audit_log.verify(published=context.checkpoint_file)
    report.require_ok()
    links = list(walk(chain))
    if arguments.json:
        emit_json({"whole": chain.whole, "chain": msgspec.to_builtins(chain), "audit_entries": report.entries})
        return 0 if chain.whole else 4
    emit(render_chain(chain))
    broken = [link for link in links if not link.ok]
    if broken:
        first = f"{broken[0].kind} {broken[0].title}"
        emit(f"NOT VERIFIED: {len(broken)} of {len(links)} links are broken; the first: {first}")
        return 4
    emit(f"verified: all {len(links)} links hold; the audit log's {report.entries} entries too")
    return 0
