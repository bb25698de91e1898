"""A table that was split off long ago and that no stage reads: found, kept by content, and opened by certify alone."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from small_project import SmallProject, visits

TRAIN = """\
import joblib
import pandas
from sklearn.linear_model import LogisticRegression

rows = pandas.read_csv("parts/train.csv")
joblib.dump(LogisticRegression(max_iter=1000).fit(rows[["pages", "minutes"]], rows["bought"]), "model.joblib")
"""
STAGE = "  train:\n    run: python train.py\n    in: [{inputs}]\n    out: [model.joblib]\n"
LOOK = "  look:\n    run: python look.py\n    in: [{inputs}]\n    out: [seen.txt]\n"


@pytest.fixture
def split(fresh: SmallProject) -> SmallProject:
    """Two tables in a folder, of which the one stage reads one; no model file and no policy."""
    for name in ("models/buys.yaml", "policies/buys.yaml", "data/visits.csv", "mintage.lock/data%2Fvisits.csv.json"):
        (fresh.root / name).unlink()
    rows = list(visits())
    for name, part in (("train", rows[:240]), ("test", rows[240:])):
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in part)]
        fresh.write(f"parts/{name}.csv", "\n".join(lines) + "\n")
    fresh.write("train.py", TRAIN)
    fresh.write("look.py", "open('seen.txt', 'w').write(open('parts/test.csv').readline())\n")
    declare(fresh, STAGE.format(inputs="parts/train.csv"))
    fresh.git("add", "-A", "--", ":!parts")
    fresh.git("commit", "-q", "--amend", "--no-edit")
    return fresh


def declare(project: SmallProject, stages: str) -> None:
    models = "models:\n  buys: {from: model.joblib, target: bought}\n"
    project.write("mintage.yaml", f"project: visits\nstages:\n{stages}{models}")


def data(project: SmallProject) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(project.read("models/buys.yaml"))["data"]
    return found


@pytest.mark.slow
def test_a_test_table_beside_the_training_rows_is_the_holdout(split: SmallProject) -> None:
    split.run("run")
    assert data(split)["holdout"] == "parts/test.csv"
    assert "parts/test.csv   # from its name, and no stage reads it" in split.read("models/buys.yaml")
    assert split.run("certify", "buys", "--json").json["verdict"] == "PASS"
    assert split.run("verify", "buys", "--json").json["whole"] is True
    assert split.run("status", "--exit-code").out == "everything is up to date\n"
    assert "run" not in split.run("run", "--json").json["actions"].values()
    split.replace("parts/test.csv", "visit,day", "visit,date")
    assert "parts/test.csv: changed since it was added" in split.run("status").out


@pytest.mark.parametrize(
    "stages",
    [
        STAGE.format(inputs="parts/train.csv") + LOOK.format(inputs="parts/test.csv"),
        STAGE.format(inputs="parts/train.csv") + LOOK.format(inputs="parts"),
    ],
    ids=["by-name", "with-its-folder"],
)
@pytest.mark.slow
def test_a_test_table_that_another_stage_reads_is_no_holdout(split: SmallProject, stages: str) -> None:
    declare(split, stages)
    split.run("run")
    assert "holdout" not in data(split)
    assert "INCONCLUSIVE" in split.run("certify", "buys", expect=1).out


@pytest.mark.slow
def test_a_stage_that_has_not_run_may_yet_read_the_table(split: SmallProject) -> None:
    declare(split, STAGE.format(inputs="parts/train.csv") + LOOK.format(inputs="parts/test.csv"))
    split.run("run", "model:buys")
    assert "holdout" not in data(split)


@pytest.mark.slow
def test_an_added_table_counts_wherever_it_lies(split: SmallProject) -> None:
    (split.root / "later").mkdir()
    (split.root / "parts/test.csv").rename(split.root / "later/holdout.csv")
    split.run("add", "later/holdout.csv")
    split.run("run")
    assert data(split)["holdout"] == "later/holdout.csv"
    assert split.run("certify", "buys", "--json").json["verdict"] == "PASS"


@pytest.mark.slow
def test_the_line_that_names_a_table_of_the_project_is_enough(split: SmallProject) -> None:
    (split.root / "parts/test.csv").rename(split.root / "rows from march.csv")
    split.run("run")
    assert "INCONCLUSIVE" in split.run("certify", "buys", expect=1).out
    split.replace("models/buys.yaml", "# holdout: PATH", "holdout: rows from march.csv")
    split.run("run")
    assert split.run("certify", "buys", "--json").json["verdict"] == "PASS"
