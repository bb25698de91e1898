"""A project's own check from the command line: committed with the policy, never run by reading it, told by certify."""

from __future__ import annotations

import pytest

from small_project import SmallProject

BUYERS = '''
def per_row(holdout, data):
    """Buyers of a known day that are missed."""
    missed = (holdout.labels == 1) & (holdout.predicted == 0)
    return missed & (holdout.group > data.options["after"])
'''
RELATIONS = """
def more_pages_never_less(row):
    if row["pages"] <= 90:
        return {**row, "pages": row["pages"] + 10}, "not less"
"""
LINES = """\
  - {id: missed, check: own, file: checks/buyers.py, max: 0.5, options: {after: '2026-01-01'}}
  - {id: order, check: V4, severity: note}
  - {id: relations, check: B3, relations: checks/relations.py, examples: 40}
"""


@pytest.fixture
def project(fresh: SmallProject) -> SmallProject:
    fresh.write("checks/buyers.py", BUYERS)
    fresh.write("checks/relations.py", RELATIONS)
    fresh.write("policies/buys.yaml", fresh.read("policies/buys.yaml") + LINES)
    fresh.git("add", "policies/buys.yaml")
    fresh.git("commit", "-qm", "requirements of our own")
    return fresh


@pytest.mark.slow
def test_own_checks_are_committed_judged_and_named_in_the_certificate(project: SmallProject) -> None:
    project.run("run")
    refused = project.run("certify", "buys", expect=1)
    assert "error[certify.check-uncommitted]: checks/buyers.py is in no commit" in refused.err
    assert not any(event["action"] == "holdout.open" for event in project.audit())
    project.commit("checks of our own")
    project.run("run", "--force")
    told = {item["requirement"]: item for item in project.run("certify", "buys", "--json").json["results"]}
    assert (told["missed"]["verdict"], told["missed"]["title"]) == ("PASS", "Buyers of a known day that are missed")
    assert told["missed"]["interval"]["low"] < told["missed"]["estimate"] < told["missed"]["interval"]["high"]
    assert (told["relations"]["verdict"], told["relations"]["rows"]) == ("PASS", 40)
    digest = project.run("policy", "check").out.partition("checks/buyers.py is ")[2].split()[0]
    assert told["missed"]["details"]["file digest"] == digest

    project.write("checks/buyers.py", BUYERS + "# another thought\n")
    refused = project.run("certify", "buys", expect=1)
    assert "checks/buyers.py was edited and not committed" in refused.err
    project.replace("policies/buys.yaml", "file: checks/buyers.py,", f"file: checks/buyers.py, digest: '{digest}',")
    project.commit("an edited check")
    refused = project.run("certify", "buys", expect=1)
    assert "error[certify.check-mismatch]: checks/buyers.py is not the file that the requirement missed" in refused.err
    project.replace("policies/buys.yaml", f" digest: '{digest}',", "")
    project.commit("as it was")
    late = {item["requirement"]: item for item in project.run("certify", "buys", "--json").json["results"]}
    assert late["missed"]["verdict"] == "PASS"
    assert (told["order"]["verdict"], late["order"]["verdict"]) == ("INCONCLUSIVE", "FAIL")


def test_reading_a_policy_runs_no_file_and_a_file_that_is_not_there_is_named(project: SmallProject) -> None:
    project.write("checks/buyers.py", "raise SystemExit('it ran')\n")
    shown = project.run("policy", "check")
    assert "it ran" not in shown.out + shown.err
    (project.root / "checks/relations.py").unlink()
    missing = project.run("policy", "check", expect=3)
    assert "is decided by checks/relations.py, which is not there" in missing.err
