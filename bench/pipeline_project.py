"""One pipeline of trivial stages, written for Mintage, DVC and snakemake: what bench/pipeline.py times.

Ten lanes of stages, each of which copies what the one before it in its lane wrote, by a script of a shell (which
starts in a millisecond; else Python would be timed), with one parameter. DVC and snakemake are given the script as an
input; Mintage finds it in the command.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["finish_dvc", "make_project"]

LANES = 10
FILES = {
    "step.sh": 'cat "$1" > "$2"\n',
    "params.yaml": "rate: 1\n",
    ".gitignore": "/.mintage/\n/.snakemake/\n/out/\n",
}


def make_project(folder: Path, *, stages: int, tool: str) -> None:
    """A committed project of so many stages in a new folder, in the form of ``tool``."""
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for lane in range(min(LANES, stages)):
        (folder / f"in/{lane}.txt").write_text(f"{lane}\n")
    name, write = _FORMS[tool]
    (folder / name).write_text("".join(write(stages)))
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "-qm", "start")


def finish_dvc(folder: Path, *, stages: int) -> None:
    """Outputs, cache and dvc.lock as `dvc repro` leaves them, whose cost of a stage grows with the number of stages."""
    lines = ["schema: '2.0'\nstages:\n"]
    for name, given, made in _steps(stages):
        data = (folder / given).read_bytes()
        (folder / made).write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        cached = folder / f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}"
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(data)
        lines.append(f"  {name}:\n    cmd: sh step.sh {given} {made}\n    params: {{params.yaml: {{rate: 1}}}}\n")
        lines.append(f"    deps: [{_entry(folder, given)}, {_entry(folder, 'step.sh')}]\n")
        lines.append(f"    outs: [{_entry(folder, made)}]\n")
    (folder / "dvc.lock").write_text("".join(lines))


def _entry(folder: Path, path: str) -> str:
    data = (folder / path).read_bytes()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return f"{{path: {path}, hash: md5, md5: '{digest}', size: {len(data)}}}"


def _steps(stages: int) -> Iterator[tuple[str, str, str]]:
    """Name, input and output of each stage."""
    for index in range(stages):
        before = f"in/{index}.txt" if index < LANES else f"out/{index - LANES:04}.txt"
        yield f"s{index:04}", before, f"out/{index:04}.txt"


def _mintage(stages: int) -> Iterator[str]:
    yield "project: bench\nstages:\n"
    for name, given, made in _steps(stages):
        yield f"  {name}: {{run: sh step.sh {given} {made}, in: [{given}], out: [{made}], params: [rate]}}\n"


def _dvc(stages: int) -> Iterator[str]:
    yield "stages:\n"
    for name, given, made in _steps(stages):
        reads = f"deps: [step.sh, {given}], params: [rate]"
        yield f"  {name}: {{cmd: sh step.sh {given} {made}, {reads}, outs: [{made}]}}\n"


def _snakemake(stages: int) -> Iterator[str]:
    yield f"configfile: 'params.yaml'\nrule all:\n    input: {[made for _, _, made in _steps(stages)]}\n"
    for name, given, made in _steps(stages):
        yield f"rule {name}:\n    input: 'step.sh', '{given}'\n    output: '{made}'\n    params: config['rate']\n"
        yield f"    shell: 'sh step.sh {given} {made}'\n"


_FORMS: dict[str, tuple[str, Callable[[int], Iterator[str]]]] = {
    "mintage": ("mintage.yaml", _mintage),
    "dvc": ("dvc.yaml", _dvc),
    "snakemake": ("Snakefile", _snakemake),
}


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)
