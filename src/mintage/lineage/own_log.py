"""This clone's audit log, opened to hold certificates against it; None where nothing was entered in one yet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mintage.attest.keys import ensure_project_key
from mintage.audit.keyfile import ensure_audit_key
from mintage.audit.log import AuditLog
from mintage.database.connection import open_database
from mintage.lineage.holdout_link import OwnLog
from mintage.repo.workspace import Workspace

__all__ = ["open_own_log"]


@contextlib.contextmanager
def open_own_log(workspace: Workspace) -> Iterator[OwnLog | None]:
    """The log, for as long as the block lasts; neither a database nor a key is made."""
    if not workspace.database.is_file() or not (workspace.keys_dir / "project.pem").is_file():
        yield None
        return
    connection = open_database(workspace.database)
    try:
        log = AuditLog(connection, f"mintage/{workspace.project().project}", ensure_audit_key(workspace.keys_dir))
        yield OwnLog(log=log, key_id=ensure_project_key(workspace.keys_dir).key_id)
    finally:
        connection.close()
