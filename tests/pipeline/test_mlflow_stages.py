"""A stage that logs with MLflow: nothing of its log is an output, all of it is tracked and kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow_layout import new_run, write_database

from small_project import SmallProject

LAYOUT = Path(__file__).with_name("mlflow_layout.py")
PROJECT = "project: p\nstages:\n  train:\n    run: python train.py\n"
SCRIPT = """\
from mlflow_layout import add_model, new_run, write_database, write_files
rate = float(open("rate.txt").read())
top = new_run("calm-fox-7", params={"rate": str(rate)}, tags={"team": "x"}, metrics=[("loss", 1.0, 0, 5)])
top["metrics"].append(("loss", rate, 1, 6))
top["files"]["notes/a.txt"] = "a note"
fold = new_run("fold", parent=top, at=2_000, metrics=[("loss", 3.0, 0, 7)])
add_model(top, "churn", b"\\x80\\x04" + str(rate).encode())
WRITE([top, fold])
"""
FILES, DATABASE = "write_files('mlruns', [top, fold])", "write_database('mlflow.db', [top, fold])"


@pytest.fixture(params=[FILES, DATABASE], ids=["files", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> SmallProject:
    (tmp_path / "home").mkdir()
    (tmp_path / "a project").mkdir()
    made = SmallProject(tmp_path / "a project", tmp_path / "home")
    made.write("mintage.yaml", PROJECT)
    made.write("train.py", SCRIPT.replace("WRITE([top, fold])", request.param))
    made.write("rate.txt", "0.5")
    shutil.copy(LAYOUT, made.root / "mlflow_layout.py")
    made.git("init", "-q")
    return made


def test_the_log_is_tracked_and_kept_and_only_the_model_is_an_output(place: SmallProject) -> None:
    first = place.run("run")
    assert "    in: [rate.txt]\n    out: [captured/train/churn.pkl]\n" in place.read("mintage.yaml")
    assert "logged with MLflow: 2 runs, 1 parameter, 2 metrics, 1 model, 3 files" in first.err
    notes = [line for line in first.err.splitlines() if "note:" in line]
    assert len(notes) == 1 and "churn.pkl is not taken as a model" in notes[0]  # four bytes are no estimator
    assert not (place.root / "mlruns").exists()
    assert (place.root / "captured/train/churn.pkl").read_bytes() == b"\x80\x040.5"
    assert place.run("run").out == "up to date: 1 stage\n"
    shown = place.run("show", "train", "--json").json
    assert shown["metrics"] == {"fold.loss": 3.0, "loss": 0.5}
    assert shown["logged"]["runs"][0]["tags"]["team"] == "x"
    assert shown["mlflow"] in place.record(shown["record"])["upstream"]
    assert place.run("log", "--json").json["runs"][0]["metrics"]["loss"] == 0.5


def test_running_again_gives_the_same_outputs_and_a_restored_stage_has_its_log(place: SmallProject) -> None:
    place.run("run")
    before = place.lock("train")
    place.run("run", "--force")
    again = place.lock("train")
    assert (again["outputs"], again["key"]) == (before["outputs"], before["key"])
    place.write("rate.txt", "0.25")
    place.run("run")
    assert place.run("show", "train", "--json").json["metrics"]["loss"] == 0.25
    place.write("rate.txt", "0.5")
    assert place.run("run", "--json").json["actions"] == {"train": "restore"}
    assert place.run("log", "--json").json["runs"][0]["metrics"]["loss"] == 0.5


def test_the_users_own_log_is_neither_read_nor_changed(place: SmallProject) -> None:
    (place.root / "mlruns/0").mkdir(parents=True)
    place.write("mlruns/0/meta.yaml", "not even yaml: [")
    write_database(place.root / "mlflow.db", [new_run("mine")], artifacts=place.root / "mlruns")
    before = (place.root / "mlflow.db").read_bytes()
    place.run("run")
    assert [run["name"] for run in place.run("show", "train", "--json").json["logged"]["runs"]] == [
        "calm-fox-7",
        "fold",
    ]
    assert place.read("mlruns/0/meta.yaml") == "not even yaml: ["
    assert (place.root / "mlflow.db").read_bytes() == before
    assert "in: [rate.txt]\n" in place.read("mintage.yaml")


def test_the_files_of_a_log_are_written_out_on_demand(place: SmallProject) -> None:
    place.run("run")
    place.run("show", "train", "--files", "logged")
    assert place.read("logged/1-run/notes/a.txt") == "a note"
    assert place.read("logged/models/1-churn/MLmodel").startswith("artifact_path: churn")
    refused = place.run("show", "train", "--files", "logged", expect=None)
    assert refused.code != 0
    assert "is there already" in refused.err
    text = place.run("show", "train").out
    assert "run fold: finished" in text
    assert "parameters: rate = 0.5" in text


def test_a_stage_that_saves_its_model_needs_no_other_output(place: SmallProject) -> None:
    script = place.read("train.py")
    place.write("train.py", script + 'open("model.joblib", "wb").write(b"\\x80\\x04own")\n')
    place.run("run")
    assert "    out: [model.joblib]\n" in place.read("mintage.yaml")


def test_a_model_that_is_no_longer_logged_is_an_error_that_says_so(place: SmallProject) -> None:
    place.run("run")
    place.replace("train.py", '"churn"', '"other"')
    failed = place.run("run", expect=None)
    assert failed.code != 0
    assert "did not log the model of captured/train/churn.pkl" in failed.err
    assert "captured/train/other.pkl" in failed.err


def test_a_server_of_the_shell_that_the_stage_does_not_see_is_remarked(place: SmallProject) -> None:
    said = place.run("run", MLFLOW_TRACKING_URI="http://localhost:5000").err
    assert "write `env: [MLFLOW_TRACKING_URI]`" in said


def test_a_stage_that_looks_for_an_earlier_run_is_told_where_it_stands(place: SmallProject) -> None:
    place.write("train.py", 'print("mlflow.exceptions.MlflowException: Run abc not found")\nraise SystemExit(1)\n')
    failed = place.run("run", expect=None)
    assert "each stage begins with an empty MLflow folder" in failed.err
