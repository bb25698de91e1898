"""The specification's own vectors: valid ones parse and verify, invalid ones are told apart, each with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mintage.attest.bundle import Bundle, verify_bundle
from mintage.attest.dsse import verify
from mintage.attest.keys import PublicKey
from mintage.attest.oms import parse_model_signature
from mintage.errors import (
    BundleInvalidError,
    IntegrityError,
    SignatureInvalidError,
    SignatureUnsupportedError,
    StatementInvalidError,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "oms-v1.0" / "test-vectors" / "v1.0"
VALID = {
    "key": ("key", "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"),
    "certificate": ("certificate", "92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"),
    "sigstore": ("sigstore", "61d4849d9d90076d6215f4d525f13d6574af8e3f67aef3e6f36fc40a14fdd226"),
}
INVALID: dict[str, tuple[type[IntegrityError], str]] = {
    "invalid/empty": (BundleInvalidError, "empty"),
    "invalid/missing-envelope": (BundleInvalidError, "missing required field `dsseEnvelope`"),
    "invalid/missing-tlog-entries": (BundleInvalidError, "without tlogEntries"),
    "invalid/missing-verification-material": (BundleInvalidError, "missing required field `verificationMaterial`"),
    "invalid-payload/wrong-predicate": (StatementInvalidError, "https://example.com/wrong-predicate/v1.0"),
}


def read(name: str) -> tuple[Bundle, str]:
    bundle, root, _ = parse_model_signature((VECTORS / f"{name}.bundle.json").read_bytes())
    return bundle, root


def key_in(bundle: Bundle) -> PublicKey:
    """The public key of the signer's certificate that a bundle carries."""
    public = x509.load_der_x509_certificate(bundle.certificates[0]).public_key()
    return PublicKey.from_pem(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def test_every_vector_of_the_specification_is_tested_here() -> None:
    found = {path.relative_to(VECTORS).as_posix().removesuffix(".bundle.json") for path in VECTORS.rglob("*.json")}
    assert found == {f"valid/{name}" for name in VALID} | set(INVALID)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_vector_parses_with_its_method_and_root(name: str) -> None:
    bundle, root = read(f"valid/{name}")
    assert (bundle.method, root) == (VALID[name][0], f"sha256:{VALID[name][1]}")


@pytest.mark.parametrize("name", ["certificate", "sigstore"])
def test_a_vectors_signature_verifies_with_the_key_of_its_certificate(name: str) -> None:
    bundle, _ = read(f"valid/{name}")
    key = key_in(bundle)
    assert verify(bundle.envelope, [key]) == key


def test_the_key_vector_verifies_with_the_key_that_its_hint_names() -> None:
    bundle, _ = read("valid/key")
    key = key_in(read("valid/certificate")[0])
    assert bundle.hint == key.hint
    assert verify_bundle(bundle, [key]) == key


def test_a_vectors_signature_does_not_verify_with_another_vectors_key() -> None:
    with pytest.raises(SignatureInvalidError):
        verify(read("valid/certificate")[0].envelope, [key_in(read("valid/sigstore")[0])])


@pytest.mark.parametrize("name", ["certificate", "sigstore"])
def test_methods_that_cannot_be_verified_here_are_named(name: str) -> None:
    bundle, _ = read(f"valid/{name}")
    with pytest.raises(SignatureUnsupportedError) as caught:
        verify_bundle(bundle, [key_in(bundle)])
    assert caught.value.found == f"method {name!r}"


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_vector_is_refused_with_its_own_reason(name: str) -> None:
    error, reason = INVALID[name]
    with pytest.raises(error) as caught:
        read(name)
    assert reason in str(caught.value.found)
