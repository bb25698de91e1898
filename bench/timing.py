"""What a benchmark measures with: commands timed one by one, facts of the machine, a table, a JSON file.

``Stopwatch`` collects seconds by step, and tells the smallest, the median and the largest of its repetitions.
A command that fails is kept in the result with its exit code and its last line, and ends the round.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["Failed", "Stopwatch", "machine", "table", "write_result"]

LIBRARIES = ("mintage", "numpy", "onnxruntime", "pyarrow", "polars", "scikit-learn", "scipy", "uvicorn")
MINTAGE = str(Path(sys.executable).with_name("mintage"))


class Failed(Exception):
    """A timed command did not end with 0; the steps after it make no sense."""


@dataclass
class Step:
    """The repetitions of one step."""

    name: str
    what: str
    seconds: list[float] = field(default_factory=list)
    failure: dict[str, Any] | None = None

    def figures(self) -> dict[str, Any]:
        """The step as JSON."""
        found: dict[str, Any] = {"name": self.name, "what": self.what, "seconds": self.seconds}
        if self.seconds:
            found |= {"min": min(self.seconds), "median": statistics.median(self.seconds), "max": max(self.seconds)}
        return found | ({"failure": self.failure} if self.failure else {})


class Stopwatch:
    """Times commands, and keeps seconds that were measured otherwise."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}

    def add(self, name: str, what: str, seconds: float) -> None:
        """One more repetition of a step."""
        step = self.steps.setdefault(name, Step(name=name, what=what))
        step.seconds.append(round(seconds, 6))
        sys.stderr.write(f"  {name:<16} {_human(seconds)}\n")

    def mintage(self, name: str, *words: str, folder: Path, times: int = 1) -> None:
        """Time the installed command line, ``times`` times; raises Failed."""
        self.command(name, [MINTAGE, *words], what=" ".join(["mintage", *words]), folder=folder, times=times)

    def command(self, name: str, command: list[str], *, what: str, folder: Path, times: int = 1) -> None:
        """Time a command from its start to its end; raises Failed."""
        for _ in range(times):
            started = time.perf_counter()
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **_identity()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            took = time.perf_counter() - started
            if done.returncode != 0:
                said = (done.stderr.strip().splitlines() or [""])[0]
                step = self.steps.setdefault(name, Step(name=name, what=what))
                step.failure = {"exit_code": done.returncode, "said": said}
                raise Failed(f"{what}: exit code {done.returncode}: {said}")
            self.add(name, what, took)

    def figures(self) -> list[dict[str, Any]]:
        """All steps as JSON, in the order in which they first came."""
        return [step.figures() for step in self.steps.values()]


def machine() -> dict[str, Any]:
    """What the figures depend on; the load average tells whether the machine had other work."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "commit": _commit(),
    }


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    facts = result["machine"]
    loads = "{:g} before, {:g} after".format(*(result[key]["load_average"][0] for key in ("machine", "afterwards")))
    lines = [
        f"{facts['cpus']} x {facts['processor']}, {facts['memory_gb']} GB, Python {facts['python']}, "
        f"mintage {facts['libraries']['mintage']} at {facts['commit'] or 'no commit'}; load {loads}",
        "",
        f"{'step':<16} {'n':>3} {'min':>10} {'median':>10} {'max':>10}  what",
    ]
    for step in result["steps"]:
        if step["seconds"]:
            figures = " ".join(f"{_human(step[key]):>10}" for key in ("min", "median", "max"))
            lines.append(f"{step['name']:<16} {len(step['seconds']):>3} {figures}  {step['what']}")
        if "failure" in step:
            lines.append(f"{step['name']:<16}  failed: {step['failure']['said']}")
    return "\n".join(lines) + "\n"


def write_result(name: str, *, before: dict[str, Any], figures: dict[str, Any], output: Path) -> dict[str, Any]:
    """Write the JSON file of one benchmark: ``figures`` and the machine; returns what it holds."""
    result = {
        "kind": "benchmark",
        "version": 0,
        "name": name,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": before,
        "afterwards": {"load_average": machine()["load_average"]},
        **figures,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _human(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms" if seconds < 0.01 else f"{seconds:.3f} s"


def _identity() -> dict[str, str]:
    """A name for commits, so that the figures do not depend on the user's Git settings."""
    return {f"GIT_{role}_{what}": "bench@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
