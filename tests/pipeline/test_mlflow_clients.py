"""Scripts that use MLflow itself, of each major version, run unchanged; their models are built."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from small_project import SmallProject

ROWS = "a,b,y\n" + "".join(f"{n % 17},{n % 11},{int(n % 17 + n % 11 > 12)}\n" for n in range(400))
AUTOLOG = """\
import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression
mlflow.sklearn.autolog()
rows = pd.read_csv("rows.csv")
with mlflow.start_run():
    LogisticRegression(C=0.5).fit(rows[["a", "b"]], rows["y"])
    with mlflow.start_run(nested=True, run_name="child"):
        mlflow.log_metric("extra", 1.5, step=3)
"""
LOGGED = """\
import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri("URI")
mlflow.set_experiment("churn")
rows = pd.read_csv("rows.csv")
with mlflow.start_run(run_name="fit", tags={"team": "x"}):
    model = LogisticRegression().fit(rows[["a", "b"]], rows["y"])
    mlflow.log_param("rate", 0.1)
    mlflow.log_metrics({"score": model.score(rows[["a", "b"]], rows["y"]), "odd": float("nan")})
    mlflow.log_text("a note", "notes/a.txt")
    mlflow.sklearn.log_model(model, "churn")
"""


# MLflow 2 imports a name that SQLAlchemy 2.1 has no more, and does not say so.
@pytest.fixture(scope="module", params=[["mlflow>=3,<4"], ["mlflow>=2.22,<3", "sqlalchemy<2.1"]], ids=["3", "2"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with MLflow; skipped where pip cannot install it."""
    folder = tmp_path_factory.mktemp("mlflow")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    words = [
        folder / "bin/pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        *request.param,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(
            f"needs MLflow, which `pip install {' '.join(request.param)}` could not install: {done.stderr[-200:]}"
        )
    return folder / "bin/python"


@pytest.fixture
def place(python: Path, tmp_path: Path) -> SmallProject:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    made = SmallProject(tmp_path / "project", tmp_path / "home")
    made.write("mintage.yaml", f"project: p\npython: {python}\nstages:\n  train:\n    run: python train.py\n")
    made.write("rows.csv", ROWS)
    made.git("init", "-q")
    made.run("init")
    return made


def built(place: SmallProject, model: str) -> dict:
    """Run, build the model from the captured file, and give what the stage logged."""
    place.run("run")
    text = place.read("mintage.yaml")
    found = re.search(rf"    in: \[rows.csv\]\n    out: \[(captured/train/{model}\.(pkl|skops))\]\n", text)
    assert found is not None, text
    if "models:" not in text:
        place.write("mintage.yaml", text + f"models:\n  p: {{from: {found[1]}}}\n")
        assert place.run("run", "--json").json["actions"]["model:p"] == "run"
    assert place.run("run").out == "up to date: 2 stages\n"
    assert not (place.root / "mlruns").exists()
    return place.run("show", "train", "--json").json


@pytest.mark.slow
def test_what_autologging_logs_is_captured_and_its_model_built(place: SmallProject) -> None:
    place.write("train.py", AUTOLOG)
    shown = built(place, "model")
    assert shown["metrics"]["child.extra"] == 1.5
    assert shown["metrics"]["training_score"] > 0.8
    assert shown["logged"]["runs"][0]["params"]["C"] == "0.5"
    assert shown["logged"]["left_out"] == []


@pytest.mark.slow
@pytest.mark.parametrize("uri", ["sqlite:///my.sqlite", "history"])
def test_a_log_in_a_folder_or_database_that_the_script_names_is_captured(
    place: SmallProject, python: Path, uri: str
) -> None:
    place.write("train.py", LOGGED.replace("URI", uri))
    if not uri.startswith("sqlite"):  # later clients of 3 ask for consent to files
        place.replace(
            "train.py", "import mlflow\n", 'import os\nos.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"\nimport mlflow\n'
        )
    shown = built(place, "churn")
    run = shown["logged"]["runs"][0]
    assert (run["experiment"], run["name"], run["params"], run["tags"]["team"]) == (
        "churn",
        "fit",
        {"rate": "0.1"},
        "x",
    )
    assert shown["metrics"]["score"] > 0.8
    assert [file["path"] for file in run["artifacts"] if "notes" in file["path"]] == ["notes/a.txt"]
