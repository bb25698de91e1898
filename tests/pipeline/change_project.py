"""A small project whose one metric depends on code, data, parameters and a package, for tests of what changed it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mintage.data.add import add_path
from mintage.database.connection import open_database
from mintage.pipeline.run import run_pipeline
from mintage.repo.workspace import Workspace
from mintage.tracking.runs import RunStore

__all__ = ["ChangeProject", "environment_with"]

PROJECT = """\
project: sums
python: {python}
stages:
  prepare: {{run: python prepare.py, in: [data/rows.txt], out: [clean.txt]}}
  fit: {{run: python fit.py, in: [clean.txt], metrics: [metrics.json], params: [fit]}}
"""
PREPARE = "open('clean.txt', 'w').write(open('data/rows.txt').read())\n"
FIT = """\
import json, os
params = json.load(open(os.environ["MINTAGE_PARAMS"]))["fit"]
try:
    from weights import WEIGHT
except ImportError:
    WEIGHT = 0
total = sum(int(line) for line in open("clean.txt"))
json.dump({"score": 0 + total + 10 * params["depth"] + 1000 * WEIGHT, "rows": 1}, open("metrics.json", "w"))
"""


def environment_with(folder: Path, weight: int) -> Path:
    """A venv with the package ``weights`` in the version ``weight``, found by a .pth; returns its interpreter."""
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = folder / f"packages-{weight}"
    (packages / f"weights-{weight}.dist-info").mkdir(parents=True)
    (packages / "weights.py").write_text(f"WEIGHT = {weight}\n")
    (packages / f"weights-{weight}.dist-info" / "METADATA").write_text(f"Name: weights\nVersion: {weight}\n")
    (packages / f"weights-{weight}.dist-info" / "RECORD").write_text(f"weights.py,,{weight}\n")
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "weights.pth").write_text(f"{packages}\n")
    return folder / "bin" / "python"


class ChangeProject:
    """The project on disk, committed and run by its methods."""

    def __init__(self, root: Path, *, python: str = sys.executable) -> None:
        self.root = root
        self.workspace = Workspace(root)
        (root / "data").mkdir(parents=True)
        self.write("mintage.yaml", PROJECT.format(python=python))
        self.write("params.yaml", "fit:\n  depth: 1\n")
        self.write("prepare.py", PREPARE)
        self.write("fit.py", FIT)
        self.write("data/rows.txt", "1\n2\n")
        self.write(".gitignore", "clean.txt\nmetrics.json\n")
        for words in (("init", "-q", "-b", "main"), ("config", "user.email", "t@e.org"), ("config", "user.name", "T")):
            self.git(*words)
        self.workspace.prepare()
        self.connection = open_database(self.workspace.database)
        self.runs = RunStore(self.connection, lambda *_: None)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def add(self, path: str = "data/rows.txt") -> None:
        add_path(self.workspace, path)

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def run_stages(self, tree, selection=None):
        chosen = {} if selection is None else {"selection": selection}
        return run_pipeline(
            tree, runs=lambda: self.runs, clock=lambda: "2026-01-01T00:00:00Z", actor=lambda: "tester", **chosen
        )

    def ran(self, stage: str) -> int:
        """How often the command of a stage was run."""
        return len(list(self.workspace.logs_dir.glob(f"*/{stage}.log")))
