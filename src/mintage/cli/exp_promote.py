"""``mintage exp promote NAME``: make an experiment a commit on the branch."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.errors import UsageError
from mintage.pipeline.experiment.collection import find, list_experiments
from mintage.pipeline.experiment.promote import promote

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    if len(arguments.names) != 1:
        raise UsageError("name one experiment", hint="`mintage exp list` shows them")
    with workspace.lock("run"):
        found = find(list_experiments(workspace), arguments.names[0])
        done = promote(workspace, found)
    if arguments.json:
        emit_json(asdict(done))
        return 0
    emit(f"{done.commit[:10]}  {found.experiment.name}, on {workspace.git.branch()}")
    for path in done.placed:
        emit(f"  placed {path}")
    for path, why in done.left.items():
        say(f"  left {path}: {why}; `mintage run` or `mintage checkout --force` brings what the lock says")
    if workspace.project(allow_unmade=True).models:
        say("Next: mintage run, which builds the model of it")
    return 0
