"""``mintage report``: write one page that tells the project's story, from its records."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.cli.story import tell_story
from mintage.report.page import render_story
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the page (default: .mintage/reports/index.html)"
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    path = arguments.output or context.workspace.reports_dir / "index.html"
    publish_bytes(path.absolute(), render_story(tell_story(context, beside=path.absolute().parent)).encode())
    if arguments.json:
        emit_json({"report": str(path)})
    else:
        emit(str(path))
    return 0
