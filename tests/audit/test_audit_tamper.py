"""Whoever changes the log's rows or its file is found out: the report says where, the error names the database."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from audit_samples import NOW, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mintage.audit.events import encode_event
from mintage.audit.keyfile import AuditKey
from mintage.audit.log import AuditLog
from mintage.audit.merkle import leaf_hash
from mintage.database.connection import open_database
from mintage.database.migrate import audit_triggers
from mintage.errors import AuditLogBrokenError, MintageError

ROWS = (
    "SELECT seq, body, leaf FROM audit_entry ORDER BY seq",
    "SELECT level, idx, hash FROM audit_node ORDER BY level, idx",
    "SELECT size, root, note, at FROM audit_checkpoint ORDER BY size",
)


@pytest.fixture
def path(tmp_path: Path, audit_key: AuditKey) -> Path:
    """A log of 13 entries with checkpoints at 5 and 11."""
    path = tmp_path / "audit.db"
    connection = open_database(path)
    log = AuditLog(connection, "mintage/churn", audit_key)
    for number in range(13):
        log.append(sample(number))
        if number in (4, 10):
            log.checkpoint(NOW)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def with_triggers_off(path: Path, *statements: str, arguments: tuple[object, ...] = ()) -> None:
    """What a database administrator can do: drop the guards, change rows, put the guards back."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name in audit_triggers():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, arguments if "?" in statement else ())
    for sql in audit_triggers().values():
        connection.execute(sql)
    connection.close()


def problems(path: Path, audit_key: AuditKey) -> list[str]:
    connection = open_database(path)
    report = AuditLog(connection, "mintage/churn", audit_key).verify()
    connection.close()
    assert report.where == str(path)
    if not report.ok:
        with pytest.raises(AuditLogBrokenError) as caught:
            report.require_ok()
        assert caught.value.where == str(path)
    return [f"{problem.at}: {problem.message}" for problem in report.problems]


def test_the_untouched_log_verifies(path: Path, audit_key: AuditKey) -> None:
    assert problems(path, audit_key) == []
    with_triggers_off(path)
    assert problems(path, audit_key) == []


OTHER = encode_event(sample(99), seq=3)


@pytest.mark.parametrize(
    ("statements", "arguments", "expected"),
    [
        (("UPDATE audit_entry SET body = ? WHERE seq = 3",), (OTHER,), "entry 3: its bytes do not match its leaf hash"),
        (("UPDATE audit_entry SET leaf = zeroblob(32) WHERE seq = 3",), (), "entry 3: its bytes do not match"),
        (("DELETE FROM audit_entry WHERE seq = 3",), (), "entry 3: is missing; entry 4 comes next"),
        (("DELETE FROM audit_entry WHERE seq = 0",), (), "entry 0: is missing; entry 1 comes next"),
        (("DELETE FROM audit_entry WHERE seq >= 8",), (), "checkpoint 11: covers 11 entries, and the log has 8"),
        (
            ("UPDATE audit_node SET hash = zeroblob(32) WHERE level = 2 AND idx = 1",),
            (),
            "node 1 of level 2: is missing",
        ),
        (("DELETE FROM audit_node WHERE level = 1 AND idx = 0",), (), "node 0 of level 1: is missing"),
        (("INSERT INTO audit_node VALUES (9, 0, zeroblob(32))",), (), "nodes: 1 nodes belong to no entry"),
        (("UPDATE audit_checkpoint SET root = zeroblob(32) WHERE size = 5",), (), "checkpoint 5: its row does not say"),
        (("UPDATE audit_checkpoint SET note = 'x' WHERE size = 5",), (), "checkpoint 5: no signature lines"),
        (("UPDATE audit_checkpoint SET at = '2027' WHERE size = 5",), (), "checkpoint 5: its row does not say"),
        (("UPDATE audit_checkpoint SET size = 6 WHERE size = 5",), (), "checkpoint 6: its row does not say"),
    ],
)
def test_each_change_of_a_row_is_found_where_it_is(
    path: Path, audit_key: AuditKey, statements: tuple[str, ...], arguments: tuple[object, ...], expected: str
) -> None:
    with_triggers_off(path, *statements, arguments=arguments)
    assert any(problem.startswith(expected) for problem in problems(path, audit_key)), problems(path, audit_key)


def test_an_entry_rewritten_with_its_leaf_hash_still_contradicts_nodes_and_checkpoints(
    path: Path, audit_key: AuditKey
) -> None:
    statement = "UPDATE audit_entry SET body = ?, leaf = ? WHERE seq = 3"
    with_triggers_off(path, statement, arguments=(OTHER, leaf_hash(OTHER)))
    found = problems(path, audit_key)
    assert "checkpoint 5: the entries that it covers were changed" in found
    assert "node 1 of level 1: is missing or does not match the entries below it" in found


def test_a_log_rewritten_from_the_start_contradicts_its_old_checkpoints(path: Path, audit_key: AuditKey) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    notes = connection.execute("SELECT * FROM audit_checkpoint ORDER BY size").fetchall()
    connection.close()
    forged = path.with_name("forged.db")
    connection = open_database(forged)
    log = AuditLog(connection, "mintage/churn", audit_key)
    for number in range(13):
        log.append(sample(number if number != 2 else 77))
    connection.executemany("INSERT INTO audit_checkpoint VALUES (?, ?, ?, ?)", notes)
    connection.close()
    assert [text.split(":")[0] for text in problems(forged, audit_key)] == ["checkpoint 5", "checkpoint 11"]


def test_a_body_that_is_no_event_or_of_another_number_is_told(tmp_path: Path, audit_key: AuditKey) -> None:
    connection = open_database(tmp_path / "m.db")
    for seq, body in enumerate([b"{}", encode_event(sample(), seq=7)]):
        connection.execute("INSERT INTO audit_entry VALUES (?, ?, ?)", (seq, body, leaf_hash(body)))
    report = AuditLog(connection, "mintage/churn", audit_key).verify()
    texts = [f"{problem.at}: {problem.message}" for problem in report.problems]
    assert texts[0].startswith("entry 0: not the body of an audit entry")
    assert "entry 1: says that it is entry 7" in texts
    connection.close()


def test_a_removed_guard_is_told(path: Path, audit_key: AuditKey) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER audit_entry_delete")
    connection.close()
    assert problems(path, audit_key) == ["trigger audit_entry_delete: was changed or removed, so rows could be changed"]


def test_another_key_or_name_than_the_logs_own_does_not_verify(path: Path, tmp_path: Path) -> None:
    stranger = AuditKey.create(tmp_path / "stranger.pem")
    assert len(problems(path, stranger)) == 2


def test_a_lost_table_is_a_damaged_database(path: Path, audit_key: AuditKey) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE audit_node")
    connection.close()
    connection = open_database(path)
    with pytest.raises(MintageError) as caught:
        AuditLog(connection, "mintage/churn", audit_key).verify()
    assert (caught.value.code, caught.value.where) == ("database.corrupt", str(path))
    connection.close()


def _read(path: Path) -> list[object]:
    connection = sqlite3.connect(path)
    try:
        return [connection.execute(query).fetchall() for query in ROWS]
    finally:
        connection.close()


def _verify(path: Path, audit_key: AuditKey) -> Callable[[], None]:
    def act() -> None:
        connection = open_database(path)
        try:
            AuditLog(connection, "mintage/churn", audit_key).verify().require_ok()
        finally:
            connection.close()

    return act


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_flipped_byte_of_the_file_is_detected_or_changes_no_row(
    path: Path, audit_key: AuditKey, data: st.DataObject
) -> None:
    """A SQLite file has bytes that mean nothing to the log: free space, other tables. All others must be found."""
    before = _read(path)
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    content = bytearray(copy.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1) | st.sampled_from(_interesting(content)))
    content[position] ^= data.draw(st.integers(1, 255))
    copy.write_bytes(bytes(content))
    try:
        try:
            _verify(copy, audit_key)()
        except MintageError as error:
            assert error.where == str(copy)
        else:
            assert _read(copy) == before
    finally:
        for leftover in path.parent.glob("copy.db*"):
            leftover.unlink()


def _interesting(content: bytearray) -> list[int]:
    """Places in the bodies, hashes and notes themselves."""
    marks = (b'"actor"', b"mintage/churn\n", b'"resource"', b"late/7")
    return [content.find(mark) + offset for mark in marks for offset in range(12) if content.find(mark) >= 0]
