"""Models found in what a recorded stage wrote, and built in the same run: whole projects through the command line."""

from __future__ import annotations

import pytest

from small_project import SmallProject

HEAD = """\
import os
import joblib
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

rows = pandas.read_csv("data/visits.csv")
inputs, target = rows[["pages", "minutes"]], rows["bought"]
model = LogisticRegression(max_iter=1000).fit(inputs, target)
"""
BARE = "project: visits   # ours\nstages:\n  train:\n    run: python train.py\n"
ODD_FILES = """\
from joblib import dump
open("page.pkl", "w").write("<!DOCTYPE html><html>not found</html>")
open("empty.joblib", "w").close()
dump(model, "whole.joblib")
data = open("whole.joblib", "rb").read()
os.remove("whole.joblib")
open("short.joblib", "wb").write(data[:len(data) // 2])
open("weights.pth", "wb").write(b"PK\\x03\\x04" + bytes(99))
dump({"model": model, "means": [3.0, 5.5]}, "bundle.pkl")
dump(StandardScaler().fit(inputs), "scaler.joblib")
"""
IN_A_FOLDER = """\
import xgboost
os.makedirs("out", exist_ok=True)
for number in range(6):
    open(f"out/figure{number}.svg", "w").write(str(number))
booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, xgboost.DMatrix(inputs, target), 8)
booster.save_model("out/model.json")
"""
NAMELESS = '''\
import subprocess, sys
import pandas
pandas.read_csv("data/visits.csv").drop(columns=["visit", "day"]).to_csv("train.csv", index=False)
FIT = """
import joblib, pandas
from sklearn.linear_model import LogisticRegression
rows = pandas.read_csv("train.csv")
model = LogisticRegression(max_iter=1000).fit(rows[["pages", "minutes"]].to_numpy(), rows["bought"])
joblib.dump(model, "model.joblib")
"""
subprocess.run([sys.executable, "-I", "-c", FIT], check=True)  # isolated: its rows are not captured
'''


@pytest.fixture
def bare(fresh: SmallProject) -> SmallProject:
    """A project with one stage that declares nothing, and no model."""
    for name in ("models/buys.yaml", "policies/buys.yaml", "params.yaml"):
        (fresh.root / name).unlink()
    fresh.write("mintage.yaml", BARE)
    return fresh


def _train(project: SmallProject, code: str) -> None:
    project.write("train.py", HEAD + code)


@pytest.mark.slow
def test_a_model_is_found_declared_and_built_in_the_first_run_and_the_second_has_nothing_to_do(
    bare: SmallProject,
) -> None:
    _train(bare, 'joblib.dump(model, "model.joblib")\n')
    answer = bare.run("run")
    assert "found in what the stages wrote" in answer.err and "+  visits: {from: model.joblib}" in answer.err
    assert bare.read("mintage.yaml").startswith("project: visits   # ours\n")
    assert bare.read("mintage.yaml").endswith("out: [model.joblib]\nmodels:\n  visits: {from: model.joblib}\n")
    assert bare.run("run").out == "up to date: 2 stages\n"
    body = bare.record(bare.lock("train")["run"])["body"]
    for path in ("mintage.yaml", "models/visits.yaml", "train.py"):
        assert bare.git("show", f"{body['commit']}:{path}").strip() == bare.read(path).strip()
    assert bare.record(bare.lock("model:visits")["record"])["body"]["commit"] == body["commit"]
    assert bare.run("verify", "visits").out.startswith("ok  model visits")
    logged = bare.run("log", "--json").json["runs"]
    assert logged[0]["commit_id"] == body["commit"] and body["dirty"]


@pytest.mark.slow
def test_files_that_are_no_models_are_told_by_what_they_are_and_the_result_is_kept(bare: SmallProject) -> None:
    _train(bare, ODD_FILES)
    said = bare.run("run").err
    for text in (
        "page.pkl is not taken as a model: it is not what its name says, it is a web page",
        "empty.joblib is not taken as a model: it is not what its name says, it is an empty file",
        "short.joblib is not taken as a model: the estimator's file cannot be opened",
        'torch.export.save(program, "model.pt2")',
        "bundle.pkl is not taken as a model: the file holds a dict of model (LogisticRegression), means (list)",
        "scaler.joblib is not taken as a model: a StandardScaler predicts nothing",
    ):
        assert text in said
    assert "models:" not in bare.read("mintage.yaml")
    assert len([item for item in bare.lock("train")["outputs"] if not item["path"].startswith("captured/")]) == 6
    assert bare.run("run").out == "up to date: 1 stage\n"


@pytest.mark.slow
def test_the_threshold_beside_the_one_model_of_a_dict_is_the_models(bare: SmallProject) -> None:
    _train(bare, 'joblib.dump({"model": model, "columns": ["pages"], "threshold": 0.4}, "model.joblib")\n')
    bare.run("run")
    assert "\nthreshold: 0.4   # from beside the model in its file\n" in bare.read("models/visits.yaml")


@pytest.mark.slow
def test_a_bare_booster_within_a_folder_of_outputs_is_a_model(bare: SmallProject) -> None:
    _train(bare, IN_A_FOLDER)
    bare.run("run")
    assert "out: [out/]\nmodels:\n  visits: {from: out/model.json}\n" in bare.read("mintage.yaml")
    text = bare.read("models/visits.yaml")
    assert "task: binary   # from the estimator, a Booster of the classes 0, 1" in text and "\n  pages: " in text
    assert bare.run("run").out == "up to date: 2 stages\n"
    assert bare.run("verify", "visits").code == 0


@pytest.mark.slow
def test_a_scaler_beside_the_model_is_a_question_and_what_was_fitted_is_kept(bare: SmallProject) -> None:
    _train(bare, 'joblib.dump(model, "model.joblib")\njoblib.dump(StandardScaler().fit(inputs), "scaler.joblib")\n')
    asked = bare.run("run", expect=3).err
    assert "the inputs of model visits cannot be known" in asked
    assert "scaler.joblib (StandardScaler) beside model.joblib" in asked and "make_pipeline(StandardScaler" in asked
    assert bare.lock("train")["run"] and not (bare.root / "models/visits.yaml").exists()
    _train(bare, 'joblib.dump(model, "model.joblib")\njoblib.dump(1, "scaler.joblib")\n')
    assert bare.run("run", "--json").json["actions"] == {"train": "run", "model:visits": "run"}


@pytest.mark.slow
def test_one_model_that_is_a_question_does_not_keep_another_from_being_built(bare: SmallProject) -> None:
    odd = 'odd = LogisticRegression().fit(inputs.rename(columns={"pages": "sheets"}), target)\n'
    _train(bare, f'{odd}joblib.dump(odd, "a.joblib")\njoblib.dump(model, "b.joblib")\n')
    asked = bare.run("run", expect=3).err
    assert "the inputs of model a cannot be known" in asked and "the estimator takes sheets" in asked
    assert bare.lock("model:b")["root"] and not (bare.root / "models/a.yaml").exists()
    assert bare.git("show", f"{bare.record(bare.lock('train')['run'])['body']['commit']}:models/b.yaml")


@pytest.mark.slow
def test_an_estimator_without_names_takes_all_other_columns_if_they_are_as_many(bare: SmallProject) -> None:
    bare.write("train.py", NAMELESS)
    bare.run("run")
    text = bare.read("models/visits.yaml")
    assert "from the only column whose values are its classes; the other 2 are as many as it takes" in text
    assert "taken to be the 2 columns of train.csv in their order" in text


@pytest.mark.slow
def test_a_model_of_a_stage_that_declares_all_is_remarked_not_written(bare: SmallProject) -> None:
    _train(bare, 'joblib.dump(model, "model.joblib")\n')
    declared = BARE + "    in: [data/visits.csv]\n    out: [model.joblib]\n"
    bare.write("mintage.yaml", declared)
    line = "write under `models:` in mintage.yaml: `visits: {from: model.joblib}`"
    assert line in bare.run("run").err and bare.read("mintage.yaml") == declared
    assert line in bare.run("run").err  # until somebody says so
    bare.write("mintage.yaml", declared + "models: {}\n")
    assert line not in bare.run("run").err
    bare.write("mintage.yaml", declared + "models:\n  visits: {from: model.joblib}\n")
    assert bare.run("run", "--json").json["actions"] == {"train": "keep", "model:visits": "run"}


@pytest.mark.slow
def test_a_model_that_a_person_named_before_the_first_run_keeps_its_name(bare: SmallProject) -> None:
    _train(bare, 'joblib.dump(model, "model.joblib")\n')
    bare.write("mintage.yaml", BARE + "models:\n  buyers: {from: model.joblib, target: bought}\n")
    answer = bare.run("run", "--json").json
    assert answer["actions"] == {"train": "run", "model:buyers": "run"} and answer["models"] is None
    assert bare.read("mintage.yaml").count("from:") == 1
