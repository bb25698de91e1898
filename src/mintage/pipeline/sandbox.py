"""Run a command in a scratch folder that holds its declared inputs and code, and no other data of the project.

An input that was not declared is not there, so the command fails instead of reading it unnoticed. The command gets a
small environment (PATH, locale, threads, declared variables; no secrets of the user), its own process group, and is
ended with all its children when Mintage is interrupted or killed. Files outside the project can still be read by
absolute path, and the network is not closed: this is the thin form. (``confinement`` is the thick one.)

``run_command`` waits for the end; ``open_dialogue`` keeps a command that answers line by line, so that what it costs
to start is paid once.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mintage.errors import MissingToolError, RunError, StageStoppedError
from mintage.pipeline.environment import Environment
from mintage.pipeline.guard import guarded
from mintage.pipeline.leftover import end_leftovers
from mintage.pipeline.secret import mask_file, secret_values

__all__ = ["Dialogue", "Finished", "Scratch", "open_dialogue", "run_command", "stage_environment", "tail_of"]

_LOOK_UP_S, _POLL_S = 0.5, 0.02
_PASSED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "TZ")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")

_WATCH_S, _GRACE_S = 0.5, 0.5
_MARK = "MINTAGE_COMMAND"
_ANSWER_BYTES = 64 << 10
_TAIL_BYTES = 64 << 10


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a command ended: exit code (negative: signal), seconds, whether it ran into its time limit, and programs that
    it ``left`` running, which were ended."""

    exit_code: int
    duration_s: float
    timed_out: bool
    left: tuple[str, ...] = ()


class Scratch:
    """A new folder for one command; a context manager that deletes it, whatever happened."""

    def __init__(self, parent: Path) -> None:
        self.base = parent / secrets.token_hex(8)
        self.work = self.base / "work"
        self.private = self.base / "private"

    def __enter__(self) -> Scratch:
        self.work.mkdir(parents=True)
        for name in ("home", "tmp"):
            (self.private / name).mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.base, ignore_errors=True)


def stage_environment(
    scratch: Scratch,
    *,
    seed: int | None,
    threads: int | None,
    declared: Sequence[str],
    environment: Environment | None = None,
) -> dict[str, str]:
    """The environment variables that a stage sees; its interpreter comes first on its PATH."""
    # OpenMP spins at every barrier unless told not to: beside other work, a fit then takes several times as long.
    result = {"OMP_WAIT_POLICY": "PASSIVE"}
    result |= {name: os.environ[name] for name in (*_PASSED, *declared) if name in os.environ}
    if environment is not None and environment.named is not None:
        result |= _activated(Path(environment.python), result)
    elif environment is not None:  # so that `sh -c "python x.py"` starts the same one as `python x.py`
        result["PATH"] = _path_with(Path(environment.python).parent, result)
    result |= {
        "HOME": str(scratch.private / "home"),
        "TMPDIR": str(scratch.private / "tmp"),
        "PYTHONHASHSEED": str((seed or 0) % 2**32),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "MINTAGE_METRICS": str(scratch.private / "metrics.jsonl"),
        "MINTAGE_PARAMS": str(scratch.private / "params.json"),
    }
    if seed is not None:
        result["MINTAGE_SEED"] = str(seed)
    if threads is not None:
        result |= dict.fromkeys(_THREADS, str(threads))
    return result


def _activated(python: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """PATH with the interpreter's folder in front, and VIRTUAL_ENV of its own environment or of none."""
    home = python.parent.parent
    path = _path_with(python.parent, variables)
    return {"PATH": path, "VIRTUAL_ENV": str(home) if (home / "pyvenv.cfg").is_file() else ""}


def _path_with(folder: Path, variables: Mapping[str, str]) -> str:
    return os.pathsep.join([str(folder), *filter(None, [variables.get("PATH")])])


def run_command(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    timeout_s: float | None = None,
    python: str = sys.executable,
    before: Callable[[], None] | None = None,
    started: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run ``command`` in ``folder`` with its output in ``log``; ends all that it started on a time-out or an interrupt,
    when this process is killed, and what it leaves behind. Values of variables that look secret are masked in the log
    when it has ended.

    The words ``python`` and ``python3`` at its beginning mean the interpreter ``python``. The child calls ``before``
    (which only makes system calls) just before it becomes the command; ``started`` is called here once it runs. Where
    ``stop`` says so, twice a second, the command is ended and StageStoppedError raised.
    """
    command = [python, *command[1:]] if command[0] in ("python", "python3") else command
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    marker = f"{_MARK}={secrets.token_hex(16)}"
    with log.open("ab") as sink, guarded(marker):
        process = _start(
            command,
            folder,
            {**environment, _MARK: marker.partition("=")[2]},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            before=before,
        )
        left: tuple[str, ...] = ()
        try:
            started()
            code, timed_out = _wait(process, timeout_s, stop), False
            left = end_leftovers(marker, grace_s=_GRACE_S)
        except subprocess.TimeoutExpired:
            _end(process)
            end_leftovers(marker, grace_s=0.0)
            code, timed_out = process.returncode, True
        except BaseException:
            _end(process)
            end_leftovers(marker, grace_s=0.0)
            raise
        finally:
            _end(process)
            mask_file(log, secret_values(environment))
    return Finished(exit_code=code, duration_s=time.monotonic() - began, timed_out=timed_out, left=left)


class Dialogue:
    """A running command that answers each line on its standard input with one line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self, line: str, *, timeout_s: float, watch: Callable[[], None] = lambda: None) -> str | None:
        """The answer without its end of line; None if the command ended, or did not answer in time and in few bytes.

        ``watch`` is called twice a second while waiting, and may raise.
        """
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None and answers is not None
        try:
            asks.write(line.encode() + b"\n")
            asks.flush()
        except BrokenPipeError:
            return None
        found, deadline = b"", time.monotonic() + timeout_s
        while not found.endswith(b"\n"):
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([answers], [], [], min(_WATCH_S, left_s))[0]:
                watch()
                if left_s <= _WATCH_S:
                    return None
                continue
            part = os.read(answers.fileno(), 4096)
            if not part or len(found) > _ANSWER_BYTES:
                return None
            found += part
        return found.decode(errors="replace").rstrip("\n")


def tail_of(log: Path, *, lines: int) -> str:
    """The last lines of a log, which may be very long."""
    with log.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return "\n".join(stream.read(_TAIL_BYTES).decode(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def open_dialogue(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, keep: int | None = None
) -> Iterator[Dialogue]:
    """Start ``command`` in ``folder`` with its standard error in ``log``; its whole group ends with the block.

    It inherits the descriptor ``keep``.
    """
    command = [sys.executable, *command[1:]] if command[0] in ("python", "python3") else command
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        pipe = subprocess.PIPE
        process = _start(command, folder, environment, stdin=pipe, stdout=pipe, stderr=sink, keep=keep)
        try:
            yield Dialogue(process)
        finally:
            _end(process)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()


def _start(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    stdin: int,
    stdout: int | BinaryIO,
    stderr: int | BinaryIO,
    keep: int | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=() if keep is None else (keep,),
            preexec_fn=_die_with_parent(before) if sys.platform == "linux" else None,  # noqa: PLW1509 only system calls
        )
    except FileNotFoundError:
        raise MissingToolError(
            f"the program {command[0]!r} was not found", hint="install it, or correct `run:` of the stage"
        ) from None
    except PermissionError as error:
        raise RunError(f"the program {command[0]!r} cannot be run", found=str(error)) from error


def _wait(process: subprocess.Popen[bytes], timeout_s: float | None, stop: Callable[[], bool]) -> int:
    """The exit code; raises subprocess.TimeoutExpired.

    It looks up every now and then: a Ctrl-C that comes just before a call blocks wakes nobody, and would be lost.
    """
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
    ended: int | None = None
    with contextlib.suppress(AttributeError, OSError):  # other systems, older kernels
        ended = os.pidfd_open(process.pid)
    try:
        while (code := process.poll()) is None:
            left_s = deadline - time.monotonic()
            if stop():
                raise StageStoppedError(
                    "the command was ended because the run was", hint="run again: it goes on from here"
                )
            if left_s <= 0:
                raise subprocess.TimeoutExpired(process.args, timeout_s or 0.0)
            if ended is not None:
                select.select([ended], [], [], min(_LOOK_UP_S, left_s))
            else:
                time.sleep(min(_POLL_S, left_s))
    finally:
        if ended is not None:
            os.close(ended)
    return code


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the process's group: ask, wait two seconds, then kill."""
    for number, patience_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _die_with_parent(then: Callable[[], None] | None) -> Callable[[], None]:
    """For the child: ask the kernel to kill it when Mintage dies, even by SIGKILL (PR_SET_PDEATHSIG); then ``then``.

    The library is opened here, not in the child, where another thread's lock on the loader would never be released.
    """
    import ctypes

    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(1, signal.SIGKILL)
        if then is not None:
            then()

    return ask
