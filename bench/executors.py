"""Time one trivial stage by each executor, inside the process, and an empty task of Ray; prints JSON.

    python bench/executors.py [--repeat N]

``local``, ``worker`` and ``ray`` are what `execute` takes: deciding and recording are the run's and the same for all.
``ray: an empty task`` is the engine's own: a task that yields one short message, on the same cluster. The cluster is
warm: its first task is not counted. Without Ray its rows are left out.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mintage.pipeline.dispatch.names import EXECUTORS
from mintage.pipeline.dispatch.open_executor import open_executor
from mintage.pipeline.facts import Inspector, StageFacts
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

PROJECT = """project: p
remote: ../remote
stages:
  a: {sh: "cat in.txt > a.txt", in: [in.txt], out: [a.txt]}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=10, help="how often each is timed")
    asked = parser.parse_args()
    os.environ.setdefault("RAY_ADDRESS", "local")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="mintage-bench-") as name:
        root = Path(name) / "project"
        root.mkdir()
        (root / "mintage.yaml").write_text(PROJECT)
        (root / "in.txt").write_text("1\n")
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        workspace = Workspace(root)
        workspace.prepare()
        with StatCache(workspace.cache_database) as cache:
            facts = Inspector(workspace, cache).facts("a")
        for executor in EXECUTORS:
            if executor != "ray" or _has_ray():
                found[executor] = _repeated(_stage(executor, workspace, facts), asked.repeat)
    if "ray" in found:
        found["ray: an empty task"] = _repeated(_empty_task(), asked.repeat)
    sys.stdout.write(json.dumps(found) + "\n")


def _has_ray() -> bool:
    from importlib.util import find_spec

    return find_spec("ray") is not None


def _stage(name: Any, workspace: Workspace, facts: StageFacts) -> Callable[[], None]:
    executor = open_executor(name, workspace, home=Path.home())
    log = workspace.logs_dir / "bench" / "a.log"

    def once() -> None:
        executor.execute(workspace, facts, models={}, log=log, known=lambda _: None, stop=lambda: False)

    return once


def _empty_task() -> Callable[[], None]:
    import ray

    ray.init(ignore_reinit_error=True, logging_level=logging.ERROR)

    def say(line: bytes) -> Any:
        yield line

    task = ray.remote(num_returns="streaming", max_retries=0)(say)

    def once() -> None:
        for message in task.remote(b"x" * 300):
            ray.get(message)

    return once


def _repeated(once: Callable[[], None], times: int) -> dict[str, Any]:
    once()  # the first one starts what stays
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        once()
        taken.append(round(1000 * (time.perf_counter() - began), 2))
    return {"n": times, "median_ms": round(statistics.median(taken), 2), "min_ms": min(taken), "all_ms": taken}


if __name__ == "__main__":
    main()
