"""Open a fitted estimator in a process of its own: no keys, no network, only the libraries of who fitted it.

The interpreter is that of the stage that made the estimator; Mintage need not be in it. The file comes from the store
by digest, into a scratch folder; the rows that it shall answer go beside it. What comes back are parameters and answers
as JSON and npz, which our process reads without trusting them. One process answers all questions about one estimator:
importing scikit-learn takes longer than the answers. See ``confinement`` for what the process may touch.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mintage.errors import InterpreterError, RunError
from mintage.lower import extraction
from mintage.pipeline.confinement import Applied, Limits, confined_command, read_applied, readable
from mintage.pipeline.determinism import variables as variables_of
from mintage.pipeline.environment import Environment, named_interpreter, ready_environment
from mintage.pipeline.estimator_file import PICKLES
from mintage.pipeline.graph import maker_of
from mintage.pipeline.sandbox import Dialogue, Scratch, open_dialogue, stage_environment, tail_of
from mintage.repo.locks import Item
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Extractor", "environment_of_estimator", "open_extractor", "use_of"]

_OLDEST = (3, 10)


class Extractor:
    """A running process that answers rows: call it with a rows file and a folder, which is replaced.

    It raises RunError if the process fails; a refusal is written to the folder and raised by who reads it. ``applied``
    says what the process was kept from.
    """

    def __init__(self, dialogue: Dialogue, scratch: Scratch, *, where: str, limits: Limits, applied: Applied) -> None:
        self.applied = applied
        self._dialogue, self._scratch, self._where, self._limits = dialogue, scratch, where, limits

    def __call__(self, rows: Path, out: Path, options: Mapping[str, Any] | None = None) -> None:
        """Answer ``rows`` into ``out``; ``options`` asks for more, see docs/spec/estimator-description.md."""
        private_rows, made = self._scratch.work / "rows.npz", self._scratch.work / "out"
        shutil.copyfile(rows, private_rows)
        made.mkdir()
        asked = json.dumps([str(private_rows), str(made), dict(options or {})])
        if self._dialogue.ask(asked, timeout_s=self._limits.timeout_s, watch=self._watch) != "done":
            raise RunError(
                "the process that opens the estimator failed",
                found=tail_of(_log(self._scratch), lines=8) or f"no answer in {self._limits.timeout_s:g} s",
                where=self._where,
            )
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(made, out)
        self._check(out)

    def _watch(self) -> None:
        """Raise RunError when the process fills its folder."""
        used, files = use_of(self._scratch.base)
        if used > self._limits.folder_bytes or files > self._limits.folder_files:
            raise RunError(
                "the process that opens the estimator writes too much",
                expected=f"at most {self._limits.folder_bytes} bytes in {self._limits.folder_files} files",
                found=f"{used} bytes in {files} files",
                where=self._where,
            )

    def _check(self, out: Path) -> None:
        """Only plain files are read: a link could lead us to what the process itself may not read."""
        plain = not out.is_symlink() and out.is_dir()
        for path in out.iterdir() if plain else ():
            plain = plain and path.is_file() and not path.is_symlink()
        if not plain:
            raise RunError(
                "the process that opens the estimator answered with something else than files", where=self._where
            )


@contextlib.contextmanager
def open_extractor(workspace: Workspace, estimator: Item, *, limits: Limits | None = None) -> Iterator[Extractor]:
    """Start the process that opens ``estimator``. Raises InterpreterError if its environment lacks what is needed."""
    limits = limits or Limits.of_this_machine()
    environment = environment_of_estimator(workspace, estimator)
    with Scratch(workspace.tmp_dir) as scratch:
        source, log = scratch.work / Path(estimator.path).name, _log(scratch)
        Store(workspace.store_dir).checkout(estimator.digest, source)
        report, written = os.pipe()
        try:
            command = confined_command(
                extraction.dialogue_command(source, python=environment.python),
                read=readable(environment, state=workspace.state, more=[Path(extraction.__file__).parent]),
                write=[str(scratch.work), str(scratch.private)],
                limits=limits,
                report=written,
            )
            # One thread and no helper processes: the sums, and so the last bits of an answer, must not depend on the
            # machine's number of cores.
            variables = stage_environment(scratch, seed=0, threads=1, declared=(), environment=environment)
            variables["JOBLIB_MULTIPROCESSING"] = "0"
            variables |= _level_variables(workspace, estimator, environment)
            opened = open_dialogue(command, folder=scratch.work, environment=variables, log=log, keep=written)
            with opened as dialogue:
                os.close(written)
                written, applied = -1, read_applied(report, log=log)
                report = -1
                yield Extractor(dialogue, scratch, where=estimator.path, limits=limits, applied=applied)
        finally:
            for descriptor in (report, written):
                if descriptor >= 0:
                    os.close(descriptor)


def environment_of_estimator(workspace: Workspace, estimator: Item) -> Environment:
    """The environment that opens ``estimator``; raises InterpreterError if it lacks what is needed."""
    project = workspace.project()
    maker = maker_of(project.stages, estimator.path)
    if maker is not None and (image := project.stages[maker].image) is not None:
        raise InterpreterError(
            f"{estimator.path} was written in a container, in which no estimator is opened",
            expected="a stage that runs with `python:`",
            found=f"image: {image}",
            where=PROJECT_FILE,
            hint="let the last stage, which fits the model, run with a locked environment: `python: {lock: …}`",
        )
    with StatCache(workspace.cache_database) as cache:
        named = named_interpreter(project, maker)
        # Asked in a process of its own in any case: the import path of ours may name folders that -I leaves out.
        environment = ready_environment(workspace, cache, named or sys.executable, tell=lambda _: None)
    version = environment.frozen["python"]
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise InterpreterError(
            f"the environment that opens {estimator.path} is too old",
            expected=f"Python {'.'.join(map(str, _OLDEST))} or later",
            found=f"Python {version}",
            where=environment.python,
            hint="make the environment of the stage that writes it with a later Python",
        )
    needed = ("numpy", "joblib") if Path(estimator.path).suffix.lower() in PICKLES else ("numpy",)
    missing = [name for name in needed if name not in environment.modules]
    if missing:
        raise InterpreterError(
            f"the environment that opens {estimator.path} has no {' and no '.join(missing)}",
            expected=f"{', '.join(needed)} and the library of the estimator",
            where=environment.python,
            hint=f"add {' and '.join(missing)} to what is locked"
            if environment.locked is not None
            else f"install {' and '.join(missing)} there: `{environment.named} -m pip install …`",
        )
    return environment


def _level_variables(workspace: Workspace, estimator: Item, environment: Environment) -> dict[str, str]:
    """What the determinism level of the stage that wrote it sets: its answers are to be as portable as itself."""
    stages = workspace.project(allow_unmade=True).stages
    maker = maker_of(stages, estimator.path)
    level = stages[maker].determinism if maker is not None else "off"
    return variables_of(level, seed=0, threads=1, machine=platform.machine(), numpy=environment.version_of("numpy"))


def _log(scratch: Scratch) -> Path:
    return scratch.private / "extraction.log"


def use_of(folder: Path) -> tuple[int, int]:
    """Bytes and number of files below ``folder``, which somebody is changing."""
    used = files = 0
    for base, _, names in os.walk(folder):
        for name in names:
            files += 1
            with contextlib.suppress(FileNotFoundError):
                used += Path(base, name).lstat().st_blocks * 512
    return used, files
