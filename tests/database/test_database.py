"""The database opens, migrates, and keeps a transaction whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mintage.database.connection import open_database, transaction
from mintage.database.migrate import audit_triggers
from mintage.errors import DatabaseCorruptError, DatabaseLockedError, DatabaseUnusableError

RUN = "INSERT INTO runs (id, kind, name, status, started) VALUES (?, 'run', 'train', 'running', '2026-11-01T12:00:00Z')"


def test_a_new_database_has_its_tables_and_stays_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mintage.db"
    first = open_database(path)
    with transaction(first):
        first.execute(RUN, ("r1",))
    first.close()
    second = open_database(path)
    assert second.execute("SELECT id, status FROM runs").fetchall() == [("r1", "running")]
    assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert second.execute("PRAGMA foreign_keys").fetchone() == (1,)
    second.close()


def test_an_error_inside_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "m.db")
    with pytest.raises(ZeroDivisionError), transaction(connection):
        connection.execute(RUN, ("r1",))
        raise ZeroDivisionError
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not connection.in_transaction
    connection.close()


def test_transactions_do_not_nest(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "m.db")
    with (
        pytest.raises(sqlite3.ProgrammingError, match="open already"),
        transaction(connection),
        transaction(connection),
    ):
        raise AssertionError("the inner transaction must not start")
    connection.close()


def test_a_metric_of_an_unknown_run_is_refused(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "m.db")
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.execute("INSERT INTO metrics VALUES ('nobody', 'train', 'auc', 0, 0.5, '')")
    connection.close()


def test_a_lock_that_another_connection_keeps_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    holder, waiter = open_database(path), open_database(path, wait_s=0.05)
    with transaction(holder), pytest.raises(DatabaseLockedError) as caught, transaction(waiter):
        raise AssertionError("the lock was not held")
    assert caught.value.where == str(path)
    holder.close()
    waiter.close()


def test_many_openers_of_a_new_file_all_get_whole_tables(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    def use(name: str) -> None:
        try:
            start.wait()
            connection = open_database(path)
            with transaction(connection):
                connection.execute(RUN, (name,))
            connection.close()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=use, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    connection = open_database(path)
    assert connection.execute("SELECT count(*) FROM runs").fetchone() == (8,)
    connection.close()


def test_a_killed_writer_leaves_the_last_commit(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from mintage.database.connection import open_database, transaction\n"
        "c = open_database(Path(sys.argv[1]))\n"
        f"RUN = {RUN!r}\n"
        "with transaction(c): c.execute(RUN, ('whole',))\n"
        "with transaction(c):\n"
        "    c.execute(RUN, ('half',))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert ended.returncode == -9
    connection = open_database(path)
    assert connection.execute("SELECT id FROM runs").fetchall() == [("whole",)]
    connection.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(b"this is a letter to a friend, not a database\n" * 40)
    with pytest.raises(DatabaseCorruptError) as caught:
        open_database(path)
    assert caught.value.where == str(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError) as caught:
        open_database(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(DatabaseUnusableError, match="folder cannot be made"):
        open_database(tmp_path / "state" / "m.db")


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA user_version = 999")
    plain.close()
    with pytest.raises(DatabaseUnusableError, match="newer Mintage"):
        open_database(path)


def test_tables_that_do_not_fit_the_version_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    open_database(path).close()
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA user_version = 0")
    plain.close()
    with pytest.raises(DatabaseCorruptError) as caught:
        open_database(path)
    assert "already exists" in str(caught.value.found)


def test_audit_rows_cannot_be_changed_deleted_or_replaced(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "m.db")
    leaf = bytes(32)
    connection.execute("INSERT INTO audit_entry VALUES (0, x'00', ?)", (leaf,))
    connection.execute("INSERT INTO audit_node VALUES (1, 0, ?)", (leaf,))
    connection.execute("INSERT INTO audit_checkpoint VALUES (1, ?, 'note', '')", (leaf,))
    for statement in (
        "UPDATE audit_entry SET body = x'01'",
        "DELETE FROM audit_entry",
        "INSERT OR REPLACE INTO audit_entry VALUES (0, x'01', zeroblob(32))",
        "INSERT INTO audit_entry VALUES (5, x'01', zeroblob(32))",
        "UPDATE audit_node SET hash = zeroblob(32)",
        "DELETE FROM audit_node",
        "INSERT OR REPLACE INTO audit_node VALUES (1, 0, zeroblob(32))",
        "UPDATE audit_checkpoint SET note = ''",
        "DELETE FROM audit_checkpoint",
        "INSERT OR REPLACE INTO audit_checkpoint VALUES (1, zeroblob(32), '', '')",
        "INSERT INTO audit_checkpoint VALUES (0, zeroblob(32), '', '')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"never|only"):
            connection.execute(statement)
    connection.close()


def test_every_audit_table_is_guarded_against_insert_update_and_delete() -> None:
    tables = ("audit_entry", "audit_node", "audit_checkpoint")
    wanted = {f"{table}_{change}" for table in tables for change in ("append", "update", "delete")}
    assert set(audit_triggers()) == wanted


def test_opening_the_database_imports_nothing_heavy() -> None:
    script = (
        "import mintage.database.connection, sys; print(sorted({'numpy', 'sqlalchemy', 'rich'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"
