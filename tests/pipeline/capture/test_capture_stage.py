"""Captured rows as outputs of a stage: written, declared, locked, restored, and taken for a model, by the command."""

from __future__ import annotations

import shutil

import pytest

from mintage.errors import MintageError
from mintage.repo.project import parse_project
from small_project import SmallProject

SCRIPT = """\
import joblib
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

rows = pandas.read_csv("data/visits.csv")
train, test = train_test_split(rows, random_state=0)
model = LogisticRegression(max_iter=1000).fit(train[["pages", "minutes"]], train["bought"])
print(model.score(test[["pages", "minutes"]], test["bought"]))
joblib.dump(model, "model.joblib")
"""
TABLES = ["captured/train/train.parquet", "captured/train/holdout.parquet"]


def _project(fresh: SmallProject, script: str) -> SmallProject:
    for name in ("models/buys.yaml", "policies/buys.yaml"):
        (fresh.root / name).unlink()
    fresh.git("add", "-A")
    fresh.git("commit", "-q", "--amend", "--no-edit")  # as if there had never been a policy
    fresh.write("train.py", script)
    fresh.write("mintage.yaml", "project: visits\nstages:\n  train:\n    run: python train.py\n")
    fresh.run("run")
    fresh.write("mintage.yaml", fresh.read("mintage.yaml").replace("  visits: {", "  buys: {"))
    return fresh


@pytest.mark.slow
def test_a_script_that_splits_in_memory_is_certified_with_no_line_about_rows(fresh: SmallProject) -> None:
    project = _project(fresh, SCRIPT)
    assert f"    captured: [{', '.join(TABLES)}]\n" in project.read("mintage.yaml")
    assert project.run("run").out.count("model:buys") and project.run("run").out.startswith("up to date")
    text = project.read("models/buys.yaml")
    assert f"train: {TABLES[0]}   # from the rows that LogisticRegression at train.py:8 was fitted on\n" in text
    assert " rows that train_test_split at train.py:7 held out; nothing was fitted on them; the one" in text
    assert f"holdout: {TABLES[1]}   # from the " in text and "answered for them at train.py:9, and no other" in text
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "model")
    answer = project.run("certify", "buys", "--json", expect=None).json
    (shared,) = [result for result in answer["results"] if result["check"] == "L1"]
    assert shared["verdict"] == "PASS"

    shutil.rmtree(project.root / "captured")
    again = project.run("run", "--json").json
    assert again["actions"]["train"] == "restore" and (project.root / TABLES[1]).is_file()


@pytest.mark.slow
def test_a_later_run_yields_the_same_rows_or_says_what_is_in_the_way(fresh: SmallProject) -> None:
    project = _project(fresh, SCRIPT)
    before = {path: (project.root / path).read_bytes() for path in TABLES}
    project.run("run", "train", "--force")
    assert {path: (project.root / path).read_bytes() for path in TABLES} == before
    locked = project.read("mintage.lock/train.json")

    scaled = (
        "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit(rows[['pages', 'minutes']])\ntrain,"
    )
    project.write("train.py", SCRIPT.replace("train,", scaled, 1))
    asked = project.run("run", "train", expect=None).err
    assert "error[pipeline.captured-missing]" in asked and "take that path out of `captured:`" in asked
    assert "StandardScaler at train.py:8 was fitted on rows that are held out" in asked
    assert project.read("mintage.lock/train.json") == locked


@pytest.mark.slow
def test_where_it_is_not_honest_the_models_file_says_why_and_certify_is_inconclusive(fresh: SmallProject) -> None:
    second = "from sklearn.tree import DecisionTreeClassifier\ntree = DecisionTreeClassifier(max_depth=1)\n"
    second += "tree.fit(train[['pages', 'minutes']], train['bought'])\n"
    second += "print(tree.score(test[['pages', 'minutes']], test['bought']))\njoblib"
    project = _project(fresh, SCRIPT.replace("joblib.dump", second + ".dump"))
    project.run("run")
    text = project.read("models/buys.yaml")
    assert "  # No hold-out, rows that the model never saw, is known: LogisticRegression at train.py:9 and" in text
    assert "validation: captured/train/validation.parquet   # from the " in text
    assert project.run("certify", "buys", expect=1).out.startswith("INCONCLUSIVE: no hold-out of buys is known")


@pytest.mark.slow
def test_a_table_of_the_projects_own_that_no_stage_reads_comes_first(fresh: SmallProject) -> None:
    own = "rows[300:].to_csv('test.csv', index=False)\nrows[:300].to_csv('train.csv', index=False)\nrows = rows[:300]\n"
    project = _project(fresh, SCRIPT.replace("train,", own + "train,", 1))
    project.run("run")
    assert "holdout: test.csv   # from its name, and no stage reads it" in project.read("models/buys.yaml")


def test_captured_paths_are_those_that_mintage_writes() -> None:
    text = "project: p\nstages:\n  a: {run: python a.py, captured: [%s]}\n"
    good = ("captured/a/train.parquet", "captured/a/model/holdout.parquet")
    assert parse_project((text % ", ".join(good)).encode(), where="m").stages["a"].captured == good
    for bad in (
        "captured/b/train.parquet",
        "captured/a/rows.parquet",
        "train.parquet",
        "captured/a/../a/train.parquet",
    ):
        with pytest.raises(MintageError):
            parse_project((text % bad).encode(), where="m")
