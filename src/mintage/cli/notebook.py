"""``mintage notebook STAGE``: the executed notebook of the stage's last run, as text or as a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.errors import RefusedError, UnknownNameError, UsageError
from mintage.pipeline.notebook.executed import as_text
from mintage.repo.locks import read_lock
from mintage.repo.nearest import nearest_hint
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", help="a stage whose command is a notebook")
    parser.add_argument("--output", metavar="FILE", help="write it there, with its outputs, for Jupyter to open")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    data = _executed(context, arguments.stage)
    if arguments.output is not None:
        target = Path(arguments.output)
        if target.exists():
            raise UsageError(f"{target} is there already", hint="name another file")
        publish_bytes(target, data)
        say(f"Wrote {target}")
    if arguments.json:
        emit_json(json.loads(data))
    elif arguments.output is None:
        emit(as_text(json.loads(data)))
    return 0


def _executed(context: Context, stage: str) -> bytes:
    stages = context.workspace.project().stages
    if stage not in stages:
        raise UnknownNameError(
            f"there is no stage {stage!r}",
            expected=", ".join(stages) or "none declared",
            hint=nearest_hint(stage, tuple(stages), otherwise="see `mintage status`"),
        )
    lock = read_lock(context.workspace.root, stage)
    store = Store(context.workspace.store_dir)
    if lock is None or lock.run is None or not store.has(lock.run):
        raise RefusedError(f"the stage {stage} has no run yet", hint="run `mintage run`")
    digest = store.get_record(lock.run).body["stages"].get(stage, {}).get("notebook")
    if digest is None:
        raise RefusedError(
            f"the last run of {stage} was not one of a notebook", hint="its `run:` names another program"
        )
    return store.get_bytes(str(digest))
