"""``mintage report``: write one page that tells the project's story; or a certificate as text that others read."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.certificate_export import FORMATS, export_certificate
from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.cli.story import tell_story
from mintage.errors import UsageError
from mintage.report.page import render_story
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "certificate",
        nargs="?",
        help="a certificate to write instead: MODEL, also with @REVISION, a digest or a file (its page was written by "
        "`mintage certify`)",
    )
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        help="of a certificate: " + "; ".join(f"{name}: {about}" for name, about in FORMATS.items()) + " (default: md)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="where to (default: the page .mintage/reports/index.html; a certificate to stdout)",
    )
    parser.add_argument(
        "--trust",
        metavar="FILE",
        type=Path,
        help="for a certificate: the trust.yaml or public key that must have signed it (default: the project's)",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.certificate is not None:
        return export_certificate(
            arguments.certificate,
            form=arguments.format or "md",
            output=arguments.output,
            trust=arguments.trust,
            as_json=arguments.json,
        )
    if arguments.format is not None:
        raise UsageError("--format is for a certificate", expected="a model or a certificate", hint="name it first")
    context = Context.here()
    path = arguments.output or context.workspace.reports_dir / "index.html"
    publish_bytes(path.absolute(), render_story(tell_story(context, beside=path.absolute().parent)).encode())
    if arguments.json:
        emit_json({"report": str(path)})
    else:
        emit(str(path))
    return 0
