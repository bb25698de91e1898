"""What is installed beside an interpreter, and where it came from. A script: ``python -I installed.py``.

Prints JSON: ``[[name, version, origin]]``, where the origin is empty for what an index gave. Only the standard library
is imported.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import distributions


def _origin(text: str | None) -> str:
    """What direct_url.json (PEP 610) says in a word; addresses may hold secrets and stay out."""
    if not text:
        return ""
    about = json.loads(text)
    if "dir_info" in about:
        return "a folder"
    return "a repository" if "vcs_info" in about else "a file"


def installed() -> list[tuple[str, str, str]]:
    """Name, version and origin of each distribution; the first of a name counts, as for an import."""
    found: dict[str, tuple[str, str, str]] = {}
    for each in distributions():
        name = each.metadata["Name"]
        if name:
            found.setdefault(name.lower(), (name, each.version, _origin(each.read_text("direct_url.json"))))
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(installed()))
