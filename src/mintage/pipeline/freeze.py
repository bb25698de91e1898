"""What an interpreter and its packages are. Also a script, for an interpreter that has no Mintage.

    python -I freeze.py NAMED

The hash of a package is that of its RECORD (the list of its files with their hashes), so a package patched by hand and
reinstalled differs. ``fingerprint`` says by stat alone whether that can have changed. Only the standard library is
imported, and nothing before the version is known to be one that can run this.

>>> freeze()["implementation"]
'CPython'
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["OLDEST", "describe", "fingerprint", "freeze"]

OLDEST = (3, 9)
_MARKS = (".dist-info", ".egg-info", ".pth", ".egg-link")


def freeze() -> dict[str, Any]:
    """The interpreter and its packages: ``{python, implementation, platform, packages: [{name, version, record}]}``."""
    import hashlib
    from importlib.metadata import distributions

    packages: dict[str, dict[str, Any]] = {}
    for distribution in distributions():
        said = _said(distribution)
        name = said.get("name", "").lower().replace("_", "-")
        if not name or name in packages:
            continue
        record = distribution.read_text("RECORD") or distribution.read_text("PKG-INFO") or ""
        packages[name] = {
            "name": name,
            "version": said.get("version"),
            "record": f"sha256:{hashlib.sha256(record.encode()).hexdigest()}",
        }
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": [packages[name] for name in sorted(packages)],
    }


def _said(distribution: Any) -> dict[str, str]:
    """Name and version, from the lines before the first empty one; as mail, the whole text would be parsed twice."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or distribution.read_text("") or ""
    found: dict[str, str] = {}
    for line in text.partition("\n\n")[0].splitlines():
        key, colon, value = line.partition(":")
        if colon and key.lower() in ("name", "version"):
            found.setdefault(key.lower(), value.strip())
    return found


def fingerprint(named: str, folders: Iterable[str]) -> str:
    """The stat of an interpreter's file and of what is installed in the folders of its import path, as lines."""
    program = Path(named)
    places = (str(program), str(program.resolve()), str(program.parent.parent / "pyvenv.cfg"))
    facts = [_stat(place) or f"{place}:absent" for place in places]
    for folder in folders:
        try:
            entries = os.scandir(folder)
        except OSError:
            facts.append(f"{folder}:absent")
            continue
        with entries:
            marked = [entry.path for entry in entries if entry.name.endswith(_MARKS)]
        facts += [_stat(f"{path}/RECORD") or _stat(path) or f"{path}:absent" for path in marked]
    return "\n".join(sorted(facts))


def _stat(path: str) -> str | None:
    """As text, for hundreds of packages are asked for; None where nothing is."""
    try:
        status = os.stat(path)  # noqa: PTH116 as text: faster
    except OSError:
        return None
    return f"{path}:{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"


def describe(named: str) -> dict[str, Any]:
    """What Mintage remembers of the interpreter that runs this and was started as ``named``."""
    found: dict[str, Any] = {"version": list(sys.version_info[:3]), "executable": sys.executable or named}
    if sys.version_info[:2] < OLDEST:
        return found
    from importlib.util import find_spec

    folders = [str(Path(folder).absolute()) for folder in sys.path if folder]
    found["folders"] = folders
    found["mark"] = fingerprint(named, folders)
    found["prefixes"] = sorted({sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix})
    found["modules"] = [name for name in ("joblib", "mintage", "numpy") if find_spec(name) is not None]
    found["frozen"] = freeze()
    return found


if __name__ == "__main__":
    import json

    sys.stdout.write(json.dumps(describe(sys.argv[1])))
