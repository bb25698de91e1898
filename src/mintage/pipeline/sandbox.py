"""Run a command in a scratch folder that holds its declared inputs and code, and nothing else of the project.

An input that was not declared is not there, so the command fails instead of reading it unnoticed. The command gets a
small environment (PATH, locale, threads, declared variables; no secrets of the user), its own process group, and is
ended with all its children when Mintage is interrupted or killed. Files outside the project can still be read by
absolute path, and the network is not closed: this is the thin form.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import MissingToolError, RunError

__all__ = ["Finished", "Scratch", "run_command", "stage_environment"]

_PASSED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "TZ")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a command ended: exit code (negative: signal), seconds, and whether it ran into its time limit."""

    exit_code: int
    duration_s: float
    timed_out: bool


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
    scratch: Scratch, *, seed: int | None, threads: int | None, declared: Sequence[str]
) -> dict[str, str]:
    """The environment variables that a stage sees."""
    result = {name: os.environ[name] for name in (*_PASSED, *declared) if name in os.environ}
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


def run_command(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, timeout_s: float | None = None
) -> Finished:
    """Run ``command`` in ``folder`` with its output in ``log``; ends its whole group on a time-out or an interrupt."""
    program = [sys.executable, *command[1:]] if command[0] in ("python", "python3") else list(command)
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("ab") as sink:
        try:
            process = subprocess.Popen(
                program,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Safe: the process has one thread here, and prctl takes no lock.
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        except FileNotFoundError:
            raise MissingToolError(
                f"the program {command[0]!r} was not found", hint="install it, or correct `run:` of the stage"
            ) from None
        except PermissionError as error:
            raise RunError(f"the program {command[0]!r} cannot be run", found=str(error)) from error
        try:
            code = process.wait(timeout_s)
            return Finished(exit_code=code, duration_s=time.monotonic() - started, timed_out=False)
        except subprocess.TimeoutExpired:
            _end(process)
            return Finished(exit_code=process.returncode, duration_s=time.monotonic() - started, timed_out=True)
        finally:
            _end(process)


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


def _die_with_parent() -> None:
    """In the child: ask the kernel to kill it when Mintage dies, even by SIGKILL (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
