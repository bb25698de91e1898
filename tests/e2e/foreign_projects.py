"""Projects as strangers write them, not made for Mintage, and a newcomer who takes one to a certificate.

``PROJECTS`` are twelve that need no line; ``HONEST`` are those where guessing would be wrong. ``lay_out`` makes the
bare folder: the files of ``projects/<name>`` and the data of ``foreign_data``. ``Newcomer`` types commands there with
a small environment, no Git identity and no configuration, and counts what was typed and written by hand.

>>> [project.name for project in PROJECTS if not project.slow]
['script']
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from foreign_data import DATA

__all__ = ["HONEST", "PROJECTS", "ForeignProject", "Newcomer", "expand", "lay_out", "make_venv", "plain_commands"]

SOURCES = Path(__file__).parent / "projects"
_MINTAGE = Path(sys.executable).with_name("mintage")
MINTAGE = [str(_MINTAGE)] if _MINTAGE.exists() else [sys.executable, "-m", "mintage"]


@dataclass(frozen=True, kw_only=True)
class ForeignProject:
    """``commands`` are what its stages run, in order; ``needs`` are modules without which it is skipped; ``venv``
    is what its own ``.venv`` has, if it has one."""

    name: str
    commands: tuple[str, ...]
    needs: tuple[str, ...] = ("pandas", "sklearn", "joblib")
    venv: tuple[str, ...] = ()
    slow: bool = True


PROJECTS = (
    ForeignProject(name="script", commands=("python train.py",), slow=False),
    ForeignProject(name="package", commands=("python -m churnlib.train",), needs=("lightgbm", "pandas")),
    ForeignProject(name="two_scripts", commands=("python prepare.py", "python train.py")),
    ForeignProject(name="notebook", commands=("'Fraud analysis.ipynb'",), needs=("IPython", "matplotlib", "pandas")),
    ForeignProject(name="argparse_options", commands=("python fit_tree.py",)),
    ForeignProject(name="hydra_config", commands=("python main.py",)),
    ForeignProject(name="polars_parquet", commands=("python train_model.py",), needs=("polars", "sklearn")),
    ForeignProject(name="plain_csv", commands=("python tumours.py",), needs=("sklearn",)),
    ForeignProject(name="sqlite", commands=("python train_from_db.py",)),
    ForeignProject(name="images", commands=("python train_digits.py",), needs=("PIL", "sklearn")),
    ForeignProject(name="xgboost_json", commands=("python train_xgb.py",), needs=("xgboost", "pandas")),
    ForeignProject(
        name="torch_net",
        commands=("python train.py",),
        needs=(),
        venv=("torch==2.13.0", "onnxscript", "joblib", "pandas"),
    ),
)
HONEST = {
    project.name: project
    for project in (
        ForeignProject(name="best_on_test", commands=("python train.py",)),
        ForeignProject(name="two_targets", commands=("python train.py",)),
        ForeignProject(name="two_models", commands=("python train_forest.py", "python train_linear.py")),
    )
}


def lay_out(project: ForeignProject, folder: Path) -> None:
    """The bare folder of a project: its files and data. Skips where something that it needs is not to be had."""
    absent = [name for name in project.needs if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"project {project.name} needs {', '.join(absent)}: pip install 'mintage[dev]'")
    shutil.copytree(SOURCES / project.name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    DATA[project.name](folder)


def make_venv(project: ForeignProject, folder: Path) -> None:
    """The project's own ``.venv``, if it has one. Skips where pip cannot fill it."""
    if not project.venv:
        return
    subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
    pip = [str(folder / ".venv/bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *project.venv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip could not install {', '.join(project.venv)}: {done.stderr.strip()[-200:]}")


def plain_commands(project: ForeignProject, folder: Path, *, aside: Path, python: Path) -> list[list[str]]:
    """What runs the project without Mintage. A notebook becomes a script of its cells, written to ``aside``."""
    found = []
    for command in project.commands:
        words = shlex.split(command)
        if words[0].endswith(".ipynb"):
            aside.write_text(_cells(folder / words[0]))
            words = ["python", str(aside)]
        found.append([str(python), *words[1:]])
    return found


def _cells(path: Path) -> str:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    lines = [line.rstrip("\n") for cell in cells for line in [*cell["source"], ""]]
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(kw_only=True)
class Newcomer:
    """Someone at a terminal in ``root``; ``typed`` and ``lines`` are the commands and lines that it took so far."""

    root: Path
    home: Path
    typed: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)

    @property
    def python(self) -> Path:
        """What ``python`` is here: the ``.venv``'s, if the folder has one."""
        own = self.root / ".venv/bin/python"
        return own if own.exists() else Path(sys.executable)

    @property
    def environment(self) -> dict[str, str]:
        """What a small machine has: no identity, no configuration, one backend that draws without a screen."""
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", "MPLBACKEND": "Agg"}

    def type(self, *words: str, expect: int = 0) -> Answer:
        """One command that the newcomer types; it is counted."""
        self.typed.append(shlex.join(("mintage", *words)))
        answer = self.ask(*words)
        self.seconds += answer.seconds
        assert answer.code == expect, f"$ {self.typed[-1]} -> {answer.code}\n{answer.out}{answer.err}"
        return answer

    def replace(self, name: str, old: str, new: str) -> None:
        """One line that the newcomer corrects in a file; it is counted."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, text
        self.lines.append(new)
        (self.root / name).write_text(text.replace(old, new))

    def ask(self, *words: str) -> Answer:
        """A command of the test's own, to look: it is not counted."""
        start = time.monotonic()
        done = subprocess.run(
            [*MINTAGE, *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr or words[0] == "run", done.stderr
        return Answer(code=done.returncode, out=done.stdout, err=done.stderr, seconds=time.monotonic() - start)

    def ask_json(self, *words: str) -> Any:
        """The answer to a command of the test's own, as JSON."""
        answer = self.ask(*words, "--json")
        assert answer.code == 0, answer.out + answer.err
        return json.loads(answer.out)

    def project(self) -> dict[str, Any]:
        """mintage.yaml as it is now."""
        value: dict[str, Any] = yaml.safe_load((self.root / "mintage.yaml").read_text())
        return value

    def copy_to(self, folder: Path) -> Newcomer:
        """The same folder elsewhere, as it is now."""
        shutil.copytree(self.root, folder, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        if (self.root / ".venv").exists():
            (folder / ".venv").symlink_to(self.root / ".venv")
        return Newcomer(root=folder, home=self.home)


def expand(paths: list[str], files: set[str]) -> set[str]:
    """Those of ``files`` that declared paths are or hold.

    >>> sorted(expand(["a.csv", "images/"], {"a.csv", "a.csv.bak", "images/1.png", "images/x/2.png"}))
    ['a.csv', 'images/1.png', 'images/x/2.png']
    """
    clean = [path.rstrip("/") for path in paths]
    return {file for file in files if any(file == path or file.startswith(f"{path}/") for path in clean)}
