"""Which interpreter a project's own scripts run with, and what it lacks of what they import.

Nothing is installed. An interpreter is asked what it can import without running anything of the project, in a process
of its own that takes nothing from the user's variables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LOCK_FILES", "Found", "find_environment", "lock_files", "packages_of"]

LOCK_FILES = ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "pdm.lock", "conda-lock.yml", "pixi.lock")
_WISHES = ("requirements.txt", "environment.yml", "environment.yaml", "Pipfile", "pyproject.toml")
_ASK = (
    "import importlib.util as u, json, sys\n"
    "def has(name):\n"
    "    try:\n        return u.find_spec(name) is not None\n"
    "    except (ImportError, ValueError):\n        return False\n"
    "print(json.dumps([list(sys.version_info[:3]), [n for n in sys.argv[1:] if not has(n)]]))\n"
)
_PATIENCE_S = 60.0
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
    "cv2": "opencv-python",
    "PIL": "Pillow",
    "bs4": "beautifulsoup4",
    "skimage": "scikit-image",
    "dotenv": "python-dotenv",
    "dateutil": "python-dateutil",
    "umap": "umap-learn",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """``named`` is what mintage.yaml says (None: the interpreter that runs this), ``version`` its Python; ``missing``
    are modules that it lacks, ``why`` how it was chosen, ``passed_over`` an environment of the folder that was not
    taken, and why not."""

    named: str | None
    version: str
    missing: tuple[str, ...]
    why: str
    passed_over: str | None = None


def lock_files(names: Collection[str]) -> tuple[str, ...]:
    """Those names that say what is to be installed, exact ones first.

    >>> lock_files(["train.py", "requirements-dev.txt", "uv.lock"])
    ('uv.lock', 'requirements-dev.txt')
    """
    wishes = [name for name in sorted(names) if name.startswith("requirements") and name.endswith((".txt", ".lock"))]
    return tuple(
        dict.fromkeys(
            [
                *(name for name in LOCK_FILES if name in names),
                *wishes,
                *(name for name in _WISHES if name in names and name != "pyproject.toml"),
            ]
        )
    )


def packages_of(modules: Collection[str]) -> tuple[str, ...]:
    """What to install for modules, where the name differs.

    >>> packages_of(["sklearn", "polars"])
    ('polars', 'scikit-learn')
    """
    return tuple(sorted(_DISTRIBUTIONS.get(module, module) for module in modules))


def find_environment(
    root: Path, environments: Collection[str], modules: Collection[str], variables: Mapping[str, str]
) -> Found:
    """The environment of the folder, else the active one, else our own; one that lacks modules only if no other has
    them all. ``modules`` are the top names that the chosen scripts import."""
    wanted = sorted(set(modules) - set(sys.stdlib_module_names))
    own = Found(
        named=None,
        version=".".join(map(str, sys.version_info[:3])),
        missing=_ask(Path(sys.executable), wanted, isolated=False)[1],
        why="the interpreter that runs mintage",
    )
    found = [_of_folder(root, name, wanted) for name in _by_likelihood(environments)]
    found.append(_active(root, wanted, variables))
    usable = [each for each in found if each is not None]
    for each in usable:
        if not each.missing:
            return each
    if not usable:
        return own
    if own.missing:
        return usable[0]
    over = f"{usable[0].named} lacks {', '.join(packages_of(usable[0].missing))}"
    return Found(named=None, version=own.version, missing=(), why=own.why, passed_over=over)


def _by_likelihood(environments: Collection[str]) -> list[str]:
    usual = [".venv", "venv", "env", ".env"]
    inside = [name for name in environments if "/" not in name]
    return sorted(inside, key=lambda name: (usual.index(name) if name in usual else len(usual), name))


def _of_folder(root: Path, name: str, wanted: Collection[str]) -> Found | None:
    python = root / name / "bin" / "python"
    if not python.exists():
        return None
    version, missing = _ask(python, wanted, isolated=True)
    if version is None:
        return None
    return Found(named=f"{name}/bin/python", version=version, missing=missing, why="the environment of this folder")


def _active(root: Path, wanted: Collection[str], variables: Mapping[str, str]) -> Found | None:
    """An activated environment elsewhere, as ``python``: the command on PATH, which is right on other machines too."""
    prefix = variables.get("VIRTUAL_ENV") or variables.get("CONDA_PREFIX")
    if not prefix or Path(prefix).is_relative_to(root) or Path(prefix) == Path(sys.prefix):
        return None
    python = Path(prefix, "bin", "python")
    if not python.exists() or variables.get("PATH", "").split(os.pathsep)[0] != str(python.parent):
        return None
    version, missing = _ask(python, wanted, isolated=True)
    if version is None:
        return None
    return Found(named="python", version=version, missing=missing, why="the active environment, first on PATH")


def _ask(python: Path, wanted: Collection[str], *, isolated: bool) -> tuple[str | None, tuple[str, ...]]:
    """Version and missing modules of an interpreter; (None, ()) if it does not answer."""
    passed = {key: os.environ[key] for key in ("PATH", "HOME", "LD_LIBRARY_PATH") if key in os.environ}
    flags = ["-I"] if isolated else []
    try:
        done = subprocess.run(
            [str(python), *flags, "-c", _ASK, *wanted],
            cwd="/",
            env=passed if isolated else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        version, missing = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None, ()
    return ".".join(map(str, version)), tuple(missing)
