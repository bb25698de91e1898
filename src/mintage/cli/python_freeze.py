"""``mintage python freeze``: a requirements file with hashes of what an environment has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mintage.cli.console import emit_json, plural, say
from mintage.errors import UsageError
from mintage.pipeline.environment import environment_of, named_interpreter
from mintage.pipeline.locked.freeze_lock import freeze_lock, lock_text
from mintage.repo.locked_python import LockedPython, kind_of
from mintage.repo.workspace import Workspace
from mintage.store.publish import publish_bytes
from mintage.store.statcache import StatCache

__all__ = ["run"]

_UNPINNED = 1


def run(workspace: Workspace, arguments: argparse.Namespace) -> int:
    named = arguments.of or named_interpreter(workspace.project(allow_unmade=True), None)
    if isinstance(named, LockedPython):
        raise UsageError(
            "the project's environment is built from a lock already",
            found=str(named),
            hint="`--of PYTHON` freezes another one",
        )
    output = None if arguments.output is None else Path(arguments.output)
    if output is not None and kind_of(output.name) != "requirements":
        raise UsageError("a freeze is a requirements file", expected="a name that ends in .txt", found=output.name)
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        environment = environment_of(workspace, cache, named or sys.executable)
    minor = ".".join(environment.frozen["python"].split(".")[:2])
    say(f"asking for the hashes of {plural(len(environment.frozen['packages']), 'package')} of {environment.python}")
    frozen = freeze_lock(environment.python, version=minor)
    text = lock_text(frozen)
    if output is not None:
        publish_bytes(output, text.encode())
    if arguments.json:
        emit_json(
            {
                "python": minor,
                "file": str(output) if output is not None else None,
                "packages": {pin: list(hashes) for pin, hashes in frozen.hashes.items()},
                "unpinned": frozen.unpinned,
            }
        )
    elif output is None:
        sys.stdout.write(text)
    for pin, why in sorted(frozen.unpinned.items()):
        say(f"not pinned: {pin}: {why}")
    if output is not None:
        say(f"wrote {output}: {plural(len(frozen.hashes), 'package')} with hashes. mintage.yaml takes it, so:")
        say(f'  python: {{lock: {output}, version: "{minor}"}}')
    return _UNPINNED if frozen.unpinned else 0
