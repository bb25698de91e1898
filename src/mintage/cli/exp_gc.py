"""``mintage exp gc``: delete experiments, by age or by name."""

from __future__ import annotations

import argparse
import re
import time

from mintage.cli.console import emit, emit_json, plural, say
from mintage.cli.context import Context
from mintage.errors import UsageError
from mintage.pipeline.experiment.collection import delete, find, list_experiments

__all__ = ["run", "seconds_of"]

_AGE = re.compile(r"(\d{1,6})([dhw])")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    if bool(arguments.names) == bool(arguments.keep):
        raise UsageError(
            "which experiments shall go?",
            expected="`--keep AGE`, or their names",
            hint="`mintage exp gc --keep 30d` deletes those older than 30 days",
        )
    known = list_experiments(workspace)
    if arguments.names:
        gone = [find(known, name) for name in arguments.names]
    else:
        before = time.time() - seconds_of(arguments.keep)
        gone = [found for found in known if found.at < before]
    if not arguments.dry:
        delete(workspace, gone)
    names = [found.experiment.name for found in gone]
    if arguments.json:
        emit_json({"deleted": [] if arguments.dry else names, "would": names, "kept": len(known) - len(gone)})
        return 0
    for name in names:
        emit(f"{'would delete' if arguments.dry else 'deleted'}  {name}")
    say(f"{plural(len(known) - len(gone), 'experiment')} kept." if known else "No experiment yet.")
    return 0


def seconds_of(age: str) -> int:
    """An age in seconds; raises UsageError.

    >>> seconds_of("30d"), seconds_of("12h")
    (2592000, 43200)
    """
    match = _AGE.fullmatch(age)
    if match is None:
        raise UsageError("not an age", expected="a number of hours, days or weeks: 12h, 30d, 4w", found=repr(age))
    return int(match[1]) * _SECONDS[match[2]]
