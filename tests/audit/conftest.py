"""A database with an audit log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mintage.audit.keyfile import AuditKey
from mintage.audit.log import AuditLog
from mintage.database.connection import open_database


@pytest.fixture(scope="session")
def audit_key(tmp_path_factory: pytest.TempPathFactory) -> AuditKey:
    return AuditKey.create(tmp_path_factory.mktemp("keys") / "audit.pem")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path / "mintage.db")
    yield connection
    connection.close()


@pytest.fixture
def log(database: sqlite3.Connection, audit_key: AuditKey) -> AuditLog:
    return AuditLog(database, "mintage/churn", audit_key)
