"""Three classes and numbers from the command line: certified by the default and by a written policy, released, served;
what judges two outcomes alone says so."""

from __future__ import annotations

import json

import pytest
import yaml

from small_project import SmallProject

NOISE = "(pl.int_range(pl.len()) * 0.5698 % 1)"
KINDS = {
    "multiclass": f"pl.when(pl.col('pages') + 40 * {NOISE} < 45).then(pl.lit('short'))"
    f".when(pl.col('minutes') + 4 * {NOISE} < 7).then(pl.lit('busy')).otherwise(pl.lit('long'))",
    "regression": f"3.0 * pl.col('pages') + 20.0 * pl.col('minutes') + 60.0 * {NOISE}",
}
MODELS = {
    "multiclass": "LogisticRegression(C=mintage.params()['strength'])",
    "regression": "LinearRegression()",
}


@pytest.fixture(params=["multiclass", "regression"])
def of_task(request: pytest.FixtureRequest, fresh: SmallProject) -> tuple[str, SmallProject]:
    """The small project with another target, and without a policy."""
    task = request.param
    fresh.replace("split.py", ').with_columns(at=pl.col("day")', f').with_columns(what={KINDS[task]}, at=pl.col("day")')
    fresh.replace("train.py", "import LogisticRegression", "import LinearRegression, LogisticRegression")
    fresh.replace("train.py", 'LogisticRegression(C=mintage.params()["strength"])', MODELS[task])
    fresh.replace("train.py", 'rows["bought"]', 'rows["what"]')
    fresh.replace("models/buys.yaml", "task: binary\ntarget: bought", f"task: {task}\ntarget: what")
    (fresh.root / "policies/buys.yaml").unlink()
    fresh.git("add", "-A")
    fresh.git("commit", "-q", "--amend", "--no-edit")
    return task, fresh


@pytest.mark.slow
def test_a_model_of_another_task_is_certified_at_once_and_released_by_a_policy(
    of_task: tuple[str, SmallProject],
) -> None:
    task, project = of_task
    name = "performance.auc" if task == "multiclass" else "performance.r2"
    project.run("run")
    answer = project.run("certify", "buys", "--json")
    assert answer.json["verdict"] == "PASS"
    results = {item["requirement"]: item for item in answer.json["results"]}
    assert results[name]["verdict"] == "PASS" and results[name]["estimate"] > 0.7
    assert results["export.parity"]["verdict"] == "PASS"
    page = (project.root / answer.json["report"]).read_text()
    assert ("Confusion on the hold-out" in page, "Residuals on the hold-out" in page) == (
        task == "multiclass",
        task == "regression",
    )
    project.run("policy", "init", "buys")
    policy = yaml.safe_load(project.read("policies/buys.yaml"))
    (floor,) = [item for item in policy["requirements"] if item["check"] == "F1"]
    assert floor["id"] == name and 0.6 < floor["min"] < results[name]["estimate"]
    project.commit("the policy")
    project.run("run", "--force")
    assert project.run("certify", "buys").code == 0
    project.commit("model and certificate")
    project.run("release", "buys", "--to", "production")
    refused = project.run("release", "buys", "--to", "production", "--canary", "10", "--json", expect=None)
    assert f"a canary judges outcomes of two classes alone, and buys is a {task}" in refused.json["error"]["message"]
    project.run("reconcile", "production")
    project.run("predict", "buys", "work/holdout.parquet", "out.parquet")
    watched = project.run("monitor", "buys", "--json", expect=None)
    assert "`mintage monitor` judges outcomes of two classes alone" in watched.json["error"]["message"]
    project.run("stop", "production")


@pytest.mark.slow
def test_a_policy_of_another_task_is_refused_before_the_hold_out_is_opened(fresh: SmallProject) -> None:
    fresh.run("run")
    fresh.replace("policies/buys.yaml", "metric: roc_auc, min: 0.60", "metric: r2, min: 0.60")
    for words in (("policy", "check"), ("certify", "buys")):
        error = json.loads(fresh.run(*words, "--json", expect=None).out)["error"]
        assert error["code"] == "certify.policy-unfit" and error["found"] == "r2"
        assert "policies/buys.yaml" in error["where"]
    assert not [entry for entry in fresh.audit() if entry["action"] == "holdout.open"]


def test_a_model_of_several_targets_is_not_judged_yet_and_says_what_is_there(fresh: SmallProject) -> None:
    fresh.replace("models/buys.yaml", "target: bought", "target: [bought, other]")
    refused = fresh.run("certify", "buys", expect=None)
    assert "the model buys has 2 targets: bought, other" in refused.err and "`mintage parity`" in refused.err
