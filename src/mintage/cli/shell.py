"""``mintage shell STAGE``: a shell in the folder, and with the environment, that the stage's command gets."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess

from mintage.cli.console import say
from mintage.cli.context import Context
from mintage.errors import UnknownNameError
from mintage.pipeline.facts import Inspector
from mintage.pipeline.stage_run import entered
from mintage.pipeline.walls.close import NOT_ENFORCED, way
from mintage.pipeline.walls.enclosed import Within
from mintage.pipeline.walls.wanted import is_wanted
from mintage.repo.nearest import nearest_hint
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]

_SANDBOXED = "It is in the sandbox: what the stage does not declare is closed."


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        help="close off what the stage does not declare, as `mintage run --sandbox` does; write it before STAGE",
    )
    parser.add_argument("stage", help="a stage of mintage.yaml, or the member of one")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="run this there instead of a shell")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        inspector = Inspector(workspace, cache)
        stages = inspector.project.stages
        if arguments.stage not in stages:
            raise UnknownNameError(
                f"there is no stage {arguments.stage!r}",
                expected=", ".join([*stages][:20]) or "none declared",
                where="mintage.yaml",
                hint=nearest_hint(arguments.stage, stages, otherwise="see `mintage status`"),
            )
        inspector.sandbox = is_wanted(arguments.sandbox, project=inspector.project.sandbox, ci=os.environ.get("CI"))
        facts = inspector.placing(inspector.ready(inspector.facts(arguments.stage), say))
        with entered(workspace, facts, known=cache.known_digest) as (folder, command, within):
            shell = os.environ.get("SHELL") or "/bin/sh"
            words = [word for word in arguments.command if word != "--"] or [shell]
            say(f"{facts.name} runs here: {shlex.join(command)}")
            say("What you write here is thrown away when you leave; inputs are copies or protected links.")
            if facts.sandbox:
                say(_SANDBOXED if way() != "none" else f"The sandbox is {NOT_ENFORCED}.")
            return _wait(words, folder, within)


def _wait(words: list[str], folder: os.PathLike[str], within: Within) -> int:
    """The exit code; a Ctrl-C is the shell's own."""

    def close_off() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if within.before is not None:
            within.before()

    keep = {name: os.environ[name] for name in ("TERM", "COLORTERM", "USER") if name in os.environ}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(
            words,
            cwd=folder,
            env={**keep, **within.variables},
            preexec_fn=close_off,
            check=False,
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)
