"""Build an environment from a lock at an empty place: find the tools, call them, say what went wrong."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mintage.errors import EnvironmentUnbuiltError
from mintage.pipeline.locked.failure import meaning
from mintage.pipeline.locked.recipe import Tools, recipe
from mintage.pipeline.locked.resolve import own_minor
from mintage.repo.locked_python import LockedPython, kind_of

__all__ = ["find_uv", "install", "tools_for"]

_PATIENCE_S = 3600.0
_LEFT_OUT = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_LOCKED", "UV_FROZEN")


def find_uv() -> str | None:
    """The program uv: on PATH, or beside the Python that runs this."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))


def tools_for(version: str) -> Tools:
    """What this machine has to build an environment of Python ``version`` (two numbers) with."""
    own = own_minor() == version
    return Tools(
        uv=find_uv(),
        pip=sys.executable if importlib.util.find_spec("pip") else None,
        python=sys.executable if own else shutil.which(f"python{version}"),
    )


def install(root: Path, locked: LockedPython, home: Path, *, version: str, default_groups: bool = False) -> str:
    """Build the environment of ``locked`` in the project at ``root`` at ``home``, which is not there; returns what
    built it, ``uv`` or ``pip``. Raises EnvironmentUnbuiltError, and leaves what it had made."""
    tools = tools_for(version)
    commands = recipe(locked, tools=tools, home=str(home), version=version, default_groups=default_groups)
    if commands is None:
        raise _without_tools(locked, tools, version)
    for command in commands:
        _call(command, root=root, home=home, locked=locked, version=version)
    return "uv" if tools.uv is not None else "pip"


def _without_tools(locked: LockedPython, tools: Tools, version: str) -> EnvironmentUnbuiltError:
    by_pip = kind_of(locked.lock) == "requirements"
    lacks = "pip" if tools.pip is None else f"Python {version}"
    return EnvironmentUnbuiltError(
        f"the environment of {locked} cannot be built here",
        expected=f"uv, or pip and Python {version}" if by_pip else "uv, which reads that lock",
        found=f"no uv and no {lacks}" if by_pip else "no uv",
        where=locked.lock,
        hint="`pip install uv`",
    )


def _call(command: Sequence[str], *, root: Path, home: Path, locked: LockedPython, version: str) -> None:
    given = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**given, "UV_PROJECT_ENVIRONMENT": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
            preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
        )
        said, code = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:], done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, code = str(error), 1
    if code != 0:
        what, hint = meaning(said, version=version)
        raise EnvironmentUnbuiltError(
            f"the environment of {locked} could not be built" + (f": {what}" if what else ""),
            found=said or f"exit code {code}",
            where=locked.lock,
            hint=hint,
        )


def _die_with_parent() -> Callable[[], None]:
    """For the child: have the kernel end it when this process dies, so that nobody goes on filling a folder."""
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
