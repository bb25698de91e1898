"""Time each step of the loop through the installed command line; print JSON.

Each command is started as a user would, in a new folder, with real data; nothing is called in-process. Steps that
change the project are timed once, those that leave it as it is ``--repeat`` times. The folder is deleted at the end.

    python bench/loop.py --repeat 5 --output bench/results/loop.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

SCHEMA = {"kind": "benchmark", "version": 0}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command line; ``repeats`` says whether it leaves the project as it was, so that it can be timed again."""

    name: str
    words: tuple[str, ...]
    repeats: bool = False


STEPS = (
    Step(name="version", words=("--version",), repeats=True),
    Step(name="help", words=("--help",), repeats=True),
    Step(name="init", words=("init", "--template", "flights")),
    Step(name="add", words=("add", "data/flights.parquet", "data/weather.parquet")),
    Step(name="run", words=("run",)),
    Step(name="run-again", words=("run",), repeats=True),
    Step(name="status", words=("status",), repeats=True),
    Step(name="certify", words=("certify", "late")),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time each step of the loop.")
    parser.add_argument("--repeat", type=int, default=5, help="how often to time a step that changes nothing")
    parser.add_argument("--output", type=Path, help="write the JSON here too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mintage-bench-") as folder:
        steps = [measure(step, Path(folder), repeat=arguments.repeat) for step in STEPS]
    text = json.dumps({**SCHEMA, "machine": machine(), "steps": steps}, indent=2) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text, encoding="utf-8")
    return 0 if all(step["exit_code"] == 0 for step in steps) else 1


def measure(step: Step, folder: Path, *, repeat: int) -> dict[str, Any]:
    """Run one step; a failing command is recorded, not hidden."""
    seconds: list[float] = []
    for _ in range(max(repeat, 1) if step.repeats else 1):
        started = time.perf_counter()
        done = subprocess.run(
            [Path(sys.executable).with_name("mintage"), *step.words],
            cwd=folder,
            env={**os.environ, **identity()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds.append(round(time.perf_counter() - started, 4))
        if done.returncode != 0:
            break
    result: dict[str, Any] = {
        "name": step.name,
        "command": " ".join(["mintage", *step.words]),
        "seconds": seconds,
        "median_s": round(statistics.median(seconds), 4),
        "exit_code": done.returncode,
    }
    if done.returncode != 0:
        result["said"] = (done.stderr.strip().splitlines() or [""])[0]
    print(f"{step.name:<10} {result['median_s']:>8.3f} s", file=sys.stderr)
    return result


def identity() -> dict[str, str]:
    """A name for commits, so that the benchmark does not depend on the user's Git settings."""
    return {f"GIT_{role}_{what}": "bench@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpus": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "mintage": version("mintage"),
    }


if __name__ == "__main__":
    raise SystemExit(main())
