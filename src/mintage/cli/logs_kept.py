"""What a stage printed where another ran it: the log that the record of its run keeps, for `mintage logs`."""

from __future__ import annotations

from mintage.errors import IntegrityError
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["kept_log"]


def kept_log(workspace: Workspace, stage: str) -> tuple[str, str] | None:
    """The id of the run that made what the lock of ``stage`` names, and what it printed; None if that is not here."""
    lock, store = read_lock(workspace.root, stage), Store(workspace.store_dir)
    if lock is None or lock.run is None:
        return None
    try:
        body = store.get_record(lock.run, kind="run").body
        return str(body["run"]), store.get_bytes(str(body["stages"][stage]["log"])).decode(errors="replace")
    except (IntegrityError, KeyError):
        return None
