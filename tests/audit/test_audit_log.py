"""The log grows with the caller's transactions, signs what it has, and proves it to outsiders."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from audit_samples import NOW, sample
from hypothesis import given
from hypothesis import strategies as st

from mintage.audit.checkpoint import CheckpointKey, open_checkpoint
from mintage.audit.events import MAX_BODY, actor_of_process, decode_event, encode_event
from mintage.audit.keyfile import AuditKey, ensure_audit_key
from mintage.audit.log import AuditLog
from mintage.audit.merkle import verify_consistency
from mintage.audit.proof import check_proof, decode_proof, encode_proof
from mintage.database.connection import open_database, transaction
from mintage.errors import (
    AuditEventError,
    AuditLogBrokenError,
    AuditProofError,
    AuditPublishError,
    CheckpointInvalidError,
    CheckpointMissingError,
    KeyFileError,
    UsageError,
)
from mintage.record.canonical import canonical_bytes

RUN = "INSERT INTO runs (id, kind, name, status, started) VALUES ('r1', 'run', 'train', 'running', '')"


def test_entries_are_numbered_from_zero_and_read_back(log: AuditLog) -> None:
    assert [log.append(sample(number)) for number in range(5)] == [0, 1, 2, 3, 4]
    assert list(log.events()) == [(number, sample(number)) for number in range(5)]
    assert [seq for seq, _ in log.events(start=2, limit=2)] == [2, 3]
    assert log.size == 5


def test_a_change_and_its_entry_are_both_there_or_neither(log: AuditLog, database: sqlite3.Connection) -> None:
    with pytest.raises(ZeroDivisionError), transaction(database):
        database.execute(RUN)
        log.append(sample())
        raise ZeroDivisionError
    assert (log.size, database.execute("SELECT count(*) FROM runs").fetchone()) == (0, (0,))
    with transaction(database):
        database.execute(RUN)
        log.append(sample())
        log.append(sample(1))
    assert (log.size, database.execute("SELECT count(*) FROM runs").fetchone()) == (2, (1,))
    assert log.verify().ok


def test_a_refused_event_leaves_the_callers_transaction_whole(log: AuditLog, database: sqlite3.Connection) -> None:
    with transaction(database):
        log.append(sample())
        with pytest.raises(AuditEventError):
            log.append(sample(details={"bad": float("nan")}))
        log.append(sample(1))
    assert log.size == 2
    assert log.verify().ok


def test_writers_in_many_threads_leave_one_whole_log(tmp_path: Path, audit_key: AuditKey) -> None:
    path = tmp_path / "mintage.db"
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            connection = open_database(path)
            own = AuditLog(connection, "mintage/churn", audit_key)
            for number in range(10):
                own.append(sample(number, actor=name))
            connection.close()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"user:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    connection = open_database(path)
    report = AuditLog(connection, "mintage/churn", audit_key).verify()
    assert (report.ok, report.entries) == (True, 40)
    connection.close()


def test_a_log_with_checkpoints_verifies_and_says_what_they_cover(log: AuditLog, tmp_path: Path) -> None:
    published = tmp_path / "published" / "checkpoint"
    for number in range(23):
        log.append(sample(number))
        if number in (0, 1, 6, 7, 20):
            log.checkpoint(NOW, publish=published)
    report = log.verify(published=published)
    assert (report.problems, report.entries, report.checkpoints, report.covered) == ((), 23, 5, 21)
    report.require_ok()


def test_an_empty_log_verifies_and_can_be_signed(log: AuditLog) -> None:
    assert log.verify().ok
    assert open_checkpoint(log.checkpoint(NOW), log.key).size == 0
    log.append(sample())
    assert log.verify().ok


def test_the_same_log_is_signed_once(log: AuditLog, tmp_path: Path) -> None:
    log.append(sample())
    published = tmp_path / "checkpoint"
    note = log.checkpoint(NOW)
    assert log.checkpoint("2026-12-01T12:00:00Z", publish=published) == note
    assert published.read_text() == note
    assert log.verify(published=published).checkpoints == 1


def test_a_checkpoint_is_not_published_before_its_transaction_ends(
    log: AuditLog, database: sqlite3.Connection, tmp_path: Path
) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="must end before"), transaction(database):
        log.checkpoint(NOW, publish=tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_that_cannot_be_published_is_not_kept(log: AuditLog, tmp_path: Path) -> None:
    log.append(sample())
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditPublishError) as caught:
        log.checkpoint(NOW, publish=tmp_path / "file" / "checkpoint")
    assert caught.value.where == str(tmp_path / "file" / "checkpoint")
    assert log.verify().checkpoints == 0


def test_an_older_checkpoint_never_replaces_a_newer_one(tmp_path: Path, audit_key: AuditKey) -> None:
    published, path = tmp_path / "checkpoint", tmp_path / "mintage.db"
    failures: list[BaseException] = []

    def write() -> None:
        try:
            connection = open_database(path)
            own = AuditLog(connection, "mintage/churn", audit_key)
            for number in range(6):
                own.append(sample(number))
                own.checkpoint(NOW, publish=published)
            connection.close()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    connection = open_database(path)
    own = AuditLog(connection, "mintage/churn", audit_key)
    assert own.verify(published=published).ok
    assert open_checkpoint(published.read_text(), own.key).size == 18
    connection.close()


def test_nothing_is_signed_that_contradicts_the_published_checkpoint(
    log: AuditLog, tmp_path: Path, audit_key: AuditKey
) -> None:
    for number in range(4):
        log.append(sample(number))
    published = tmp_path / "checkpoint"
    log.checkpoint(NOW, publish=published)
    for name, numbers in (("shorter", [0, 1, 2]), ("other", [0, 1, 2, 99, 4])):
        connection = open_database(tmp_path / f"{name}.db")
        rewritten = AuditLog(connection, "mintage/churn", audit_key)
        for number in numbers:
            rewritten.append(sample(number))
        with pytest.raises(AuditLogBrokenError, match="no longer begins") as caught:
            rewritten.checkpoint(NOW, publish=published)
        assert caught.value.where == str(published)
        assert connection.execute("SELECT count(*) FROM audit_checkpoint").fetchone() == (0,)
        report = rewritten.verify(published=published)
        assert not report.ok
        assert str(published) in report.problems[0].at
        connection.close()


def test_a_published_file_of_somebody_else_is_not_overwritten(log: AuditLog, tmp_path: Path) -> None:
    published = tmp_path / "checkpoint"
    published.write_text("a shopping list\n")
    log.append(sample())
    with pytest.raises(CheckpointInvalidError) as caught:
        log.checkpoint(NOW, publish=published)
    assert caught.value.where == str(published)
    assert published.read_text() == "a shopping list\n"


def test_a_lost_published_checkpoint_is_a_problem(log: AuditLog, tmp_path: Path) -> None:
    log.append(sample())
    assert log.verify(published=tmp_path / "none").ok
    log.checkpoint(NOW)
    assert log.verify(published=tmp_path / "none").problems[0].message == "is not there"


def test_every_entry_can_be_proven_to_somebody_with_the_public_key_only(log: AuditLog) -> None:
    for number in range(13):
        log.append(sample(number))
    log.checkpoint(NOW)
    log.append(sample(13))
    outsider = CheckpointKey("mintage/churn", log.key.public)
    for number in range(13):
        text = encode_proof(log.prove(number))
        assert check_proof(decode_proof(text), log.body(number), outsider).size == 13
        with pytest.raises(AuditProofError, match="not in the log"):
            check_proof(decode_proof(text), log.body((number + 1) % 13), outsider)


def test_an_entry_that_no_checkpoint_covers_cannot_be_proven_yet(log: AuditLog) -> None:
    log.append(sample())
    with pytest.raises(CheckpointMissingError, match="no checkpoint covers audit entry 0"):
        log.prove(0)
    log.checkpoint(NOW)
    log.append(sample(1))
    with pytest.raises(CheckpointMissingError):
        log.prove(1)
    for number in (2, -1):
        with pytest.raises(UsageError, match="no such audit entry"):
            log.prove(number)


@given(data=st.data())
def test_any_changed_character_of_a_proof_is_detected(audit_key: AuditKey, data: st.DataObject) -> None:
    connection = open_database(Path(":memory:"))
    own = AuditLog(connection, "mintage/churn", audit_key)
    for number in range(6):
        own.append(sample(number))
    own.checkpoint(NOW)
    text, body = bytearray(encode_proof(own.prove(4)).encode()), own.body(4)
    connection.close()
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 127))
    with pytest.raises((AuditProofError, CheckpointInvalidError)):
        check_proof(decode_proof(text.decode(errors="replace")), body, own.key)


def test_a_later_checkpoint_is_proven_to_extend_an_earlier_one(log: AuditLog) -> None:
    roots = {}
    for number in range(12):
        log.append(sample(number))
        roots[number + 1] = open_checkpoint(log.checkpoint(NOW), log.key).root
    for old in range(1, 13):
        proof = log.prove_consistency(old, 12)
        assert verify_consistency(old, 12, roots[old], roots[12], proof)
    with pytest.raises(UsageError):
        log.prove_consistency(1, 13)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"actor": ""}, "without actor"),
        ({"action": ""}, "without action"),
        ({"resource": ""}, "without resource"),
        ({"rule": ""}, "without rule"),
        ({"decision": "maybe"}, "not a decision"),
        ({"at": "yesterday"}, "not a time"),
        ({"at": "2026-13-01T12:00:00Z"}, "not a time"),
        ({"at": "2026-11-01T12:00:00+02:00"}, "not a time"),
        ({"details": {"x": float("inf")}}, "no canonical JSON form"),
        ({"details": {"x": 2**60}}, "no canonical JSON form"),
        ({"details": {"x": "\ud800"}}, "no canonical JSON form"),
        ({"details": {"x": object()}}, "no canonical JSON form"),
        ({"details": {"x": "y" * MAX_BODY}}, "too large"),
    ],
)
def test_an_event_that_is_not_well_formed_is_refused(log: AuditLog, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(AuditEventError, match=reason):
        log.append(sample(**changes))
    assert log.size == 0


def test_only_the_canonical_body_is_an_entry() -> None:
    body = encode_event(sample(), seq=3)
    assert decode_event(body) == (3, sample())
    for other in (
        body + b" ",
        b"{}",
        b"",
        body.replace(b'"version":0', b'"version":1'),
        body.replace(b"audit", b"other"),
    ):
        with pytest.raises(AuditEventError):
            decode_event(other)


def test_the_example_of_the_specification_has_an_entrys_fields() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "audit-log.md").read_text()
    example = json.loads(page.split("```json\n")[1].split("```")[0])
    assert list(example) == list(json.loads(encode_event(sample(), seq=0)))
    assert decode_event(canonical_bytes(example))[0] == 7


def test_the_actor_of_a_process_is_its_account_and_host() -> None:
    kind, _, rest = actor_of_process().partition(":")
    assert kind == "user"
    assert all(rest.partition("@"))


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak", "x" * 201])
def test_a_log_needs_a_name_that_fits_a_note(database: sqlite3.Connection, audit_key: AuditKey, origin: str) -> None:
    with pytest.raises(UsageError, match="not a name"):
        AuditLog(database, origin, audit_key)


def test_the_audit_key_is_made_once_and_private(tmp_path: Path) -> None:
    start, found = threading.Barrier(6), []

    def ask() -> None:
        start.wait()
        found.append(ensure_audit_key(tmp_path / "keys").public)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (6, 1)
    path = tmp_path / "keys" / "audit.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert CheckpointKey.from_pem("o", (tmp_path / "keys" / "audit.pem.pub").read_bytes()).public == found[0]
    with pytest.raises(KeyFileError, match="already"):
        AuditKey.create(path)


def test_files_that_are_no_audit_key_are_named(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    with pytest.raises(KeyFileError, match="no key file"):
        AuditKey.load(path)
    path.write_text("not a key")
    with pytest.raises(KeyFileError, match="not a private key") as caught:
        AuditKey.load(path)
    assert caught.value.where == str(path)
    with pytest.raises(KeyFileError, match="not a public key"):
        CheckpointKey.from_pem("o", b"not a key")
