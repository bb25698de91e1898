"""Run scripts under the watcher, as stages would, and give what was decided of each.

One process imports the libraries, watched, and forks for each script: the imports are paid once, the rest is real.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mintage.pipeline.recording.hooklog import install
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.stage_capture import captured_of, watch_stage, write_captured
from mintage.repo.project import ModelEntry

DATA = """\
import numpy as np
import pandas as pd
rng = np.random.default_rng(5)
X = pd.DataFrame({"age": rng.normal(50, 9, 240), "income": rng.normal(9, 2, 240), "visits": rng.integers(0, 9, 240)})
y = pd.Series((X["age"] + rng.normal(0, 9, 240) > 50).astype(int), name="churned")
df = X.assign(churned=y)
import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
"""
"""Eleven lines that each script begins with."""

_DRIVER = """\
import gc, os, sys, traceback
import joblib, numpy, pandas
import sklearn.compose, sklearn.ensemble, sklearn.linear_model, sklearn.model_selection, sklearn.pipeline
for line in sys.stdin:
    work, notes = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        watcher = sys.modules["mintage_capture.patch"]
        ledger = next(each.watch.ledger for each in sys.meta_path if isinstance(each, watcher._Finder))
        ledger.process, ledger.work, ledger.start, ledger.folder = os.getpid(), work, work, notes
        os.chdir(work)
        code, space = 0, {"__name__": "__main__"}  # which lives until the end, as a program's does
        try:
            exec(compile(open("s.py").read(), "s.py", "exec"), space)
        except BaseException:
            traceback.print_exc()
            code = 1
        ledger.close()
        sys.stderr.flush()
        os._exit(code)
    print("\\nended", os.waitpid(child, 0)[1], flush=True)
"""


class Watched:
    """What a script left: ``tables``, ``sources`` and ``sizes`` by role, ``why`` there is no hold-out."""

    def __init__(self, scratch: Scratch, *, out: tuple[str, ...], target: str) -> None:
        from pyarrow import parquet

        found, remarks = captured_of(scratch, "train", out)
        models = {"m": ModelEntry(source=out[0], target=target)} if target else {}
        write_captured(scratch, found, tuple(found), models)
        self.paths = tuple(found)
        self.tables: dict[str, Any] = {found[path].role: parquet.read_table(scratch.work / path) for path in found}
        self.sizes = {role: table.num_rows for role, table in self.tables.items()}
        self.sources = {table.role: table.source for table in found.values()}
        self.why = next((table.why for table in found.values() if table.why), "; ".join(remarks))


class Watcher:
    """The process that the scripts are forked from; calling it runs one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Scratch(folder).__enter__()
        watched = watch_stage(self.home, dict(os.environ))
        environment = install(self.home.private / "hook", watched, root=folder, work=self.home.work, links=())
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", _DRIVER],
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.home.work,
            )

    def __call__(self, text: str, *, out: tuple[str, ...] = ("model.joblib",), target: str = "") -> Watched:
        assert self.process.stdin is not None and self.process.stdout is not None
        with Scratch(self.folder) as scratch:
            (scratch.work / "s.py").write_text(DATA + text)
            notes = scratch.private / "capture" / "notes"
            notes.mkdir(parents=True)
            print(scratch.work, notes, sep="\t", file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
            while line and not line.startswith("ended "):  # what the script itself printed
                line = self.process.stdout.readline()
            assert line == "ended 0\n", self.log.read_text()
            return Watched(scratch, out=out, target=target)

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)
