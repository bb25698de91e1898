"""``mintage verify TARGET``: check every digest and signature behind a model, a release, a gateway or a certificate."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from mintage.cli.certificate_target import is_certificate
from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context, now
from mintage.errors import UsageError
from mintage.lineage.chain import render_chain, walk
from mintage.lineage.holdout_link import OwnLog
from mintage.lineage.verify import verify_target

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        help="a model, ENVIRONMENT/MODEL, the address of a gateway; or a certificate: certificate:MODEL, also with "
        "@REVISION, its digest, its file, or its page",
    )
    parser.add_argument(
        "--trust",
        metavar="FILE",
        type=Path,
        help="for a certificate: the trust.yaml or public key that must have signed it (default: the project's)",
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="for a certificate: the model, model folder or root that it must be of"
    )
    parser.add_argument(
        "--passed", action="store_true", help="for a certificate: exit with 1 unless it passes the model, too"
    )


def run(arguments: argparse.Namespace) -> int:
    if is_certificate(arguments.target):
        from mintage.cli.certificate_verify import verify_certificate

        return verify_certificate(
            arguments.target,
            trust=arguments.trust,
            model=arguments.model,
            must_pass=arguments.passed,
            as_json=arguments.json,
        )
    if arguments.trust is not None or arguments.model is not None or arguments.passed:
        raise UsageError(
            "--trust, --model and --passed are for certificates",
            expected="certificate:MODEL, a digest, or a file",
            found=arguments.target,
            hint="the chain behind a model is verified by the project's own trust.yaml",
        )
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
