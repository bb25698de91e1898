"""Certificates read from the command line: shown, verified inside and outside of a clone, compared."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from mintage.cli.main import main
from small_project import Answer, SmallProject


def read(project: SmallProject, *words: str, expect: int = 0, cwd: Path | None = None) -> Answer:
    """Run a command that only reads, in this process: many are asked here."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd or project.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    answer = Answer(words, code, out.getvalue(), err.getvalue())
    assert code == expect, answer
    return answer


@pytest.fixture(scope="module")
def project(_released: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return _released.copy_to(tmp_path_factory.mktemp("certificates") / "project")


@pytest.fixture(scope="module")
def folder(project: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an auditor gets by mail: a certificate, its page, a trust.yaml; no clone."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / "buys.json").write_bytes(project.blob(project.lock("certificate:buys")["record"]).read_bytes())
    (folder / "trust.yaml").write_text(project.read("trust.yaml"))
    root = project.lock("model:buys")["root"].removeprefix("sha256:")[:12]
    page = project.root / f".mintage/reports/certificate-buys-{root}.html"
    (folder / "page.html").write_bytes(page.read_bytes())
    return folder


def test_certificate_is_shown_by_lock_digest_and_revision(project):
    digest = project.lock("certificate:buys")["record"]
    shown = read(project, "show", "certificate:buys").out
    assert shown.startswith(f"certificate {digest} of buys sha256:") and "\nPASS: buys may be released" in shown
    assert "or when somebody revokes it in policies/buys.revoked.yaml" in shown
    assert "current: it holds until" in shown
    assert read(project, "show", digest).out == shown == read(project, "show", "certificate:buys@HEAD").out
    value = read(project, "show", "certificate:buys", "--json").json
    assert value["proof"]["state"] == "current" and value["results"][0]["requirement"] == "auc"
    assert "PASS, until 20" in read(project, "show", "buys").out
    assert "did you mean" in read(project, "show", "certificate:bys", expect=3).err
    assert "no revision 'nowhere'" in read(project, "show", "certificate:buys@nowhere", expect=3).err


def test_auditor_without_a_clone_verifies_file_and_page(project, folder):
    proven = read(project, "verify", "buys.json", "--trust", "trust.yaml", cwd=folder).out
    assert "genuine: signed by local" in proven
    assert "not looked at, for want of a clone that has the model: policy, domain, finding, revocation" in proven
    assert "as it was sealed" in read(project, "verify", "page.html", "--trust", "trust.yaml", cwd=folder).out
    assert "whose signature counts is not said" in read(project, "verify", "buys.json", cwd=folder, expect=3).err
    assert "SIGNATURE NOT CHECKED" in read(project, "show", "buys.json", cwd=folder).out
    other = ("verify", "buys.json", "--trust", "trust.yaml", "--model", "sha256:" + "0" * 64)
    assert read(project, *other, cwd=folder, expect=1).err.startswith("error[certificate.another-model]")


def test_what_was_changed_is_told_by_kind(project, folder):
    def changed(name: str, old: bytes, new: bytes) -> str:
        data = (folder / name).read_bytes()
        (folder / f"changed-{name}").write_bytes(data.replace(old, new, 1))
        return read(project, "verify", f"changed-{name}", "--trust", "trust.yaml", cwd=folder, expect=4).err

    assert changed("buys.json", b'"payload":"eyJ', b'"payload":"eyK').startswith("error[attest.signature-invalid]")
    assert changed("buys.json", b"mediaType", b"mediaTape").startswith("error[attest.bundle-invalid]")
    assert changed("page.html", b"may be released", b"can be released").startswith("error[attest.page-tampered]")
    assert changed("page.html", b'id="seal-data"', b'id="seal-date"').startswith("error[attest.page-tampered]")
    assert "for certificates" in read(project, "verify", "buys", "--model", "buys", expect=2).err


def test_genuine_certificate_ends_with_policy_domain_finding_or_revocation(project, tmp_path):
    copy = project.copy_to(tmp_path / "p")
    assert read(copy, "verify", "certificate:buys", "--passed", "--json").json["state"] == "current"
    copy.replace("policies/buys.yaml", "min: 0.60", "min: 0.61")
    copy.replace("models/buys.yaml", "range: [0, 100]", "range: [0, 90]")
    copy.run("finding", "add", "buys", "--row", "pages=95", "minutes=9", "--expect", "label=1")
    root = copy.lock("model:buys")["root"]
    copy.write(
        "policies/buys.revoked.yaml",
        f"model: buys\nrevoked:\n  - {{root: '{root}', reason: not our rows, by: ana@example.org, at: 2026-11-02}}\n",
    )
    copy.commit("much is another")
    answer = read(copy, "verify", "certificate:buys", "--json", expect=1).json
    assert [item["event"] for item in answer["ended"]] == ["policy", "domain", "finding", "revocation"]
    told = read(copy, "verify", "certificate:buys", expect=1).out
    assert "NO LONGER CURRENT, though genuine" in told and "revoked its model on 2026-11-02: not our rows" in told
    assert "the certificate is no longer current" in copy.run("verify", "buys", expect=4).out


def test_revoked_model_is_not_released(project, tmp_path):
    copy = project.copy_to(tmp_path / "p")
    digest = copy.lock("certificate:buys")["record"]
    copy.write(
        "policies/buys.revoked.yaml",
        f"model: buys\nrevoked:\n  - {{certificate: '{digest}', reason: a bug, by: ana@example.org, at: 2026-11-02}}\n",
    )
    copy.commit("take it back")
    refused = copy.run("release", "buys", "--to", "production", expect=1).err
    assert refused.startswith(
        "error[certificate.revoked]: the certificate was revoked on 2026-11-02 by ana@example.org"
    )


def test_two_certificates_are_compared_by_model_revision_and_file(project, folder, tmp_path):
    told = read(project, "diff", "buys").out
    assert told.startswith("buys: b3:") and "\nPASS: another model\n" in told
    assert "numbers:\n" in told and "\n  p50 " in told and "policy:" not in told
    older = next(
        commit
        for commit in project.git("log", "--format=%H", "--", "mintage.lock").split()
        if project.git("log", "-1", "--format=%s", commit) == "model a"
    )
    assert read(project, "diff", f"buys@{older}", "buys").out == told == read(project, "diff", older, "HEAD").out
    assert read(project, "diff", older, "--exit-code").out == told
    value = read(project, "diff", "buys", "--json").json
    assert {"verdicts", "numbers", "policy", "data"} <= set(value)
    same = read(project, "diff", str(folder / "buys.json"), "certificate:buys").out
    assert "it is the same certificate" in same

    copy = project.copy_to(tmp_path / "p")
    copy.replace("policies/buys.yaml", "min: 0.60", "min: 0.55")
    copy.replace("policies/buys.yaml", "calls: 50", "calls: 60")
    copy.commit("milder")
    copy.run("certify", "buys")
    found = read(copy, "diff", "buys", "--exit-code", expect=1).out
    assert "the policy asks for less in 1 place" in found
    assert "loosened  auc" in found and ">= 0.6 -> >= 0.55" in found and "p50, calls  50 -> 60" in found


def test_what_is_not_a_certificate_says_so(project, folder):
    record = project.lock("certificate:buys")["run"]
    assert read(project, "verify", record, expect=4).err.startswith("error[attest.bundle-invalid]")
    assert "two certificates are compared" in read(project, "diff", "buys.json", cwd=folder, expect=2).err


def test_certificate_is_written_for_other_tools(project, folder):
    text = read(project, "report", "buys").out
    assert text.startswith("## PASS: buys\n") and "| PASS | auc | AUC | 0." in text
    assert text == read(project, "report", "certificate:buys@HEAD", "--format", "md").out
    path = folder / "buys.xml"
    assert read(project, "report", "buys", "--format", "junit", "-o", str(path)).out == f"{path}\n"
    assert '<testcase classname="buys.F1" name="auc"' in path.read_text()
    card = read(project, "report", "buys", "--format", "card").out
    assert card.startswith("---\nlibrary_name: onnx\n") and "type: roc_auc" in card and "Tell who will buy." in card
    value = read(project, "report", "buys", "--format", "json").json
    assert value == read(project, "show", "certificate:buys", "--json").json
    offline = read(project, "report", "buys.json", "--trust", "trust.yaml", cwd=folder).out
    assert offline == text
    assert "whose signature counts" in read(project, "report", "buys.json", cwd=folder, expect=1).err
    assert "--format is for a certificate" in read(project, "report", "--format", "md", expect=2).err
