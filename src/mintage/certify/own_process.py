"""Run a project's own check in a process of its own: no keys, no network, no file of the project, limits of all kinds.

The interpreter is that of the stage that fitted the model where it has what is needed, else Mintage's own. Rows and
answers go and come as npz and JSON; nothing is unpickled, and a file of the process is read only if it is a plain one
of a sane size. See ``inside`` for the other end, and ``pipeline.confinement`` for what the process may touch.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.inside import tables
from mintage.certify.own_code import OwnFile, OwnFound
from mintage.certify.probing import take
from mintage.certify.served import Columns, Served
from mintage.errors import ExtraMissingError, FileMissingError, MintageError, OwnCheckError
from mintage.lower.description import read_arrays
from mintage.pipeline.confinement import Limits, confined_command, read_applied, readable
from mintage.pipeline.environment import Environment, named_interpreter, ready_environment
from mintage.pipeline.extract import use_of
from mintage.pipeline.graph import maker_of
from mintage.pipeline.sandbox import Dialogue, Scratch, open_dialogue, stage_environment, tail_of
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["ConfinedCode", "limits_of"]

_OLDEST = (3, 10)
_INSIDE = Path(tables.__file__).parent
_MOST_ROWS = 1_000_000
_LINES = 6


def limits_of(check_limit_s: float) -> Limits:
    """What an own check may use. It ends a little before the limit of the check, so that what it said can be told."""
    machine = Limits.of_this_machine()
    return Limits(
        memory_bytes=min(machine.memory_bytes, 4 << 30),
        file_bytes=256 << 20,
        folder_bytes=2 << 30,
        folder_files=1_000,
        timeout_s=check_limit_s - min(1.0, 0.1 * check_limit_s),
    )


class ConfinedCode:
    """The project's files, run one question at a time; the same question is answered once."""

    def __init__(self, workspace: Workspace, files: Mapping[str, OwnFile], *, estimator: str, limits: Limits) -> None:
        self._workspace, self._files, self._estimator, self._limits = workspace, files, estimator, limits
        self._known: dict[tuple[str, str], OwnFound | MintageError] = {}

    def file(self, path: str) -> OwnFile:
        """See OwnCode."""
        if path not in self._files:
            raise FileMissingError(f"{path} is not there", where=path, hint="write it, and commit it")
        return self._files[path]

    def run(
        self,
        file: OwnFile,
        job: Mapping[str, Any],
        *,
        files: Mapping[str, Mapping[str, NDArray[Any]]],
        served: Served | None,
        columns: Columns,
        needs: tuple[str, ...] = ("numpy",),
    ) -> OwnFound:
        """See OwnCode."""
        line = json.dumps({**job, "path": file.path}, sort_keys=True)
        known = self._known.get((file.digest, line))
        if known is None:
            try:
                known = self._ask(file, line, files, _Model(served, columns), needs)
            except MintageError as error:  # one that fails or hangs does it once
                known = error
            self._known[file.digest, line] = known
        if isinstance(known, MintageError):
            raise known
        return known

    def _ask(
        self,
        file: OwnFile,
        line: str,
        files: Mapping[str, Mapping[str, NDArray[Any]]],
        model: _Model,
        needs: tuple[str, ...],
    ) -> OwnFound:
        environment = self._environment(needs)
        with Scratch(self._workspace.tmp_dir) as scratch:
            (scratch.work / "code.py").write_bytes(file.data)
            for name, arrays in files.items():
                _save(scratch.work / f"{name}.npz", arrays)
            session = _Session(scratch, self._limits, model, file.path)
            with _opened(scratch, environment, self._workspace, self._limits) as dialogue:
                session.talk(dialogue, line)
            # The process has ended: what it wrote cannot change while it is read.
            arrays = session.take("result.npz")
            return OwnFound(text=_plain_bytes(scratch.work / "result.json", most=1 << 20), arrays=arrays)

    def _environment(self, needs: tuple[str, ...]) -> Environment:
        """The stage's interpreter if it has what is needed, else ours."""
        project = self._workspace.project()
        named = named_interpreter(project, maker_of(project.stages, self._estimator))
        with StatCache(self._workspace.cache_database) as cache:
            for python in dict.fromkeys((named or sys.executable, sys.executable)):
                environment = ready_environment(self._workspace, cache, python, tell=lambda _: None)
                version = tuple(int(part) for part in environment.frozen["python"].split(".")[:2])
                installed = {str(package["name"]) for package in environment.frozen["packages"]}
                missing = [name for name in needs if name not in installed]
                if version >= _OLDEST and not missing:
                    return environment
        raise ExtraMissingError(
            f"the relations need {', '.join(missing)}, which is not installed",
            expected=", ".join(needs),
            where=environment.python,
            hint="install it: pip install 'mintage[relations]'",
        )


@contextlib.contextmanager
def _opened(scratch: Scratch, environment: Environment, workspace: Workspace, limits: Limits) -> Iterator[Dialogue]:
    """The process, closed off, in the scratch folder's work."""
    report, written = os.pipe()
    try:
        # Not -I: it would ignore PYTHONHASHSEED, and a set of texts have another order each time. Of what it keeps out
        # nothing gets in: the variables are ours, the home is a scratch folder, and the script's folder is taken out.
        command = confined_command(
            [environment.python, "-s", "-u", str(_INSIDE / "__main__.py")],
            read=readable(environment, state=workspace.state, more=[_INSIDE]),
            write=[str(scratch.work), str(scratch.private)],
            limits=limits,
            report=written,
        )
        variables = stage_environment(scratch, seed=0, threads=1, declared=(), environment=environment)
        log = _log(scratch)
        with open_dialogue(command, folder=scratch.work, environment=variables, log=log, keep=written) as dialogue:
            os.close(written)
            written = -1
            opened, report = report, -1
            read_applied(opened, log=log)
            yield dialogue
    finally:
        for descriptor in (report, written):
            if descriptor >= 0:
                os.close(descriptor)


class _Model:
    """The served model, as the process may ask it: about rows with the inputs of ``columns``."""

    def __init__(self, served: Served | None, columns: Columns) -> None:
        self._served = served
        self._texts = {name: column.dtype.kind == "O" for name, column in columns.items()}

    def answer(self, columns: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """The ``values`` of rows, NaN of those that are not ``accepted``; raises ValueError for what are no rows."""
        if self._served is None:
            raise ValueError("there is no served model")
        self._check(columns)
        accepted = self._served.accepts(columns)
        places = np.flatnonzero(accepted)
        found = self._served.ask(take(columns, places)).values
        values = np.full((len(accepted), *found.shape[1:]), np.nan)
        values[places] = found
        return {"values": values, "accepted": accepted}

    def columns_of(self, lists: dict[str, list[Any]]) -> dict[str, Any]:
        """Columns from lists of their values; raises ValueError or TypeError for other values than the inputs'."""
        found = {}
        for name, values in lists.items():
            if self._texts.get(name, True):
                if not all(value is None or isinstance(value, str) for value in values):
                    raise ValueError(f"{name} takes texts")
                found[name] = np.empty(len(values), dtype=object)
                found[name][:] = values
            elif any(isinstance(value, str) for value in values):
                raise ValueError(f"{name} takes numbers")
            else:
                found[name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        return found

    def _check(self, columns: dict[str, Any]) -> None:
        if set(columns) != set(self._texts):
            raise ValueError(f"the inputs are {', '.join(sorted(self._texts))}, not {', '.join(sorted(columns))}")
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1 or not 1 <= max(lengths) <= _MOST_ROWS:
            raise ValueError(f"columns must have 1 to {_MOST_ROWS:,} rows, all the same")
        for name, column in columns.items():
            if column.ndim != 1 or (column.dtype.kind == "O") != self._texts[name]:
                raise ValueError(f"{name} takes {'texts' if self._texts[name] else 'numbers'}")


class _Session:
    """One question, and the rows that are asked on the way to its answer."""

    def __init__(self, scratch: Scratch, limits: Limits, model: _Model, path: str) -> None:
        self._scratch, self._limits, self._model, self._path = scratch, limits, model, path
        self._ours = scratch.base / "ours"  # the process cannot write there
        self._ours.mkdir()

    def talk(self, dialogue: Dialogue, line: str) -> None:
        """Until it is done; raises OwnCheckError if it does not come to that."""
        deadline = time.monotonic() + self._limits.timeout_s
        while True:
            left_s = deadline - time.monotonic()
            answer = dialogue.ask(line, timeout_s=max(0.0, left_s), watch=self._watch)
            if answer == "done":
                return
            if answer is None or not answer.startswith("ask"):
                raise self._failed(overdue=answer is None and time.monotonic() > deadline - 0.1)
            line = json.dumps(self._answered(answer[len("ask ") :]))

    def _answered(self, few: str) -> dict[str, Any]:
        """Answer the rows that the process asks for, ``few`` or a file; what is wrong with them is told to it."""
        try:
            if few:
                answered = self._model.answer(self._model.columns_of(json.loads(few)))
                return {name: array.tolist() for name, array in answered.items()}
            answered = self._model.answer(tables.unpack(self.take("ask.npz")))
        except (MintageError, KeyError, ValueError, TypeError, AttributeError) as error:
            return {"refused": f"the rows cannot be asked: {error}"[:400]}
        _save(self._ours / "answers.npz", answered)
        (self._ours / "answers.npz").replace(self._scratch.work / "answers.npz")  # never through a link
        return {}

    def take(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays of a file of the process."""
        target = self._ours / name
        target.write_bytes(_plain_bytes(self._scratch.work / name, most=self._limits.file_bytes))
        return read_arrays(target)

    def _watch(self) -> None:
        used, files = use_of(self._scratch.base)
        if used > self._limits.folder_bytes or files > self._limits.folder_files:
            raise OwnCheckError(
                f"{self._path} writes too much", found=f"{used} bytes in {files} files", where=self._path
            )

    def _failed(self, *, overdue: bool) -> OwnCheckError:
        log = _log(self._scratch)
        said = tail_of(log, lines=_LINES).replace(str(self._scratch.base), "") if log.is_file() else ""
        if overdue:
            message = f"{self._path} was stopped after {self._limits.timeout_s:g} s"
        else:
            message = f"{self._path} broke off"
        return OwnCheckError(message, found=said[-600:] or "it said nothing", where=self._path)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    anything: Any = dict(arrays)  # the stub of savez takes its last keyword for the type of all
    with path.open("wb") as stream:
        np.savez(stream, **anything)


def _plain_bytes(path: Path, *, most: int) -> bytes:
    """A file's bytes, if it is a plain file: a link could lead to what the process itself may not read."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as stream:
            status = os.fstat(opened)
            if stat.S_ISREG(status.st_mode) and status.st_size <= most:
                return stream.read(most)
    except OSError:
        pass
    raise OwnCheckError("the check answered with something else than a file", where=path.name)


def _log(scratch: Scratch) -> Path:
    return scratch.private / "own.log"
