"""Sealed statements: open with the right key only, and break with any changed byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.attest.bundle import decode_bundle, encode_bundle
from mintage.attest.dsse import sign
from mintage.attest.keys import FileSigner
from mintage.attest.seal import open_sealed, seal
from mintage.attest.statement import Statement, Subject, decode_statement, encode_statement
from mintage.attest.strictjson import decode_base64, load_json
from mintage.errors import BundleInvalidError, IntegrityError, SignatureInvalidError, StatementInvalidError

STATEMENT = Statement(
    subjects=(Subject(name="late", digest={"sha256": "ab" * 32}), Subject(name="data", digest={"sha256": "cd" * 32})),
    predicate_type="https://example.org/certificate/v0",
    predicate={"verdict": "PASS", "auc": 0.663},
)


def _changed(data: bytes, **changes: Any) -> bytes:
    value = json.loads(data)
    for path, new in changes.items():
        *parents, last = path.split("__")
        target = value
        for parent in parents:
            target = target[int(parent) if parent.isdigit() else parent]
        if new is None:
            del target[last]
        else:
            target[last] = new
    return json.dumps(value).encode()


def test_a_sealed_statement_opens_with_its_key_and_says_which(signer: FileSigner, stranger: FileSigner) -> None:
    opened = open_sealed(seal(STATEMENT, signer), [stranger.public, signer.public])
    assert (opened.statement, opened.key_id) == (STATEMENT, signer.key_id)


def test_sealing_twice_gives_the_same_bytes(signer: FileSigner) -> None:
    assert seal(STATEMENT, signer) == seal(STATEMENT, signer)


def test_another_key_is_named_as_untrusted(signer: FileSigner, stranger: FileSigner) -> None:
    with pytest.raises(SignatureInvalidError, match="not trusted") as caught:
        open_sealed(seal(STATEMENT, signer), [stranger.public], where="certificate.json")
    assert caught.value.where == "certificate.json"
    assert signer.public.hint[:16] in str(caught.value.found)


def test_no_trusted_key_at_all_is_said(signer: FileSigner) -> None:
    with pytest.raises(SignatureInvalidError) as caught:
        open_sealed(seal(STATEMENT, signer), [])
    assert "there is none" in str(caught.value.expected)


def test_a_stranger_cannot_borrow_a_trusted_keys_name(signer: FileSigner, stranger: FileSigner) -> None:
    envelope = sign(encode_statement(STATEMENT), payload_type="application/vnd.in-toto+json", signer=stranger)
    forged = encode_bundle(envelope, hint=signer.public.hint)
    with pytest.raises(SignatureInvalidError, match="does not verify"):
        open_sealed(forged, [signer.public])


@given(data=st.data())
@settings(max_examples=300)
def test_any_flipped_byte_of_a_sealed_statement_is_detected(signer: FileSigner, data: st.DataObject) -> None:
    sealed = bytearray(seal(STATEMENT, signer))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(IntegrityError) as caught:
        open_sealed(bytes(sealed), [signer.public], where="certificate.json")
    assert caught.value.where == "certificate.json"


@given(junk=st.binary(max_size=300))
def test_junk_is_never_a_crash(signer: FileSigner, junk: bytes) -> None:
    with pytest.raises(BundleInvalidError):
        open_sealed(junk, [signer.public])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mediaType": "application/json"}, "media type"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"mediaType": None}, "mediaType"),
        ({"dsseEnvelope__payload": "not base64!"}, "base64"),
        ({"dsseEnvelope__payload": ""}, "empty payload"),
        ({"dsseEnvelope__signatures": []}, "0 signatures"),
        ({"dsseEnvelope__signatures": [{"sig": "AA=="}, {"sig": "AA=="}]}, "2 signatures"),
        ({"dsseEnvelope__signatures__0__sig": "AB=="}, "canonical base64"),
        ({"dsseEnvelope__signatures__0__cert": "AA=="}, "unknown field `cert`"),
        ({"verificationMaterial__publicKey": {}}, "no hint"),
        ({"verificationMaterial__publicKey": None}, "one of publicKey"),
        ({"verificationMaterial__certificate": {"rawBytes": "AA=="}}, "one of publicKey"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_each_malformed_bundle_has_its_reason(signer: FileSigner, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BundleInvalidError) as caught:
        decode_bundle(_changed(seal(STATEMENT, signer), **changes))
    assert reason in str(caught.value.found)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "Expecting"),
        (b"[1]", "Expected `object`"),
        (b'{"a":1,"a":2}', "stands twice"),
        (b'{"a":NaN}', "not JSON"),
        ('{"a":1}'.encode("utf-16"), "codec"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "digits"),
        (b" " * ((16 << 20) + 1), "more than"),
    ],
    ids=["empty", "blank", "cut", "list", "repeated key", "nan", "utf-16", "deep", "long number", "huge"],
)
def test_hostile_json_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BundleInvalidError) as caught:
        decode_bundle(data)
    assert reason in str(caught.value.found)


def test_a_sealed_payload_of_another_type_is_no_statement(signer: FileSigner) -> None:
    envelope = sign(encode_statement(STATEMENT), payload_type="text/plain", signer=signer)
    with pytest.raises(StatementInvalidError) as caught:
        open_sealed(encode_bundle(envelope, hint=signer.public.hint), [signer.public])
    assert caught.value.found == "text/plain"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "Statement/v0.1"),
        ({"subject": []}, "no subject"),
        ({"predicateType": ""}, "no predicateType"),
        ({"subject__0__digest": {}}, "no digest"),
        ({"subject__0__digest": {"sha256": "AB" * 32}}, "sha256 digest that is not one"),
        ({"subject__0__digest": {"sha256": "ab" * 31}}, "sha256 digest that is not one"),
        ({"subject__0__digest": {"gitCommit": "xyz"}}, "gitCommit digest that is not one"),
        ({"subject__1__name": "late"}, "same name"),
        ({"subject__1__name": ""}, "without a name"),
        ({"predicate": [1]}, "Expected `object`"),
        ({"more": 1}, "unknown field"),
    ],
    ids=str,
)
def test_each_malformed_statement_has_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(StatementInvalidError) as caught:
        decode_statement(_changed(encode_statement(STATEMENT), **changes), where="x.json")
    assert reason in str(caught.value.found)
    assert caught.value.where == "x.json"


def test_a_malformed_statement_is_not_sealed(signer: FileSigner) -> None:
    with pytest.raises(StatementInvalidError):
        seal(Statement(subjects=(), predicate_type="https://example.org/v0", predicate={}), signer)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(predicate=st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_predicate_survives_sealing(signer: FileSigner, predicate: dict[str, Any]) -> None:
    statement = Statement(subjects=STATEMENT.subjects, predicate_type="https://example.org/v0", predicate=predicate)
    assert open_sealed(seal(statement, signer), [signer.public]).statement == statement


def test_base64_has_one_spelling() -> None:
    assert decode_base64("AA==") == b"\x00"
    for text in ("AB==", "AA", "AA==\n", "A-==", "AA=", "é"):
        with pytest.raises(ValueError, match=r".+"):
            decode_base64(text)


def test_strict_json_reads_ordinary_json() -> None:
    assert load_json(b' {"a": [1, 2.5, "\xc3\xa9", null, true]} ', limit=100) == {"a": [1, 2.5, "é", None, True]}
