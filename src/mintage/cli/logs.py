"""``mintage logs [STAGE]``: what a stage printed in its last run or a given one; with ``--follow`` as it goes on."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from mintage.cli.console import emit, emit_json, say, table
from mintage.cli.context import Context
from mintage.cli.logs_kept import kept_log
from mintage.errors import UnknownNameError
from mintage.pipeline.sandbox import tail_of
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace

__all__ = ["configure", "run"]

_HEAD = ("stage", "bytes", "file")

_LOOK_S = 0.2
_BLOCK = 64 << 10


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", nargs="?", help="a stage, or the member of one (default: list the logs of the run)")
    parser.add_argument("--run", dest="run_id", metavar="RUN", help="of this run (default: the last that has one)")
    parser.add_argument("-n", "--lines", type=int, metavar="N", help="only the last N lines")
    parser.add_argument("-f", "--follow", action="store_true", help="go on while the run does")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    if arguments.stage is None:
        return _list(workspace, arguments)
    log = _find(workspace, arguments.stage, arguments.run_id)
    if log is None:
        return _show_kept(workspace, arguments)
    if arguments.json:
        emit_json(
            {"stage": log.stem, "run": log.parent.name, "path": str(log), "text": log.read_text(errors="replace")}
        )
        return 0
    say(f"{log.stem} in run {log.parent.name}: {log.relative_to(workspace.root)}")
    if arguments.lines is not None:
        emit(tail_of(log, lines=max(arguments.lines, 0)))
    _pass_on(
        workspace, log, from_end=arguments.lines is not None, follow=arguments.follow and _is_running(workspace, log)
    )
    return 0


def _show_kept(workspace: Workspace, arguments: argparse.Namespace) -> int:
    """What it printed where it ran: the result was downloaded or pulled."""
    run, text = kept_log(workspace, arguments.stage) or ("", "")
    if arguments.json:
        emit_json({"stage": arguments.stage, "run": run, "path": None, "text": text})
        return 0
    say(f"{arguments.stage} in run {run}, which was not in this clone")
    lines = text.splitlines()
    for line in lines if arguments.lines is None else lines[max(0, len(lines) - max(arguments.lines, 0)) :]:
        emit(line)
    return 0


def _list(workspace: Workspace, arguments: argparse.Namespace) -> int:
    runs = _runs(workspace) if arguments.run_id is None else [workspace.logs_dir / arguments.run_id]
    logs = sorted(runs[-1].glob("*.log"), key=lambda path: path.stat().st_mtime_ns) if runs else []
    if arguments.json:
        emit_json({"logs": [{"stage": log.stem, "run": log.parent.name, "path": str(log)} for log in logs]})
    elif not logs:
        emit("no logs yet")
    else:
        emit(table([(log.stem, log.stat().st_size, log.relative_to(workspace.root)) for log in logs], head=_HEAD))
    return 0


def _runs(workspace: Workspace) -> list[Path]:
    """The folders of runs, oldest first: their names begin with the time."""
    return sorted(path for path in workspace.logs_dir.glob("*") if path.is_dir())


def _find(workspace: Workspace, stage: str, run_id: str | None) -> Path | None:
    """The log's file; None if the stage ran elsewhere and its lock names that run. Raises UnknownNameError."""
    runs = _runs(workspace) if run_id is None else [workspace.logs_dir / run_id]
    for folder in reversed(runs):
        if (folder / f"{stage}.log").is_file():
            return folder / f"{stage}.log"
    if run_id is None and kept_log(workspace, stage) is not None:
        return None
    known = sorted({log.stem for folder in runs for log in folder.glob("*.log")})
    raise UnknownNameError(
        f"there is no log of {stage!r}" + (f" in run {run_id}" if run_id else ""),
        expected=", ".join(known[:20]) or "none yet",
        where=str(workspace.logs_dir),
        hint=nearest_hint(stage, known, otherwise="`mintage log` lists the runs"),
    )


def _is_running(workspace: Workspace, log: Path) -> bool:
    """Whether a run goes on and this is one of its logs."""
    return workspace.is_held("run") and log.parent == _runs(workspace)[-1]


def _pass_on(workspace: Workspace, log: Path, *, from_end: bool, follow: bool) -> None:
    """Copy the log to the output; with ``follow`` until the run that writes it is over."""
    out = sys.stdout.buffer
    with log.open("rb") as stream:
        if from_end:
            stream.seek(0, os.SEEK_END)
        while True:
            goes_on = follow and _is_running(workspace, log)
            while block := stream.read(_BLOCK):
                out.write(block)
            out.flush()
            if not goes_on:
                return
            time.sleep(_LOOK_S)
