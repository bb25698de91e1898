"""Keys: made once, kept private, deterministic, and never mistaken for one another."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from mintage.attest.keys import FileSigner, PublicKey, ensure_project_key
from mintage.errors import KeyFileError


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def test_a_created_key_is_private_to_its_owner_and_loads_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ana.pem"
    made = FileSigner.create(path, name="ana")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = FileSigner.load(path)
    assert (loaded.name, loaded.key_id) == ("ana", made.key_id)
    assert PublicKey.from_pem((tmp_path / "keys" / "ana.pem.pub").read_bytes()) == made.public
    assert [item.name for item in sorted(path.parent.iterdir())] == ["ana.pem", "ana.pem.pub"]


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ana.pem"
    made = FileSigner.create(path, name="ana")
    with pytest.raises(KeyFileError, match="already"):
        FileSigner.create(path, name="ana")
    assert FileSigner.load(path).key_id == made.key_id


@given(data=st.binary(max_size=200))
def test_a_signature_is_deterministic_and_verifies_for_its_bytes_only(signer: FileSigner, data: bytes) -> None:
    signature = signer.sign(data)
    assert signature == signer.sign(data)
    assert signer.public.verify(signature, data)
    assert not signer.public.verify(signature, data + b"x")


def test_a_signature_of_another_key_does_not_verify(signer: FileSigner, stranger: FileSigner) -> None:
    assert not stranger.public.verify(signer.sign(b"text"), b"text")
    assert signer.public != stranger.public


def test_garbage_is_no_signature(signer: FileSigner) -> None:
    assert not signer.public.verify(b"", b"text")
    assert not signer.public.verify(b"\x30\x00", b"text")


def test_the_key_id_is_the_digest_of_the_der_form(signer: FileSigner) -> None:
    import hashlib

    key = serialization.load_pem_public_key(signer.public_pem)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert signer.key_id == f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_ensure_project_key_makes_one_key_however_many_ask_at_once(tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    start, ids, failures = threading.Barrier(8), [], []

    def ask() -> None:
        try:
            start.wait()
            ids.append(ensure_project_key(keys_dir).key_id)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, len(ids), len(set(ids))) == ([], 8, 1)
    assert sorted(item.name for item in keys_dir.iterdir()) == ["project.pem", "project.pem.pub"]
    assert stat.S_IMODE((keys_dir / "project.pem").stat().st_mode) == 0o600


def test_ensure_project_key_writes_a_lost_public_half_again(tmp_path: Path) -> None:
    signer = ensure_project_key(tmp_path)
    (tmp_path / "project.pem.pub").unlink()
    ensure_project_key(tmp_path)
    assert (tmp_path / "project.pem.pub").read_bytes() == signer.public_pem


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n", "not a private key"),
        (_private_pem(ec.generate_private_key(ec.SECP384R1())), "another kind"),
        (_private_pem(rsa.generate_private_key(65537, 2048)), "another kind"),
        (_private_pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "not a private key"),
    ],
    ids=["empty", "broken", "p384", "rsa", "encrypted"],
)
def test_a_file_that_is_no_p256_private_key_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=reason) as caught:
        FileSigner.load(path)
    assert caught.value.where == str(path)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no key file"):
        FileSigner.load(tmp_path / "none.pem")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_public_keys_of_all_three_curves_are_read(curve: ec.EllipticCurve) -> None:
    public = ec.generate_private_key(curve).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert PublicKey.from_pem(pem).algorithm == "ecdsa"


def test_ed25519_keys_are_read_for_checkpoints() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key = PublicKey.from_pem(pem)
    assert key.algorithm == "ed25519"
    assert key.verify(private.sign(b"text"), b"text")
    assert not key.verify(private.sign(b"text"), b"other")


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"hello",
        _private_pem(ec.generate_private_key(ec.SECP256R1())),
        rsa.generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ec.generate_private_key(ec.SECP256K1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 100_000 + b"\n-----END PUBLIC KEY-----\n",
    ],
    ids=["empty", "text", "private", "rsa", "secp256k1", "huge"],
)
def test_what_is_no_usable_public_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyFileError) as caught:
        PublicKey.from_pem(pem, where="trust.yaml:3:5")
    assert caught.value.where == "trust.yaml:3:5"
