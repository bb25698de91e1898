"""Checkpoints are C2SP signed notes: others' signatures are passed over, and nothing in them can be changed."""

from __future__ import annotations

import base64
import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.audit.checkpoint import Checkpoint, CheckpointKey, open_checkpoint, sign_checkpoint
from mintage.audit.keyfile import AuditKey
from mintage.errors import CheckpointInvalidError, KeyFileError, UsageError

ORIGIN = "mintage/churn"
CHECKPOINT = Checkpoint(origin=ORIGIN, size=42, root=hashlib.sha256(b"root").digest(), at="2026-11-01T12:00:00Z")


def test_a_note_has_the_form_of_the_specification(audit_key: AuditKey) -> None:
    origin, size, root, blank, signature, timed, end = sign_checkpoint(CHECKPOINT, audit_key).split("\n")
    assert (origin, size, base64.b64decode(root), blank, end) == (ORIGIN, "42", CHECKPOINT.root, "", "")
    dash, name, value = signature.split(" ")
    assert (dash, name) == ("\u2014", ORIGIN)
    raw = base64.b64decode(value)
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x01" + audit_key.public).digest()[:4]
    assert len(raw) == 68
    raw = base64.b64decode(timed.split(" ")[2])
    assert raw[:4] == hashlib.sha256(ORIGIN.encode() + b"\n\x04" + audit_key.public).digest()[:4]
    seconds = int.from_bytes(raw[4:12])
    message = f"cosignature/v1\ntime {seconds}\n{CHECKPOINT.text}".encode()
    assert CheckpointKey(ORIGIN, audit_key.public).verify(raw[12:], message)


def test_a_note_says_when_it_was_signed(audit_key: AuditKey) -> None:
    note = sign_checkpoint(CHECKPOINT, audit_key)
    assert open_checkpoint(note, CheckpointKey(ORIGIN, audit_key.public)).at == "2026-11-01T12:00:00Z"
    with pytest.raises(UsageError, match="not a time"):
        sign_checkpoint(msgspec.structs.replace(CHECKPOINT, at="noon"), audit_key)


def test_a_time_that_was_not_signed_is_refused(audit_key: AuditKey) -> None:
    early = sign_checkpoint(CHECKPOINT, audit_key)
    late = sign_checkpoint(msgspec.structs.replace(CHECKPOINT, at="2027-11-01T12:00:00Z"), audit_key)
    key = CheckpointKey(ORIGIN, audit_key.public)
    *head, _ = early.splitlines(keepends=True)
    with pytest.raises(CheckpointInvalidError) as caught:
        open_checkpoint("".join(head), key)
    assert "not one timestamped signature" in str(caught.value.found)
    with pytest.raises(CheckpointInvalidError):
        open_checkpoint(early + late.splitlines(keepends=True)[-1], key)


def test_the_key_in_one_line_names_origin_and_key(audit_key: AuditKey) -> None:
    name, key_hash, value = CheckpointKey(ORIGIN, audit_key.public).vkey.split("+", 2)
    assert (name, len(key_hash)) == (ORIGIN, 8)
    assert base64.b64decode(value) == b"\x01" + audit_key.public


def test_keys_are_named_as_gos_note_package_names_them() -> None:
    published = (
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    )
    for vkey in published:
        name, _, value = vkey.split("+", 2)
        assert CheckpointKey(name, base64.b64decode(value)[1:]).vkey == vkey


def test_the_example_note_of_gos_note_package_verifies() -> None:
    text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    key, raw = CheckpointKey("PeterNeumann", public), base64.b64decode(signature)
    assert raw[:4] == key.key_hash
    assert key.verify(raw[4:], text)
    assert not key.verify(raw[4:], text + b"\n")


@given(data=st.data())
@settings(max_examples=300)
def test_any_flipped_byte_of_a_note_is_detected(audit_key: AuditKey, data: st.DataObject) -> None:
    note = bytearray(sign_checkpoint(CHECKPOINT, audit_key).encode())
    note[data.draw(st.integers(0, len(note) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CheckpointInvalidError) as caught:
        open_checkpoint(bytes(note), CheckpointKey(ORIGIN, audit_key.public), where="checkpoint")
    assert caught.value.where == "checkpoint"


def test_lines_of_witnesses_are_passed_over(audit_key: AuditKey) -> None:
    note = sign_checkpoint(CHECKPOINT, audit_key)
    witness = AuditKey(Ed25519PrivateKey.generate())
    line = sign_checkpoint(
        Checkpoint(origin="witness.example", size=1, root=bytes(32), at="2026-11-01T12:00:00Z"), witness
    ).split("\n\n")[1]
    key = CheckpointKey(ORIGIN, audit_key.public)
    assert open_checkpoint(note + line, key) == CHECKPOINT
    with pytest.raises(CheckpointInvalidError) as caught:
        open_checkpoint(CHECKPOINT.text + "\n" + line, key)
    assert "no signature by" in str(caught.value.found)


def signed(text: str, key: AuditKey) -> str:
    """A note around any text, with valid signatures of the log's key."""
    name = CheckpointKey(ORIGIN, key.public)
    timed = name.timestamped_hash + bytes(8) + key.sign(b"cosignature/v1\ntime 0\n" + text.encode())
    raws = (name.key_hash + key.sign(text.encode()), timed)
    return text + "\n" + "".join(f"\u2014 {ORIGIN} {base64.b64encode(raw).decode()}\n" for raw in raws)


ROOT = base64.b64encode(bytes(32)).decode()


def test_the_notes_that_these_tests_sign_are_good_ones(audit_key: AuditKey) -> None:
    note = signed(f"{ORIGIN}\n42\n{ROOT}\n", audit_key)
    assert open_checkpoint(note, CheckpointKey(ORIGIN, audit_key.public)).at == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n042\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 19}\n{ROOT}\n",
        f"{ORIGIN}\n42\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n42\n{ROOT}\nmore\n",
        f"mintage/other\n42\n{ROOT}\n",
        f"{ORIGIN}\n42\n",
        f"{ORIGIN}\n42\n\n{ROOT}\n",
        f"{ORIGIN}\n42\r\n{ROOT}\n",
        "\n",
    ],
    ids=[
        "leading zero",
        "negative",
        "huge",
        "short root",
        "more lines",
        "other log",
        "no root",
        "blank",
        "cr",
        "empty",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(audit_key: AuditKey, text: str) -> None:
    with pytest.raises(CheckpointInvalidError):
        open_checkpoint(signed(text, audit_key), CheckpointKey(ORIGIN, audit_key.public))


def test_the_signature_of_another_key_or_log_name_is_refused(audit_key: AuditKey) -> None:
    note = sign_checkpoint(CHECKPOINT, audit_key)
    other = AuditKey(Ed25519PrivateKey.generate())
    for key in (CheckpointKey(ORIGIN, other.public), CheckpointKey("mintage/other", audit_key.public)):
        with pytest.raises(CheckpointInvalidError):
            open_checkpoint(note, key)


@given(junk=st.binary(max_size=300))
def test_junk_is_no_checkpoint(audit_key: AuditKey, junk: bytes) -> None:
    with pytest.raises(CheckpointInvalidError):
        open_checkpoint(junk, CheckpointKey(ORIGIN, audit_key.public))


def test_a_huge_note_is_refused(audit_key: AuditKey) -> None:
    with pytest.raises(CheckpointInvalidError):
        open_checkpoint(b"x" * (1 << 20), CheckpointKey(ORIGIN, audit_key.public))


def test_a_key_is_read_back_from_its_one_line_and_nothing_else_is(audit_key: AuditKey) -> None:
    key = CheckpointKey(ORIGIN, audit_key.public)
    assert CheckpointKey.from_vkey(key.vkey).public == key.public
    assert CheckpointKey.from_pem(ORIGIN, key.pem).vkey == key.vkey
    for text in ("", ORIGIN, key.vkey[:-4], key.vkey.replace("churn", "other"), key.vkey + "=", "a b+c+d"):
        with pytest.raises(KeyFileError):
            CheckpointKey.from_vkey(text)
