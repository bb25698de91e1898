"""Admission with a real model, gateway and signatures: after each refusal the old model goes on serving."""

import json

import pytest
import yaml

from mintage.attest.keys import FileSigner
from mintage.attest.seal import open_sealed, seal
from mintage.attest.statement import Statement
from mintage.attest.trust import read_trust
from mintage.certify.certificate import parse_certificate
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import sha256_bytes
from mintage.store.local import Store
from small_project import FILES, flip


class Scene:
    """A project whose gateway serves ``a``; the manifest of HEAD asks for ``b``, if nothing is wrong with it."""

    def __init__(self, project):
        self.project = project
        self.store = Store(project.root / ".mintage/store")
        self.a = project.manifest()["champion"]
        state = project.run("reconcile", "production", "--json").json
        self.url = state["url"]
        project.run("release", "buys", "--to", "production")
        self.b = project.manifest()["champion"]
        self.head = project.git("rev-parse", "HEAD")

    def serves(self):
        """The model that answers a request now."""
        return self.project.infer(self.url, request_id="who")["model_version"]

    def release(self, **changes):
        """Commit a manifest edited by hand."""
        manifest = self.project.manifest()
        self.project.write_manifest(manifest | {"champion": manifest["champion"] | changes})
        self.project.commit("by hand")

    def reissue(self, signer=None, **changes):
        """The certificate of ``b`` with parts changed, consistent in itself and signed anew; returns its digest."""
        trust = read_trust(self.project.root / "trust.yaml")
        sealed = open_sealed(self.store.get_bytes(self.b["certificate"]), trust.keys_for("certificate"))
        predicate = json.loads(json.dumps(sealed.statement.predicate)) | changes
        predicate["ends"][0]["at"] = predicate["expires"]
        results = [{k: v for k, v in each.items() if k != "examples" or v} for each in predicate["results"]]
        statistics = predicate["statistics"] | {"digest": sha256_bytes(canonical_bytes(results))}
        statement = Statement(
            subjects=sealed.statement.subjects,
            predicate_type=sealed.statement.predicate_type,
            predicate=predicate | {"statistics": statistics},
        )
        parse_certificate(statement)
        signer = signer or FileSigner.load(self.project.root / ".mintage/keys/project.pem")
        return self.store.put_bytes(seal(statement, signer))

    def results(self):
        """The results of the certificate of ``b``, to change."""
        trust = read_trust(self.project.root / "trust.yaml")
        sealed = open_sealed(self.store.get_bytes(self.b["certificate"]), trust.keys_for("certificate"))
        return json.loads(json.dumps(sealed.statement.predicate["results"]))


@pytest.fixture(scope="module")
def serving(_released, tmp_path_factory):
    copy = _released.copy_to(tmp_path_factory.mktemp("serving") / "project")
    try:
        yield Scene(copy)
    finally:
        copy.stop_gateway()


@pytest.fixture
def scene(serving):
    """The scene, put back afterwards; whatever a test does, ``a`` must still answer at its end."""
    yield serving
    assert serving.serves() == serving.a["root"]
    serving.project.git("reset", "-q", "--hard", serving.head)


def refused(scene, *, expect, code, names=""):
    """Reconcile is refused, the log says why, and the gateway serves what it served."""
    before = scene.project.audit()
    error = scene.project.run("reconcile", "production", "--json", expect=expect).json["error"]
    assert error["code"] == code and names in json.dumps(error)
    assert scene.serves() == scene.a["root"]
    after = scene.project.audit()
    assert len(after) == len(before) + 1
    assert (after[-1]["action"], after[-1]["decision"]) == ("release.admit", "deny")
    assert after[-1]["details"]["reason"] == error["message"]
    return after[-1]


def test_a_tampered_model_is_refused(scene):
    shown = scene.project.run("show", "buys", "--json").json
    graph = next(file["digest"] for file in shown["files"] if file["path"] == "model.onnx")
    flip(scene.project.blob(graph))
    try:
        entry = refused(scene, expect=4, code="store.digest-mismatch", names=graph)
        assert entry["details"]["root"] == scene.b["root"] and entry["resource"] == "production/buys"
    finally:
        flip(scene.project.blob(graph))


def test_a_certificate_that_is_not_in_the_store_is_refused(scene):
    scene.release(certificate="b3:" + "0" * 64)
    refused(scene, expect=4, code="store.blob-missing")


def test_a_certificate_of_another_model_is_refused(scene):
    scene.release(certificate=scene.a["certificate"])
    refused(scene, expect=1, code="certificate.another-model")


def test_a_certificate_that_failed_is_refused(scene):
    results = scene.results()
    results[0]["gate"]["threshold"], results[0]["verdict"] = 0.99, "FAIL"
    scene.release(certificate=scene.reissue(results=results, verdict="FAIL"))
    refused(scene, expect=1, code="certificate.not-passed", names="FAIL")


def test_a_certificate_that_expired_is_refused(scene):
    times = {"issued": "2020-01-01T00:00:00Z", "expires": "2020-03-31T00:00:00Z"}
    scene.release(certificate=scene.reissue(**times))
    refused(scene, expect=1, code="certificate.expired", names="2020-03-31")


def test_a_certificate_of_the_future_is_refused(scene):
    times = {"issued": "2999-01-01T00:00:00Z", "expires": "2999-03-31T00:00:00Z"}
    scene.release(certificate=scene.reissue(**times))
    refused(scene, expect=1, code="certificate.not-yet-valid")


def test_a_certificate_by_an_unknown_key_is_refused(scene, tmp_path):
    scene.release(certificate=scene.reissue(FileSigner.create(tmp_path / "mallory.pem", name="mallory")))
    refused(scene, expect=4, code="attest.signature-invalid")


@pytest.mark.parametrize("role", ["model", "certificate"])
def test_a_key_whose_role_was_taken_away_counts_no_more(scene, role):
    roles = [each for each in ("model", "certificate", "release") if each != role]
    scene.project.replace("trust.yaml", "roles: [model, certificate, release, result]", f"roles: [{', '.join(roles)}]")
    scene.project.commit("less trust")
    refused(scene, expect=4, code="attest.signature-invalid")


def test_another_policy_than_the_certified_one_is_refused(scene):
    scene.project.replace("policies/buys.yaml", "min: 0.60", "min: 0.55")
    scene.project.commit("a looser policy")
    refused(scene, expect=1, code="certificate.another-policy")


def test_a_policy_that_is_gone_is_refused(scene):
    scene.project.git("rm", "-q", "policies/buys.yaml")
    scene.project.commit("no policy")
    refused(scene, expect=1, code="release.refused", names="policies/buys.yaml")


def test_a_manifest_edited_to_another_root_is_refused(scene):
    scene.release(root="sha256:" + "1" * 64)
    refused(scene, expect=1, code="release.refused", names="edited by hand")


def test_a_record_of_another_kind_is_refused(scene):
    scene.release(record=scene.project.record(scene.b["record"])["body"]["run"])
    refused(scene, expect=4, code="record.invalid")


def test_a_manifest_that_names_an_unknown_model_is_refused(scene):
    manifest = scene.project.manifest() | {"model": "leaves"}
    scene.project.write("releases/production/leaves.yaml", yaml.safe_dump(manifest))
    scene.project.commit("a model that nobody declared")
    entry = refused(scene, expect=1, code="release.refused", names="leaves")
    assert entry["resource"] == "production/leaves"


def test_the_model_of_another_name_is_refused(scene):
    scene.project.replace("mintage.yaml", "models:\n", "models:\n  leaves: {from: work/model.joblib}\n")
    manifest = scene.project.manifest() | {"model": "leaves", "champion": scene.a}
    scene.project.write("releases/production/leaves.yaml", yaml.safe_dump(manifest))
    scene.project.git("checkout", "-q", "HEAD~1", "--", "releases/production/buys.yaml")
    scene.project.commit("what is live under one name, asked for under another")
    entry = refused(scene, expect=1, code="release.refused", names="another model")
    assert entry["resource"] == "production/leaves"


def test_a_manifest_that_cannot_be_read_changes_nothing(scene):
    scene.project.replace("releases/production/buys.yaml", "champion:", "champoin:")
    scene.project.commit("a slip")
    error = scene.project.run("reconcile", "production", "--json", expect=3).json["error"]
    assert error["code"] == "project.file-malformed" and error["hint"] == "did you mean 'champion'?"
    assert "releases/production/buys.yaml:" in error["where"]


def test_a_release_without_a_certificate_is_refused_and_entered(scene):
    scene.project.git("rm", "-q", "mintage.lock/certificate%3Abuys.json")
    scene.project.commit("no certificate")
    error = scene.project.run("release", "buys", "--to", "production", "--json", expect=1).json["error"]
    assert error["code"] == "release.refused" and "mintage certify buys" in error["hint"]
    entry = scene.project.audit()[-1]
    assert (entry["action"], entry["decision"]) == ("release.write", "deny")
    assert entry["details"]["reason"] == error["message"]


def test_a_release_under_a_changed_policy_is_refused_and_entered(scene):
    scene.project.write("policies/buys.yaml", FILES["policies/buys.yaml"].replace("0.60", "0.50"))
    scene.project.commit("a looser policy")
    error = scene.project.run("release", "buys", "--to", "production", "--json", expect=1).json["error"]
    assert error["code"] == scene.project.audit()[-1]["details"]["code"] == "certificate.another-policy"


def test_after_all_refusals_the_honest_release_is_admitted_and_can_be_rolled_back(serving):
    project = serving.project
    assert project.run("reconcile", "production", "--json").json["changed"] is True
    assert serving.serves() == serving.b["root"]
    project.run("rollback", "production/buys")
    project.run("reconcile", "production")
    assert serving.serves() == serving.a["root"]
    assert project.run("audit", "verify", "--json").json["problems"] == []
