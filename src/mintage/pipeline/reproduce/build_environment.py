"""Build an environment from the lock of a revision, in an empty folder.

A lock is uv.lock or pylock.toml (both need ``uv``), or a requirements file in which every package has a hash (``uv`` or
``pip``). It never resolves anything: what the lock does not pin is not built.

>>> recipe(["uv.lock"], [], uv="uv", home="h", version="3.11", own="3.11", python="python")[1][-1]
('uv', 'sync', '-q', '--frozen', '--no-install-project')
>>> recipe(["uv.lock"], [], uv=None, home="h", version="3.11", own="3.11", python="python") is None
True
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mintage.errors import EnvironmentUnbuiltError

__all__ = ["build_environment", "recipe"]

_PATIENCE_S = 3600.0
_LOCKS = ("uv.lock", "pylock.toml")


def build_environment(root: Path, home: Path, *, version: str, tell: Callable[[str], None]) -> tuple[str, str]:
    """Build the environment that a lock in ``root`` pins at ``home``, for Python ``version`` (empty: that of this).

    Returns its interpreter and the lock's name. Raises EnvironmentUnbuiltError.
    """
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    locks = [name for name in _LOCKS if (root / name).is_file()]
    hashed = [path.name for path in sorted(root.glob("requirements*.txt")) if _is_hashed(path)]
    found = recipe(
        locks,
        hashed,
        uv=shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)),
        home=str(home),
        version=".".join(version.split(".")[:2]) or own,
        own=own,
        python=sys.executable,
    )
    if found is None:
        raise EnvironmentUnbuiltError(
            "the environment of that revision cannot be built here",
            expected="uv.lock or pylock.toml, and the program uv; or requirements*.txt with a hash for every package",
            found=f"{(locks + hashed)[0]}, but no uv" if locks + hashed else "no such lock in that revision",
            hint="commit one beside mintage.yaml: `uv lock`, or `pip-compile --generate-hashes`",
        )
    lock, commands = found
    tell(f"building the environment of {lock}")
    for command in commands:
        _call(command, root=root, home=home, lock=lock)
    return str(home / "bin/python"), lock


def recipe(
    locks: Sequence[str], hashed: Sequence[str], *, uv: str | None, home: str, version: str, own: str, python: str
) -> tuple[str, list[tuple[str, ...]]] | None:
    """The lock to take and the commands that build it at ``home``; None if that cannot be done. Pure.

    ``pip`` makes environments only of the version that runs this (``own``), whose interpreter is ``python``.
    """
    made = f"{home}/bin/python"
    if uv is not None and (locks or hashed):
        first = (uv, "venv", "-q", "--python", version, home)
        if not locks:
            return hashed[0], [first, (uv, "pip", "sync", "-q", "--require-hashes", "--python", made, hashed[0])]
        if locks[0] == "uv.lock":
            return locks[0], [first, (uv, "sync", "-q", "--frozen", "--no-install-project")]
        return locks[0], [first, (uv, "pip", "sync", "-q", "--python", made, locks[0])]
    if hashed and version == own:
        install = (python, "-m", "pip", "--python", made, "install", "-q", "--require-hashes", "--no-deps", "-r")
        return hashed[0], [(python, "-m", "venv", "--without-pip", home), (*install, hashed[0])]
    return None


def _is_hashed(path: Path) -> bool:
    """Whether every requirement in the file has a hash."""
    text = re.sub(r"\\\n", " ", path.read_text(errors="replace"))
    lines = [line.strip() for line in text.splitlines()]
    asked = [line for line in lines if line and not line.startswith(("#", "-"))]
    return bool(asked) and all("--hash=" in line for line in asked)


def _call(command: Sequence[str], *, root: Path, home: Path, lock: str) -> None:
    given = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**given, "UV_PROJECT_ENVIRONMENT": str(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        said, code = done.stderr.decode(errors="replace").strip()[-2000:], done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, code = str(error), 1
    if code != 0:
        raise EnvironmentUnbuiltError(
            f"an environment could not be built from {lock}",
            found=said or f"exit code {code}",
            where=lock,
            hint="what it names may be gone from its index, or have no build for this machine",
        )
