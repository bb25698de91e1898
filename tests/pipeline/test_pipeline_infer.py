"""A model's file inferred from what a run read and wrote: whole projects through the command line."""

from __future__ import annotations

import pytest
import yaml

from small_project import SmallProject

ONE_SCRIPT = """\
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
CSV_SPLIT = """\
import pandas

rows = pandas.read_csv("data/visits.csv")
rows["kind"] = rows["pages"].map(lambda pages: "NA" if pages > 60 else None if pages > 55 else "b")
rows["whole"] = rows["minutes"].astype(int)
rows["long"] = rows["minutes"] > 5
rows["bought"] = rows["bought"].map({0: "no", 1: "yes"})
rows.loc[::17, "minutes"] = None
for name, part in (("train", rows[:200]), ("valid", rows[200:300]), ("test", rows[300:])):
    part.to_csv(f"work/{name}.csv", index=False)
"""
CSV_TRAIN = """\
import joblib
import pandas
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

rows = pandas.read_csv("work/train.csv", keep_default_na=False, na_values={"minutes": [""], "kind": [""]})
inputs = ["kind", "long", "minutes", "pages", "whole"]
columns = ColumnTransformer(
    [("text", OneHotEncoder(handle_unknown="ignore"), ["kind"])],
    remainder=SimpleImputer(),
)
model = make_pipeline(columns, LogisticRegression(max_iter=5000)).fit(rows[inputs], rows["bought"])
joblib.dump(model, "work/model.joblib")
"""


@pytest.fixture
def bare(fresh: SmallProject) -> SmallProject:
    """The small project without a model file or policy, as if there had never been one."""
    for name in ("models/buys.yaml", "policies/buys.yaml"):
        (fresh.root / name).unlink()
    fresh.git("add", "-A")
    fresh.git("commit", "-q", "--amend", "--no-edit")
    return fresh


def _one_script(project: SmallProject) -> None:
    project.write("train.py", ONE_SCRIPT)
    project.write(
        "mintage.yaml",
        "project: visits\nstages:\n"
        "  train:\n    run: python train.py\n    in: [data/visits.csv]\n    out: [model.joblib]\n"
        "models:\n  buys: {from: model.joblib}\n",
    )


def _in_csv(project: SmallProject) -> None:
    project.write("split.py", CSV_SPLIT)
    project.write("train.py", CSV_TRAIN)
    text = project.read("mintage.yaml").replace("work/validation", "work/valid").replace("work/holdout", "work/test")
    text = text.replace(".parquet", ".csv").replace("    metrics: [work/metrics.json]\n", "")
    project.write("mintage.yaml", text.replace("    params: [strength]\n", ""))


def _model(project: SmallProject) -> dict:
    return dict(yaml.safe_load(project.read("models/buys.yaml")))


@pytest.mark.slow
def test_three_tables_and_an_estimator_are_enough_for_a_model(bare: SmallProject) -> None:
    answer = bare.run("run")
    assert "+++ b/models/buys.yaml" in answer.err and "mintage.lock models/buys.yaml && git commit" in answer.err
    found = _model(bare)
    assert (found["task"], found["target"], found["owner"]) == ("binary", "bought", "tess@example.org")
    assert found["data"] == {name: f"work/{name}.parquet" for name in ("train", "validation", "holdout")}
    assert found["inputs"]["pages"] == {"type": "float", "range": [0, 110], "nullable": False}
    assert list(found["inputs"]) == ["pages", "minutes"]
    text = bare.read("models/buys.yaml")
    assert "# the only column" not in text and "from the only column that the estimator does not take" in text
    assert "# group_key: day   # suggested, not taken" in text and "# id: visit   # suggested" in text
    assert "# time: at   # suggested" in text


@pytest.mark.slow
def test_an_inferred_file_is_the_persons_from_then_on(bare: SmallProject) -> None:
    bare.run("run")
    bare.replace("models/buys.yaml", "# group_key: day", "group_key: day")
    changed = bare.read("models/buys.yaml")
    assert bare.run("run", "--json").json["actions"]["model:buys"] == "run"
    assert bare.read("models/buys.yaml") == changed


@pytest.mark.slow
def test_tables_in_csv_are_read_as_what_their_columns_are_declared_to_be(bare: SmallProject) -> None:
    _in_csv(bare)
    bare.run("run")
    inputs = _model(bare)["inputs"]
    assert {name: column["type"] for name, column in inputs.items()} == {
        "kind": "string",
        "long": "int",
        "minutes": "float",
        "pages": "float",
        "whole": "int",
    }
    assert inputs["kind"] == {"type": "string", "categories": ["NA", "b"], "nullable": True}
    assert inputs["minutes"]["nullable"] and not inputs["whole"]["nullable"]
    assert inputs["long"]["range"] == [0, 1]
    assert _model(bare)["data"]["holdout"] == "work/test.csv"
    assert "of the classes no, yes; its score is the probability of yes" in bare.read("models/buys.yaml")
    answer = bare.run("certify", "buys", "--json").json
    (parity,) = [result for result in answer["results"] if result["check"] == "Z3"]
    assert (answer["verdict"], parity["verdict"]) == ("PASS", "PASS")
    assert answer["results"][0]["estimate"] > 0.7  # the AUC of yes, not of no
    assert "on 100 validation rows" in bare.run("policy", "init", "buys").out


@pytest.mark.slow
def test_without_a_hold_out_the_verdict_is_inconclusive_and_names_the_line_that_settles_it(bare: SmallProject) -> None:
    _one_script(bare)
    bare.run("run")
    assert _model(bare)["data"] == {"train": "data/visits.csv", "validation": "data/visits.csv"}
    answer = bare.run("certify", "buys", expect=1)
    assert answer.out.startswith("INCONCLUSIVE: no hold-out of buys is known")
    assert "data: {holdout: PATH}" in answer.err and "models/buys.yaml" in answer.err
    as_json = bare.run("certify", "buys", "--json", expect=1).json
    assert (as_json["verdict"], as_json["certificate"]) == ("INCONCLUSIVE", None)
    assert not [entry for entry in bare.audit() if entry["action"] in ("holdout.open", "certificate.issue")]
    text = bare.run("policy", "init", "buys").out
    assert "min: 0.5" in text and "No figure on validation data" in text


@pytest.mark.slow
def test_a_test_table_that_a_stage_reads_is_no_hold_out(bare: SmallProject) -> None:
    _in_csv(bare)
    bare.write("evaluate.py", "print(open('work/test.csv').read()[:9])\nopen('work/seen', 'w').close()\n")
    stage = "  evaluate:\n    run: python evaluate.py\n    in: [work/test.csv]\n    out: [work/seen]\nmodels:"
    bare.replace("mintage.yaml", "models:", stage)
    bare.run("run")
    assert "holdout" not in _model(bare)["data"]
    assert "work/test.csv has the name of one, but stage evaluate reads it" in bare.read("models/buys.yaml")
    assert bare.run("certify", "buys", expect=1).out.startswith("INCONCLUSIVE")


@pytest.mark.slow
def test_two_columns_that_could_be_the_target_are_a_question_with_its_answer(bare: SmallProject) -> None:
    bare.replace("split.py", 'at=pl.col("day").str.to_datetime()', 'at=pl.lit(1), came=1 - pl.col("bought")')
    asked = bare.run("run", expect=3).err
    assert "error[model.not-inferred]: the target of model buys cannot be known" in asked
    assert "found bought, came" in asked and "target: bought}" in asked
    assert not (bare.root / "models/buys.yaml").exists()
    bare.replace("mintage.yaml", "{from: work/model.joblib}", "{from: work/model.joblib, target: bought}")
    assert bare.run("run", "--json").json["actions"]["model:buys"] == "run"
    assert "target: bought   # from mintage.yaml" in bare.read("models/buys.yaml")


@pytest.mark.slow
def test_an_estimator_without_names_takes_the_tables_columns_only_if_they_are_as_many(bare: SmallProject) -> None:
    bare.replace("mintage.yaml", "{from: work/model.joblib}", "{from: work/model.joblib, target: bought}")
    bare.replace("train.py", '["pages", "minutes"])])', "[0, 1])])")
    bare.replace("train.py", 'rows.select("pages", "minutes")', 'rows.select("pages", "minutes").to_numpy()')
    bare.replace("split.py", "rows.filter(pl.col(", 'rows.select("pages", "minutes", "bought", "day").filter(pl.col(')
    bare.replace("split.py", ".write_parquet", '.drop("day").write_parquet')
    bare.run("run")
    assert "the estimator keeps no names; taken to be the 2 columns" in bare.read("models/buys.yaml")
    assert list(_model(bare)["inputs"]) == ["pages", "minutes"]


@pytest.mark.slow
def test_columns_that_no_table_has_are_a_question(bare: SmallProject) -> None:
    bare.replace("train.py", 'rows.select("pages", "minutes")', 'rows.select("pages", clock="minutes")')
    bare.replace("train.py", '["pages", "minutes"])])', '["pages", "clock"])])')
    bare.replace("mintage.yaml", "{from: work/model.joblib}", "{from: work/model.joblib, target: bought}")
    assert "the estimator takes clock, which it has not" in bare.run("run", expect=3).err


def test_what_only_changes_columns_is_refused_as_a_model(bare: SmallProject) -> None:
    bare.replace("train.py", "joblib.dump(model,", "joblib.dump(model[0],")
    assert "holds a ColumnTransformer, which predicts nothing" in bare.run("run", expect=None).err
    assert not (bare.root / "models/buys.yaml").exists()


def test_a_file_that_is_not_what_its_name_says_is_not_opened(bare: SmallProject) -> None:
    bare.replace("train.py", 'joblib.dump(model, "work/model.joblib")', 'open("work/model.joblib", "w").write("hello")')
    assert "work/model.joblib is not the estimator's file" in bare.run("run", expect=None).err
    assert not (bare.root / "models/buys.yaml").exists()
