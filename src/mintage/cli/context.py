"""What most commands need: the workspace around the current folder, its database with the audit log, and the time."""

from __future__ import annotations

import datetime
import sqlite3
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mintage.errors import RefusedError
from mintage.repo.workspace import Workspace

if TYPE_CHECKING:
    from mintage.attest.keys import FileSigner
    from mintage.attest.trust import Role, Trust
    from mintage.audit.log import AuditLog
    from mintage.tracking.runs import RunStore

__all__ = ["Context", "now"]


def now() -> str:
    """The present time, RFC 3339 in UTC to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Context:
    """Opens parts of a workspace when they are first asked for."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @classmethod
    def here(cls) -> Context:
        """The context of the current folder; raises ProjectNotFoundError outside a project."""
        return cls(Workspace.find(Path.cwd()))

    @cached_property
    def connection(self) -> sqlite3.Connection:
        """The project's database, migrated."""
        from mintage.database.connection import open_database

        self.workspace.prepare()
        return open_database(self.workspace.database)

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "connection" in self.__dict__:
            self.connection.close()

    @cached_property
    def actor(self) -> str:
        """Who acts, for records and the audit log."""
        from mintage.audit.events import actor_of_process

        return actor_of_process()

    @cached_property
    def audit_log(self) -> AuditLog:
        """The project's audit log."""
        from mintage.audit.keyfile import ensure_audit_key
        from mintage.audit.log import AuditLog

        signer = ensure_audit_key(self.workspace.keys_dir)
        return AuditLog(self.connection, f"mintage/{self.workspace.project().project}", signer)

    def open_audit_log(self) -> AuditLog:
        """The audit log, opened before a command does what it must enter: nothing is done that cannot be entered."""
        return self.audit_log

    @property
    def checkpoint_file(self) -> Path:
        """Where the newest checkpoint of the audit log is published."""
        return self.workspace.state / "audit.checkpoint"

    def checkpoint(self) -> str:
        """Sign the audit log as it is, publish the checkpoint, and return its note."""
        return self.audit_log.checkpoint(now(), publish=self.checkpoint_file)

    def record_access(
        self,
        action: str,
        resource: str,
        details: dict[str, Any],
        *,
        decision: Literal["allow", "deny"] = "allow",
        rule: str = "local-user",
    ) -> int:
        """Append one entry to the audit log, inside the open transaction if there is one; returns its number."""
        from mintage.audit.events import AuditEvent

        return self.audit_log.append(
            AuditEvent(
                at=now(),
                actor=self.actor,
                action=action,
                resource=resource,
                decision=decision,
                rule=rule,
                details=details,
            )
        )

    @cached_property
    def runs(self) -> RunStore:
        """The tracked runs."""
        from mintage.tracking.runs import RunStore

        return RunStore(self.connection, self.record_access)

    @cached_property
    def signer(self) -> FileSigner:
        """The project's signing key, made on first use."""
        from mintage.attest.keys import ensure_project_key

        self.workspace.prepare()
        return ensure_project_key(self.workspace.keys_dir)

    def signer_for(self, role: Role) -> FileSigner:
        """The signing key, if trust.yaml lets it sign for ``role``; raises RefusedError before anything is done."""
        if self.signer.public not in self.trust.keys_for(role):
            raise RefusedError(
                f"the key of this machine may not sign a {role} here",
                expected=f"a key with the role {role} in trust.yaml",
                found=self.signer.key_id,
                where=str(self.workspace.keys_dir / "project.pem.pub"),
                hint="add that public key to trust.yaml and have it reviewed, or use a machine whose key is there",
            )
        return self.signer

    @cached_property
    def trust(self) -> Trust:
        """trust.yaml of the work tree."""
        from mintage.attest.trust import read_trust

        return read_trust(self.workspace.root / "trust.yaml")
