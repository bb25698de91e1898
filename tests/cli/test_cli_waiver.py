"""Waivers from the command line: proposed by the author, committed by another person, ended by time."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from mintage.attest.trust import read_trust
from mintage.certify.order import order_reason, order_state
from mintage.certify.policy import read_policy
from mintage.certify.waiver_facts import present_waivers
from mintage.cli.context import Context
from mintage.cli.holdout_opening import find_order
from mintage.errors import WaiverExpiredError
from mintage.lineage.chain import walk
from mintage.lineage.verify import verify_target
from mintage.release.write import propose
from mintage.repo.workspace import Workspace
from small_project import SmallProject

ANA = "ana@example.org"
SAID = ("--reason", "sales start in March", "--compensating", "a person looks at each", "--approver", ANA)


def failing(project: SmallProject) -> SmallProject:
    """The model misses its floor."""
    project.replace("policies/buys.yaml", "min: 0.60", "min: 0.99")
    project.commit("a floor too high")
    project.run("run", "--force")
    project.run("certify", "buys", expect=1)
    return project


def commit_as(project: SmallProject, mail: str, subject: str) -> None:
    project.git("add", "-A")
    project.git("-c", "core.hooksPath=", "commit", "-qm", subject, f"--author=A <{mail}>")


@pytest.fixture(scope="module")
def _failing(_released, tmp_path_factory):
    return failing(_released.copy_to(tmp_path_factory.mktemp("waiver") / "failing project"))


@pytest.mark.slow
def test_waiver_is_proposed_approved_by_another_and_ends_what_was_released_with_it(_failing, tmp_path):
    project = _failing.copy_to(tmp_path / "p")
    shown = project.run("waiver", "propose", "buys", "auc")
    assert shown.out.startswith("  - requirement: auc\n    result: sha256:")
    assert "Fill in reason, compensating, approver." in shown.err
    assert not (project.root / "policies/buys.waivers.yaml").exists()
    written = project.run("waiver", "propose", "buys", "auc", *SAID, "--days", "20", "--write")
    assert "+++ b/policies/buys.waivers.yaml" in written.out
    assert "not committed" in project.run("certify", "buys", expect=1).out
    commit_as(project, "tess@example.org", "let it stand, says the author")
    assert "not by its approver" in project.run("waiver", "list", "buys").out
    project.replace("policies/buys.waivers.yaml", "  - requirement: auc\n", "  - requirement: auc   # seen\n")
    commit_as(project, ANA, "one line is mine")
    assert "not by its approver" in project.run("waiver", "list", "buys").out

    text = project.read("policies/buys.waivers.yaml")
    (project.root / "policies/buys.waivers.yaml").unlink()
    commit_as(project, "tess@example.org", "take it back")
    project.write("policies/buys.waivers.yaml", text)
    commit_as(project, ANA, "I approve")
    answer = project.run("certify", "buys")
    last = datetime.now(UTC).date() + timedelta(days=20)
    assert answer.out.startswith("PASS: buys may be released: ") and f"auc FAIL, waived until {last}" in answer.out
    assert f"auc: waived by {ANA} until {last}: sales start in March" in answer.out
    assert "holds; the certificate rests on it" in project.run("waiver", "list", "buys").out
    page = next((project.root / ".mintage/reports").glob("certificate-*.html"), None)
    assert page is not None
    commit_as(project, "tess@example.org", "certified")
    project.run("release", "buys", "--to", "production")
    assert f"auc waived until {last}" in project.run("verify", "production/buys").out

    workspace = Workspace(project.root)
    for day, holds in ((last, True), (last + timedelta(days=1), False)):
        links = walk(verify_target("production/buys", workspace=workspace, now=f"{day}T12:00:00Z"))
        broken = [link.detail for link in links if not link.ok]
        assert (not broken) == holds and all("waiver of auc" in detail for detail in broken)
    with pytest.raises(WaiverExpiredError):
        propose(
            workspace,
            "buys",
            trust=read_trust(project.root / "trust.yaml"),
            policy="policies/buys.yaml",
            now=f"{last + timedelta(days=1)}T00:00:00Z",
        )


def test_author_of_the_model_cannot_approve_a_waiver(_failing, tmp_path):
    project = _failing.copy_to(tmp_path / "p")
    project.run("waiver", "propose", "buys", "auc", *SAID[:4], "--approver", "tess@example.org", "--write")
    commit_as(project, "tess@example.org", "I let my own model pass")
    assert "is the author of the model's commit" in project.run("certify", "buys", expect=1).out


def test_what_cannot_be_waived_is_refused(_failing):
    assert "there is nothing to waive" in _failing.run("waiver", "propose", "buys", "parity", expect=1).err
    assert "did you mean 'auc'" in _failing.run("waiver", "propose", "buys", "auk", expect=3).err
    assert "1 to 90 days" in _failing.run("waiver", "propose", "buys", "auc", "--days", "91", expect=2).err
    assert "--write needs" in _failing.run("waiver", "propose", "buys", "auc", "--write", expect=2).err
    assert _failing.run("waiver", "list", "buys").out == "there are no waivers of buys\n"
    assert _failing.run("waiver", "list", "buys", "--json").json == []


def test_commit_that_a_clone_lacks_leaves_order_and_author_unknown(_failing, tmp_path):
    project = _failing.copy_to(tmp_path / "p")
    project.run("waiver", "propose", "buys", "auc", *SAID, "--write")
    commit_as(project, ANA, "I approve")
    lacking = "0" * 40  # as a snapshot of an edited work tree that nobody pushed
    workspace = Workspace(project.root)
    [presented] = present_waivers(workspace, "buys", evidence_commit=lacking, now="2026-01-01T00:00:00Z")
    assert (presented.author, presented.covers) == (None, False)
    policy = read_policy(project.root / "policies/buys.yaml")
    with contextlib.closing(Context(workspace)) as context:
        facts = find_order(context, policy, "buys", lacking)
    assert facts.policy_commit is not None and order_state(facts) == "not proven"
    assert order_reason(facts).endswith("is not known, or not in this clone")
