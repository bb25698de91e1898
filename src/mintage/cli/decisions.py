"""Where the decisions of ``monitor`` are found: an index of their records, one line a decision, beside the traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mintage.record.names import escape_name
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["decisions_of", "last_decision", "remember_decision"]


def remember_decision(envdir: Path, model: str, digest: str) -> None:
    """Append a decision's record to the index, unless it is the last one already."""
    path = _index(envdir, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = path.read_text().splitlines() if path.is_file() else []
    if not known or known[-1] != digest:
        with path.open("a") as stream:
            stream.write(digest + "\n")


def decisions_of(workspace: Workspace, environment: str, model: str) -> list[tuple[str, dict[str, Any]]]:
    """Digest and body of each decision, oldest first; the records come verified from the store."""
    path = _index(workspace.environments_dir / environment, model)
    if not path.is_file():
        return []
    store = Store(workspace.store_dir)
    return [(line, store.get_record(line, kind="decision").body) for line in path.read_text().split()]


def last_decision(workspace: Workspace) -> tuple[str, dict[str, Any]] | None:
    """The newest decision of any environment and model, by when it was made."""
    found = []
    for path in workspace.environments_dir.glob("*/decisions/*.txt"):
        lines = path.read_text().split()
        if lines:
            found.append((path.stat().st_mtime_ns, lines[-1]))
    if not found:
        return None
    digest = max(found)[1]
    return digest, Store(workspace.store_dir).get_record(digest, kind="decision").body


def _index(envdir: Path, model: str) -> Path:
    return envdir / "decisions" / f"{escape_name(model)}.txt"
