"""Start fresh processes that load a model and answer, one after another, and take what they cost: for check T2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from mintage.certify.footprint import FootprintRun
from mintage.errors import RunError
from mintage.model import fresh_process
from mintage.model.package import Package

__all__ = ["ProcessProbe"]


class ProcessProbe:
    """Each process is started once, however many requirements ask; one thread computes, as one request does."""

    def __init__(self, package: Package) -> None:
        self.folder: Path = package.folder.resolve()
        self.size_bytes = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        self._runs: list[tuple[float, float, int]] = []

    def measure(self, *, repeats: int) -> FootprintRun:
        """At least ``repeats`` processes; raises RunError if one does not answer."""
        if not self._runs:
            _started(self.folder)  # the first one reads the disk for all that come after it
        while len(self._runs) < repeats:
            self._runs.append(_started(self.folder))
        rows, cold, peak = zip(*self._runs, strict=True)
        scenario = "a fresh Python process loads the verified folder; batches of 4096 golden rows; files cached"
        return FootprintRun(rows_per_s=rows, cold_start_s=cold, peak_bytes=peak, scenario=scenario)


def _started(folder: Path) -> tuple[float, float, int]:
    """Rows a second, seconds to the first answer, and bytes at most, of one process."""
    start = time.perf_counter()
    words = [sys.executable, "-m", fresh_process.__name__, str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment())
    try:
        assert process.stdout is not None and process.stderr is not None
        answered = process.stdout.readline()
        cold = time.perf_counter() - start
        told = process.stdout.readline()
        if not answered or not told:
            raise RunError("a fresh process did not answer golden rows", found=_last_line(process.stderr))
        found = json.loads(told)
        return float(found["rows_per_s"]), cold, int(found["peak_bytes"])
    finally:  # also when the check is stopped at its time limit
        process.kill()
        process.communicate()


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def _last_line(stream: IO[bytes]) -> str:
    lines = stream.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "nothing"
