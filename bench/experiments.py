"""Time making and listing experiments: one alone, one beside 10,000 others, and the list of these.

Run ``python bench/experiments.py``; prints JSON. ``git_version`` is what one Git process costs on the machine.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mintage.pipeline.experiment.collection import list_experiments
from mintage.pipeline.experiment.make import make
from mintage.repo.workspace import Workspace

OTHERS, TIMES = 10_000, 15
FILES = {
    "mintage.yaml": "project: p\nstages:\n  train: {run: python train.py, params: [rate], metrics: [m.json]}\n",
    "params.yaml": "rate: 0.1\n",
    "train.py": "print()\n",
}


def main() -> None:
    """Make a repository in a scratch folder, and tell what it took."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in FILES.items():
            (root / name).write_text(text)
        git("init", "-q", root=root)
        git("add", "-A", root=root)
        git("-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "start", root=root)
        workspace = Workspace(root)
        found: dict[str, object] = {
            "git_version": both_ms(lambda _: workspace.git.run("--version")),
            "make": both_ms(lambda index: make(workspace, [{"rate": f"2.{index}"}])),
        }
        started = time.perf_counter()
        make(workspace, [{"rate": f"0.{index:05}"} for index in range(1, OTHERS + 1)])
        found["make_10000_s"] = round(time.perf_counter() - started, 3)
        found["make_beside_10000_ms"] = both_ms(lambda index: make(workspace, [{"rate": f"3.{index}"}]))
        found["list_10000_ms"] = both_ms(lambda _: list_experiments(workspace))
        found["list_newest_50_ms"] = both_ms(lambda _: list_experiments(workspace, limit=51))
    sys.stdout.write(json.dumps({"machine": platform.machine(), **found}, indent=2) + "\n")


def git(*words: str, root: Path) -> None:
    subprocess.run(["git", *words], cwd=root, check=True)


def both_ms(work: Callable[[int], object]) -> dict[str, float]:
    """The smallest and the median of the repetitions, in milliseconds."""
    seconds = []
    for index in range(TIMES):
        started = time.perf_counter()
        work(index)
        seconds.append(time.perf_counter() - started)
    return {"min": round(min(seconds) * 1000, 1), "median": round(statistics.median(seconds) * 1000, 1)}


if __name__ == "__main__":
    main()
