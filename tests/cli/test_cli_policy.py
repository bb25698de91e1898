"""``certify`` without a policy file, and ``policy init``: the command line as a process, on the small project."""

from __future__ import annotations

import json

import pytest
import yaml

from mintage.record.digest import sha256_bytes
from small_project import SmallProject


@pytest.fixture
def without_policy(fresh: SmallProject) -> SmallProject:
    """The small project as if nobody had ever written a policy."""
    (fresh.root / "policies/buys.yaml").unlink()
    fresh.git("add", "-A")
    fresh.git("commit", "-q", "--amend", "--no-edit")
    return fresh


def _predicate(project: SmallProject, certificate: str) -> dict:
    return json.loads(project.run("show", certificate, "--json").out)


@pytest.mark.slow
def test_a_model_without_a_policy_is_certified_by_the_default_which_is_said_and_named(
    without_policy: SmallProject,
) -> None:
    project = without_policy
    project.run("run")
    answer = project.run("certify", "buys", "--json")
    assert answer.json["verdict"] == "PASS"
    assert answer.json["sentence"].startswith("buys passes the built-in default policy: ")
    assert answer.json["policy"]["builtin"].startswith("mintage ")
    assert "There is no policies/buys.yaml: judged by the built-in default" in answer.err
    assert "mintage policy init buys" in answer.err
    shown = _predicate(project, answer.json["certificate"])
    text = json.dumps(shown)
    assert '"builtin": "mintage ' in text and '"state": "not proven"' in text
    policy = project.blob(_fact(shown, "policy")).read_bytes()
    assert sha256_bytes(policy) == answer.json["policy"]["digest"]
    assert [item["check"] for item in yaml.safe_load(policy)["requirements"]] == [
        *("F1", "F2", "F3", "F5", "L1", "L4", "L2", "Z3", "T1", "V4")
    ]
    project.commit("model and certificate")
    refused = project.run("release", "buys", "--to", "production", expect=1)
    assert "a certificate by the built-in default of mintage" in refused.err and "policy init buys" in refused.err
    assert "The hold-out was opened before" in project.run("policy", "init", "buys").err


def _fact(value: object, name: str) -> str:
    """The fact ``name`` of a certificate, wherever ``show`` puts its predicate."""
    if isinstance(value, dict):
        if isinstance(value.get("facts"), dict) and name in value["facts"]:
            return str(value["facts"][name])
        value = list(value.values())
    found = [_fact(part, name) for part in value] if isinstance(value, list) else []
    return next((part for part in found if part), "")


@pytest.mark.slow
def test_rows_that_no_key_groups_are_said_to_be_taken_as_independent(without_policy: SmallProject) -> None:
    without_policy.replace("models/buys.yaml", "group_key: day\n", "")
    without_policy.run("run")
    answer = without_policy.run("certify", "buys", expect=None)
    assert "assumed: rows are independent of each other, for no group_key is declared" in answer.err


def test_a_deleted_policy_is_not_replaced_by_the_milder_default(fresh: SmallProject) -> None:
    fresh.run("run")
    (fresh.root / "policies/buys.yaml").unlink()
    answer = fresh.run("certify", "buys", expect=1)
    assert "error[certify.policy-deleted]" in answer.err
    fresh.commit("away with it")
    assert "error[certify.policy-deleted]" in fresh.run("certify", "buys", expect=1).err
    assert not [entry for entry in fresh.audit() if entry["action"] == "holdout.open"]


@pytest.mark.slow
def test_a_written_policy_has_thresholds_from_validation_and_leads_to_a_release(without_policy: SmallProject) -> None:
    project = without_policy
    project.run("run")
    answer = project.run("policy", "init", "buys")
    assert answer.out.startswith("--- /dev/null\n+++ b/policies/buys.yaml\n")
    assert "git add policies/buys.yaml" in answer.err
    assert not [entry for entry in project.audit() if entry["action"] == "holdout.open"]
    text = project.read("policies/buys.yaml")
    policy = yaml.safe_load(text)
    (auc,) = [item for item in policy["requirements"] if item["check"] == "F1"]
    assert 0.6 < auc["min"] < 0.8 and "on 100 validation rows" in text
    assert "domain as declared" in project.run("policy", "check").out
    project.write("policies/buys.yaml", text.replace("\n#  - ", "\n  - "))  # what is offered beside it can be taken
    assert all(f"  {check}  " in project.run("policy", "check").out for check in ("F6", "F7", "V2"))
    project.write("policies/buys.yaml", text)
    project.commit("the policy, and locks")
    project.run("run", "--force")
    assert project.run("certify", "buys", "--json").json["policy"]["builtin"] is None
    project.commit("model and certificate")
    project.run("release", "buys", "--to", "production")


@pytest.mark.slow
def test_thresholds_do_not_change_with_the_hold_out(without_policy: SmallProject) -> None:
    project = without_policy
    project.run("run")
    first = project.run("policy", "init", "--json").json["text"]
    (project.root / "policies/buys.yaml").unlink()
    project.replace("split.py", "days[15:])", "days[20:])")
    project.run("run")
    assert project.run("policy", "init", "--json").json["text"] == first


def test_a_policy_written_before_any_model_has_the_thresholds_of_the_default(without_policy: SmallProject) -> None:
    without_policy.run("policy", "init", "buys")
    text = without_policy.read("policies/buys.yaml")
    assert "No figure on validation data was there" in text
    assert yaml.safe_load(text)["requirements"][0]["min"] == 0.5
    assert "the classes are balanced" in text


def test_policy_init_does_not_overwrite(fresh: SmallProject) -> None:
    before = fresh.read("policies/buys.yaml")
    assert "is there already" in fresh.run("policy", "init", "buys", expect=3).err
    assert fresh.read("policies/buys.yaml") == before


def test_policy_init_asks_which_model(fresh: SmallProject) -> None:
    fresh.replace("mintage.yaml", "models:\n  buys: {from: work/model.joblib}\n", "")
    assert "writes the policy of one model" in fresh.run("policy", "init", expect=2).err
