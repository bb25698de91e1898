"""``mintage demo [FOLDER]``: the whole loop on real flights, in a new repository that stays for you to explore."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from mintage.cli.console import say
from mintage.cli.demo.acts import play
from mintage.cli.demo.narrator import Narrator
from mintage.errors import UsageError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", type=Path, help="a new folder (default: mintage-demo here, or mintage-demo-2 ...)"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every n-th flight only (quicker)")
    parser.add_argument("--requests", type=int, default=300, metavar="N", help="single requests a month (default 300)")
    parser.add_argument("--timings", type=Path, metavar="FILE", help="write seconds by command as JSON")


def run(arguments: argparse.Namespace) -> int:
    if arguments.every < 1 or arguments.requests < 1:
        raise UsageError("--every and --requests are at least 1")
    folder = _new_folder(arguments.folder)
    started = time.monotonic()
    narrator = Narrator(folder)
    play(narrator, every=arguments.every, requests=arguments.requests)
    took = time.monotonic() - started
    if arguments.timings:
        arguments.timings.write_text(json.dumps({"total": took, "commands": narrator.steps}, indent=2) + "\n")
    if arguments.json:
        narrator.tell(json.dumps({"folder": str(folder), "seconds": took, "summary": narrator.summary}))
    else:
        say(f"It took {took:.0f} s. The repository is yours to explore: cd {folder}")
    return 0


def _new_folder(given: Path | None) -> Path:
    options = [given] if given else [Path("mintage-demo"), *(Path(f"mintage-demo-{n}") for n in range(2, 1000))]
    for option in options:
        if not option.exists() or (given and option.is_dir() and not any(option.iterdir())):
            option.mkdir(parents=True, exist_ok=True)
            return option.resolve()
    raise UsageError(
        "the demo needs a new folder",
        expected="one that is not there, or is empty",
        found=str(given),
        hint="name another",
    )
