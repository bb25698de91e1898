"""One certificate alone: no byte of it can be changed, and a key that trust.yaml lost is told from a forgery."""

from __future__ import annotations

from pathlib import Path

import pytest

from mintage.attest.keys import FileSigner
from mintage.attest.seal import open_sealed, seal
from mintage.attest.trust import Trust, parse_trust, read_trust, render_trust
from mintage.errors import CertificateForAnotherModelError, IntegrityError, SignatureInvalidError
from mintage.lineage.certificate_proof import prove_certificate
from mintage.repo.git import Git
from small_project import SmallProject

NOW = "2026-11-26T12:00:00Z"


@pytest.fixture(scope="module")
def project(_released: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return _released.copy_to(tmp_path_factory.mktemp("one") / "project")


@pytest.fixture(scope="module")
def data(project: SmallProject) -> bytes:
    return project.blob(project.lock("certificate:buys")["record"]).read_bytes()


@pytest.fixture(scope="module")
def trust(project: SmallProject) -> Trust:
    return read_trust(project.root / "trust.yaml")


def prove(data: bytes, trust: Trust, git: Git | None = None, root: str | None = None):
    return prove_certificate(data, where="c.json", trust=trust, git=git, now=NOW, root=root)


def test_certificate_alone_is_proven_by_its_keys_and_names_what_it_could_not_see(data, trust, project):
    proof = prove(data, trust)
    assert proof.signed_by == "local" and proof.commit is None
    assert proof.unchecked == ("policy", "domain", "finding", "revocation")
    assert proof.digest == project.lock("certificate:buys")["record"]


def test_every_changed_byte_is_noticed(data, trust):
    assert len(data) > 3000
    for place in range(0, len(data), 11):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(IntegrityError):
            prove(bytes(changed), trust)


def test_certificate_by_a_stranger_is_no_certificate(data, trust, project, tmp_path: Path):
    stranger = FileSigner.create(tmp_path / "stranger.pem", name="stranger")
    statement = open_sealed(data, trust.keys_for("certificate")).statement
    with pytest.raises(SignatureInvalidError) as caught:
        prove(seal(statement, stranger), trust, Git(project.root))
    assert "not trusted" in caught.value.message


def test_certificate_of_another_model_is_refused(data, trust):
    with pytest.raises(CertificateForAnotherModelError):
        prove(data, trust, root="sha256:" + "0" * 64)


def test_key_that_an_earlier_commit_trusted_ends_the_certificate_and_does_not_make_it_a_forgery(
    data, trust, project, tmp_path: Path
):
    copy = project.copy_to(tmp_path / "p")
    other = FileSigner.create(tmp_path / "other.pem", name="other")
    copy.write("trust.yaml", render_trust({"other": (other.public_pem, ["model", "certificate"])}))
    copy.commit("another key")
    now = parse_trust(copy.read("trust.yaml").encode(), where="trust.yaml")
    proof = prove(data, now, Git(copy.root))
    assert [item.event for item in proof.ended][:1] == ["trust"]
    assert "the key local that signed it is no longer trusted" in proof.ended[0].sentence
