"""A project of two quick stages with parameters, and the command line called in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mintage.cli.main import main
from mintage.repo.workspace import Workspace

FILES = {
    "mintage.yaml": """\
project: p
stages:
  prep: {run: python prep.py, in: [data.csv], out: [work/rows.txt]}
  train:
    run: python train.py
    in: [work/rows.txt]
    out: [model.txt]
    metrics: [metrics.json]
    params: [model.depth, model.rate]
models: {}
""",
    "params.yaml": "model:\n  depth: 2   # of the tree\n  rate: 0.5\n",
    "prep.py": "open('work/rows.txt', 'w').write(open('data.csv').read().upper())\n",
    "train.py": """\
import json, mintage
depth, rate = mintage.params()["model"]["depth"], mintage.params()["model"]["rate"]
if depth == 13:
    raise SystemExit("unlucky")
for step in range(3):
    mintage.log_metrics({"loss": 1 / (step + depth)}, step=step)
json.dump({"auc": depth * rate}, open("metrics.json", "w"))
open("model.txt", "w").write(f"{depth} {rate}")
""",
    ".gitignore": "data.csv\nwork/\nmodel.txt\n.mintage/\n",
}


class ExperimentProject:
    """One such project; ``run`` gives the exit code, and stdout as the JSON value that it is."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str] | None = None) -> None:
        self.root, self.capsys = root, capsys
        self.workspace = Workspace(root)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, *words: str, expect: int = 0) -> Any:
        """``mintage WORDS --json`` in this process."""
        code, out = self.said(*words, "--json")
        assert code == expect, out
        return json.loads(out)

    def said(self, *words: str) -> tuple[int, str]:
        """Exit code, and all that was printed."""
        assert self.capsys is not None
        self.capsys.readouterr()
        before = Path.cwd()
        os.chdir(self.root)
        try:
            code = main(list(words))
        finally:
            os.chdir(before)
        said = self.capsys.readouterr()
        return code, said.out + ("" if "--json" in words else said.err)

    def process(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "mintage", *words]

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def commit(self, subject: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", subject)
        return self.git("rev-parse", "HEAD")

    def state(self) -> tuple[str, ...]:
        """All that an experiment must leave alone."""
        index = self.git("ls-files", "--stage")
        refs = self.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash")
        files = sorted(str(path) for path in self.root.rglob("*") if not {".git", ".mintage"} & set(path.parts))
        return (self.git("rev-parse", "HEAD"), self.git("symbolic-ref", "HEAD"), refs, index, *files)


def make_project(root: Path, capsys: pytest.CaptureFixture[str] | None = None) -> ExperimentProject:
    root.mkdir()
    made = ExperimentProject(root, capsys)
    made.git("init", "-q", "-b", "main")
    made.git("config", "user.email", "tess@example.org")
    made.git("config", "user.name", "Tess")
    for name, text in FILES.items():
        made.write(name, text)
    made.write("data.csv", "a,b\n" * 10)
    made.commit("start")
    return made
