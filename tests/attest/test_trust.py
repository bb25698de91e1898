"""trust.yaml says whose signature counts for what; a mistake in it is shown with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from mintage.attest.keys import FileSigner
from mintage.attest.trust import parse_trust, read_trust, render_trust
from mintage.errors import FileMalformedError, FileMissingError

ED25519 = (
    ed25519.Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def test_each_role_has_its_keys_and_each_key_its_name(signer: FileSigner, stranger: FileSigner) -> None:
    text = render_trust(
        {
            "ana": (signer.public_pem, ["model", "certificate"]),
            "ops": (stranger.public_pem, ["release", "model"]),
            "log": (ED25519, ["checkpoint"]),
        }
    )
    trust = parse_trust(text.encode(), where="trust.yaml")
    assert trust.keys_for("model") == [signer.public, stranger.public]
    assert trust.keys_for("certificate") == [signer.public]
    assert trust.keys_for("release") == [stranger.public]
    assert [key.algorithm for key in trust.keys_for("checkpoint")] == ["ed25519"]
    assert trust.name_of(stranger.key_id) == "ops"
    assert trust.name_of("sha256:" + "0" * 64) is None


def test_names_that_yaml_would_take_for_something_else_stay_names(signer: FileSigner) -> None:
    trust = parse_trust(render_trust({"123": (signer.public_pem, ["model"])}).encode(), where="trust.yaml")
    assert trust.name_of(signer.key_id) == "123"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError) as caught:
        read_trust(tmp_path / "trust.yaml")
    assert caught.value.where == str(tmp_path / "trust.yaml")


def test_an_unknown_key_is_shown_with_its_line_and_the_nearest_one(signer: FileSigner) -> None:
    text = render_trust({"ana": (signer.public_pem, ["model"])}).replace("roles:", "role:")
    with pytest.raises(FileMalformedError, match="unknown key 'role'") as caught:
        parse_trust(text.encode(), where="trust.yaml")
    assert str(caught.value.where).startswith("trust.yaml:9")
    assert caught.value.hint == "did you mean 'roles'?"


def test_an_unknown_role_is_refused(signer: FileSigner) -> None:
    text = render_trust({"ana": (signer.public_pem, ["model"])}).replace("[model]", "[admin]")
    with pytest.raises(FileMalformedError) as caught:
        parse_trust(text.encode(), where="trust.yaml")
    assert (caught.value.found, "model" in str(caught.value.expected)) == ("'admin'", True)


@pytest.mark.parametrize("roles", [["checkpoint"], [], ["model", "checkpoint"]])
def test_roles_must_fit_the_kind_of_key(signer: FileSigner, roles: list[str]) -> None:
    text = render_trust({"ana": (signer.public_pem, ["model"])}).replace("[model]", f"[{', '.join(roles)}]")
    with pytest.raises(FileMalformedError, match="do not fit its key"):
        parse_trust(text.encode(), where="trust.yaml")


def test_a_checkpoint_key_signs_no_models() -> None:
    with pytest.raises(FileMalformedError, match="do not fit its key"):
        render_trust({"log": (ED25519, ["model"])})


def test_a_private_key_in_trust_is_refused(tmp_path: Path) -> None:
    FileSigner.create(tmp_path / "k.pem", name="k")
    with pytest.raises(FileMalformedError, match="cannot be used") as caught:
        render_trust({"k": ((tmp_path / "k.pem").read_bytes(), ["model"])})
    assert "a private key" in str(caught.value.found)
    assert "BEGIN" not in str(caught.value.found)


def test_the_same_key_under_two_names_is_refused(signer: FileSigner) -> None:
    with pytest.raises(FileMalformedError, match="are the same key"):
        render_trust({"ana": (signer.public_pem, ["model"]), "bob": (signer.public_pem, ["release"])})


def test_a_key_that_is_no_key_is_shown_with_its_line() -> None:
    text = b"keys:\n  ana:\n    public: hello\n    roles: [model]\n"
    with pytest.raises(FileMalformedError) as caught:
        parse_trust(text, where="trust.yaml")
    assert caught.value.where == "trust.yaml:3:5"


def test_a_file_without_keys_trusts_nobody() -> None:
    assert parse_trust(b"keys: {}\n", where="trust.yaml").keys_for("model") == []
    with pytest.raises(FileMalformedError):
        parse_trust(b"", where="trust.yaml")


def test_the_example_of_the_specification_is_a_good_file() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "trust.md").read_text()
    trust = parse_trust(page.split("```yaml\n")[1].split("```")[0].encode(), where="trust.md")
    assert [(key.name, key.roles) for key in trust.keys] == [
        ("ana", ("model", "certificate", "release", "result")),
        ("log", ("checkpoint",)),
    ]


def test_nobody_witnesses_models_that_he_signs(signer: FileSigner) -> None:
    text = render_trust({"ana": (signer.public_pem, ["witness", "certificate"])})
    assert parse_trust(text.encode(), where="trust.yaml").keys_for("witness") == [signer.public]
    with pytest.raises(FileMalformedError, match="the witness of models"):
        parse_trust(text.replace("[witness", "[model, witness").encode(), where="trust.yaml")
