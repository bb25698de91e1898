"""Messages that one key can read, unchanged, together with what they are bound to."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mintage.attest.encrypt import Encrypted, decrypt_with, encrypt_to
from mintage.attest.keys import FileSigner
from mintage.attest.strictjson import decode_base64, encode_base64
from mintage.errors import DecryptionFailedError, KeyFileError


@pytest.fixture
def ben(tmp_path: Path) -> FileSigner:
    return FileSigner.create(tmp_path / "ben.pem", name="ben")


def changed(text: str, place: int) -> str:
    data = bytearray(decode_base64(text))
    data[place] ^= 1
    return encode_base64(bytes(data))


def test_the_holder_reads_it_and_two_messages_of_the_same_text_differ(ben: FileSigner) -> None:
    one, other = (encrypt_to(ben.public_pem, b"1,0,1", bound=b"rows") for _ in range(2))
    assert decrypt_with(ben, one, bound=b"rows") == decrypt_with(ben, other, bound=b"rows") == b"1,0,1"
    assert not set(msgspec.structs.astuple(one)) & set(msgspec.structs.astuple(other))


def test_another_key_cannot_read_it(ben: FileSigner, tmp_path: Path) -> None:
    eve = FileSigner.create(tmp_path / "eve.pem", name="eve")
    with pytest.raises(DecryptionFailedError):
        decrypt_with(eve, encrypt_to(ben.public_pem, b"1,0,1", bound=b"rows"), bound=b"rows")


def test_it_does_not_open_with_other_rows(ben: FileSigner) -> None:
    with pytest.raises(DecryptionFailedError):
        decrypt_with(ben, encrypt_to(ben.public_pem, b"1,0,1", bound=b"rows"), bound=b"other rows")


@pytest.mark.parametrize("field", ["point", "nonce", "ciphertext"])
@pytest.mark.parametrize("place", [0, -1])
def test_any_changed_byte_is_noticed(ben: FileSigner, field: str, place: int) -> None:
    message = encrypt_to(ben.public_pem, b"1,0,1", bound=b"rows")
    touched = msgspec.structs.replace(message, **{field: changed(getattr(message, field), place)})
    with pytest.raises(DecryptionFailedError):
        decrypt_with(ben, touched, bound=b"rows")


def test_what_is_no_message_is_refused(ben: FileSigner) -> None:
    with pytest.raises(DecryptionFailedError):
        decrypt_with(ben, Encrypted(point="", nonce="", ciphertext="%"), bound=b"rows")


def test_only_a_p256_key_can_be_encrypted_to() -> None:
    pem = (
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(KeyFileError):
        encrypt_to(pem, b"1,0,1", bound=b"rows")
