"""The commands that build an environment from a lock. Pure.

No source is built, nothing is resolved, no file is linked to the installer's cache (what is changed in one environment
would be changed in all), no Python is downloaded.

>>> recipe(LockedPython(lock="r.txt"), tools=Tools(uv="uv"), home="h", version="3.12")[0]
('uv', 'venv', '-q', '--no-project', '--no-python-downloads', '--python', '3.12', 'h')
>>> recipe(LockedPython(lock="r.txt"), tools=Tools(pip="python3.12", python="python3.12"), home="h", version="3.12")[0]
('python3.12', '-m', 'venv', '--without-pip', 'h')
>>> recipe(LockedPython(lock="uv.lock"), tools=Tools(pip="python"), home="h", version="3.12") is None
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mintage.repo.locked_python import LockedPython, kind_of

__all__ = ["Tools", "recipe"]

Command = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What this machine can build with: the program uv; a Python that has pip; the Python of the wanted version."""

    uv: str | None = None
    pip: str | None = None
    python: str | None = None


def recipe(
    locked: LockedPython, *, tools: Tools, home: str, version: str, default_groups: bool = False
) -> list[Command] | None:
    """The commands, to be called in the project's folder; None if the tools cannot do it.

    ``default_groups``: those that the project calls so are taken of a uv.lock too.
    """
    kind, made = kind_of(locked.lock), f"{home}/bin/python"
    chosen = [word for name in locked.extras for word in ("--extra", name)]
    chosen += [word for name in locked.groups for word in ("--group", name)]
    if tools.uv is not None:
        make = (tools.uv, "venv", "-q", "--no-project", "--no-python-downloads", "--python", version, home)
        return [make, _install(tools.uv, locked, made, chosen, default_groups=default_groups)]
    if kind == "requirements" and tools.pip is not None and tools.python is not None:
        return [
            (tools.python, "-m", "venv", "--without-pip", home),
            (
                *(tools.pip, "-m", "pip", "--python", made, "install", "-q", "--disable-pip-version-check"),
                *("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", locked.lock),
            ),
        ]
    return None


def _install(uv: str, locked: LockedPython, made: str, chosen: Sequence[str], *, default_groups: bool) -> Command:
    """What fills an empty environment by uv; the folder that uv sync fills is in a variable."""
    kind = kind_of(locked.lock)
    # Stages run without writing byte code: without this, each would compile all that it imports.
    copied = ("--link-mode", "copy", "--compile-bytecode", "--no-python-downloads")
    if kind == "uv":
        folder = locked.lock.rpartition("/")[0] or "."
        groups = () if default_groups else ("--no-default-groups",)
        return (
            *(uv, "sync", "-q", "--frozen", "--no-build", "--no-install-workspace", *groups, *copied),
            *("--project", folder, "--python", made, *chosen),
        )
    sync = (uv, "pip", "sync", "-q", "--only-binary", ":all:", *copied, "--python", made)
    if kind == "pylock":
        return (*sync, *chosen, locked.lock)
    return (*sync, "--require-hashes", "--allow-empty-requirements", locked.lock)
