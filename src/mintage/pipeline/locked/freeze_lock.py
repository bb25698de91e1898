"""Write a lock of what is installed: a requirements file whose hashes the index knows.

An installed package has not kept the hash of its wheel. The index is asked for exactly the installed versions; what it
does not have is said to be not pinned, with the reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import EnvironmentUnbuiltError, InterpreterError
from mintage.pipeline.locked.failure import is_unreachable, meaning
from mintage.pipeline.locked.install import tools_for
from mintage.pipeline.locked.pin import canonical_name

__all__ = ["Frozen", "freeze_lock", "lock_text"]

_INSTALLERS = frozenset(["mintage", "pip", "uv", "wheel"])
_PATIENCE_S = 600.0
_HASH = "--hash=sha256:"


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What an environment has: the version of its Python, ``name==version`` to hashes, and to why there are none."""

    python: str
    hashes: dict[str, tuple[str, ...]]
    unpinned: dict[str, str]


def freeze_lock(python: str, *, version: str) -> Frozen:
    """Freeze the environment of the interpreter ``python``, whose ``version`` has two numbers. Mintage itself and what
    installs packages are left out. Raises EnvironmentUnbuiltError if no index can be asked."""
    found = [each for each in _installed(python) if canonical_name(each[0]) not in _INSTALLERS]
    unpinned = {f"{name}=={number}": f"installed from {origin}" for name, number, origin in found if origin}
    pins = [f"{name}=={number}" for name, number, origin in found if not origin]
    hashes = _hashes(pins, python=python, version=version)
    unpinned |= {pin: "no index here has a wheel of it" for pin in pins if pin not in hashes}
    return Frozen(python=version, hashes=hashes, unpinned=unpinned)


def lock_text(frozen: Frozen) -> str:
    """The requirements file. Pure.

    >>> unpinned = {"mine==0": "installed from a folder"}
    >>> print(lock_text(Frozen(python="3.12", hashes={"six==1": ("00",)}, unpinned=unpinned)))
    # Written by `mintage python freeze` for Python 3.12.
    # Not pinned: mine==0 (installed from a folder).
    six==1 \\
        --hash=sha256:00
    <BLANKLINE>
    """
    lines = [f"# Written by `mintage python freeze` for Python {frozen.python}."]
    lines += [f"# Not pinned: {pin} ({why})." for pin, why in sorted(frozen.unpinned.items())]
    for pin, hashes in sorted(frozen.hashes.items(), key=lambda item: item[0].lower()):
        lines.append(" \\\n    ".join([pin, *(f"{_HASH}{digest}" for digest in hashes)]))
    return "\n".join(lines) + "\n"


def _installed(python: str) -> list[tuple[str, str, str]]:
    script = Path(__file__).with_name("installed.py")
    done = subprocess.run([python, "-I", str(script)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        found: list[tuple[str, str, str]] = [tuple(each) for each in json.loads(done.stdout)]
    except ValueError:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        raise InterpreterError("the interpreter cannot be asked what it has", found=said, where=python) from None
    return found


def _hashes(pins: Sequence[str], *, python: str, version: str) -> dict[str, tuple[str, ...]]:
    """The hashes of each pin that an index has; those that it has not are found by halves."""
    if not pins:
        return {}
    answer, said = _asked(pins, python=python, version=version)
    if answer is not None:
        return answer
    if is_unreachable(said):
        what, hint = meaning(said, version=version)
        raise EnvironmentUnbuiltError(f"no hash can be asked for: {what}", found=said, hint=hint)
    if len(pins) == 1:
        return {}
    half = len(pins) // 2
    return {
        pin: hashes
        for part in (pins[:half], pins[half:])
        for pin, hashes in _hashes(part, python=python, version=version).items()
    }


def _asked(pins: Sequence[str], *, python: str, version: str) -> tuple[dict[str, tuple[str, ...]] | None, str]:
    """What uv, or pip, says of all pins, or None with its words."""
    tools = tools_for(version)
    if tools.uv is not None:
        words = [tools.uv, "pip", "compile", "-q", "-", "--no-deps", "--generate-hashes", "--only-binary", ":all:"]
        words += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--python", python]
        code, out, said = _call(words, "\n".join(pins))
        return (_of_lines(out) if code == 0 else None), said
    if tools.pip is not None:
        words = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
        words += ["--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:", "--report", "-", *pins]
        code, out, said = _call(words, "")
        return (_of_report(out, pins) if code == 0 else None), said
    raise EnvironmentUnbuiltError(
        "no hash can be asked for", expected="uv, or pip", found="neither", hint="`pip install uv`"
    )


def _call(words: Sequence[str], asked: str) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            words, input=asked, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, "", str(error)
    return done.returncode, done.stdout, done.stderr.strip()[-2000:]


def _of_lines(text: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        pin, *hashes = line.split()
        found[pin] = tuple(each.removeprefix(_HASH) for each in hashes if each.startswith(_HASH))
    return found


def _of_report(text: str, pins: Sequence[str]) -> dict[str, tuple[str, ...]]:
    named = {canonical_name(pin.partition("==")[0]): pin for pin in pins}
    return {
        named[canonical_name(each["metadata"]["name"])]: (each["download_info"]["archive_info"]["hashes"]["sha256"],)
        for each in json.loads(text)["install"]
    }
