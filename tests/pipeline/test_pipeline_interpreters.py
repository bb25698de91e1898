"""Projects whose stages and estimators live in environments of their own, without Mintage in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from environments import borrowed, install

import mintage
from small_project import MINTAGE, SmallProject

TRAIN = """\
import json, os
import joblib
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

strength = json.load(open(os.environ["MINTAGE_PARAMS"]))["strength"]
rows, later = pd.read_parquet("work/train.parquet"), pd.read_parquet("work/validation.parquet")
names = ["pages", "minutes"]
forest = RandomForestClassifier(20, max_depth=4, random_state=3, min_impurity_decrease=0.0 * strength)
model = Pipeline([("columns", ColumnTransformer([("scale", StandardScaler(), names)])), ("forest", forest)])
model.fit(rows[names], rows["bought"].to_numpy())
joblib.dump(model, "work/model.joblib")
answers = model.predict_proba(later[names])[:, 1].tolist()
json.dump({"answers": answers, "library": sklearn.__version__}, open("work/answers.json", "w"))
json.dump({"rows": len(rows)}, open("work/metrics.json", "w"))
"""


def own_interpreter(project: SmallProject, python: str) -> None:
    """Let the stage that trains run with ``python``, on a script that does not import Mintage."""
    project.replace(
        "mintage.yaml",
        "    out: [work/model.joblib]\n",
        f"    out: [work/model.joblib, work/answers.json]\n    python: {python}\n",
    )
    project.replace("mintage.yaml", "in: [work/train.parquet]", "in: [work/train.parquet, work/validation.parquet]")
    project.write("train.py", TRAIN)
    project.write(".gitignore", project.read(".gitignore") + ".venv\n")
    project.commit("an environment of its own")


def check_answers(project: SmallProject) -> str:
    """The model built by Mintage answers as the library did where it was fitted; returns the library's version."""
    import pyarrow.parquet as pq

    said = json.loads(project.read("work/answers.json"))
    rows = pq.read_table(project.root / "work/validation.parquet", columns=["pages", "minutes"])
    folder = next((project.root / ".mintage/models/buys").iterdir())
    answers = mintage.load(folder).predict({name: np.array(rows[name]) for name in ("pages", "minutes")})
    found = answers.scores
    np.testing.assert_allclose(found, said["answers"], rtol=0, atol=1e-12)
    return str(said["library"])


def environment_of(project: SmallProject, stage: str) -> dict[str, str]:
    """Versions by package, of the environment in which a stage ran."""
    record = project.record(project.lock(stage)["run"])
    found = json.loads(project.blob(record["body"]["stages"][stage]["environment"]).read_bytes())
    return {package["name"]: package["version"] for package in found["packages"]} | {"python": found["python"]}


def test_a_model_comes_from_an_environment_without_mintage(fresh: SmallProject) -> None:
    borrowed(fresh.root / ".venv")
    own_interpreter(fresh, ".venv/bin/python")
    assert set(fresh.run("run", "--json").json["actions"].values()) == {"run"}
    check_answers(fresh)
    assert "mintage" in environment_of(fresh, "split") and "mintage" not in environment_of(fresh, "train")
    model = fresh.record(fresh.lock("model:buys")["record"])["body"]
    assert model["extraction"]["memory_bytes"] > 0
    statement = json.loads(fresh.blob(model["provenance"]).read_bytes())
    assert statement
    assert set(fresh.run("run", "--json").json["actions"].values()) == {"keep"}
    assert fresh.run("certify", "buys", "--json").json["verdict"] == "PASS"


def test_a_script_that_imports_mintage_where_it_is_not_is_told_what_to_do(fresh: SmallProject) -> None:
    borrowed(fresh.root / ".venv")
    fresh.replace("mintage.yaml", "project: visits\n", "project: visits\npython: .venv/bin/python\n")
    assert "read the JSON file at $MINTAGE_PARAMS" in failure(fresh, "run", "train")


def test_a_module_that_is_missing_points_to_the_projects_own_environment(fresh: SmallProject) -> None:
    borrowed(fresh.root / ".venv")
    fresh.write("split.py", "import library_of_the_project\n")
    assert "say `python: .venv/bin/python`" in failure(fresh, "run")


def test_an_estimator_is_not_opened_where_joblib_is_missing(fresh: SmallProject) -> None:
    borrowed(fresh.root / ".venv", without=("mintage", "joblib"))
    own_interpreter(fresh, ".venv/bin/python")
    fresh.write(
        "train.py",
        "for name in ('model.joblib', 'answers.json', 'metrics.json'):\n    open(f'work/{name}', 'w').write('{}')\n",
    )
    said = failure(fresh, "run")
    assert "has no joblib" in said and "`.venv/bin/python -m pip install" in said


def test_an_estimator_is_not_opened_by_a_python_that_is_too_old(fresh: SmallProject) -> None:
    known = {"version": [3, 9, 18], "executable": "old", "folders": [], "prefixes": [], "mark": "", "modules": []}
    known["frozen"] = {"python": "3.9.18", "implementation": "CPython", "platform": "linux", "packages": []}
    fresh.write("data/old", f"#!/bin/sh\necho '{json.dumps(known)}'\n")
    (fresh.root / "data/old").chmod(0o755)
    files = " ".join(f"work/{name}" for name in ("model.joblib", "answers.json", "metrics.json"))
    fresh.replace("mintage.yaml", "run: python train.py", "run: sh train.sh")
    fresh.write("train.sh", f"echo '{{}}' | tee {files}\n")
    own_interpreter(fresh, "data/old")
    fresh.git("rm", "-q", "--cached", "--ignore-unmatch", "data/old")
    said = failure(fresh, "run", "model:buys")
    assert "is too old" in said and "expected Python 3.10 or later, found Python 3.9.18" in said


def failure(project: SmallProject, *words: str) -> str:
    """What a command says that must fail; the user's own traceback may be in it."""
    done = subprocess.run(
        [*MINTAGE, *words], cwd=project.root, env=project.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode not in (0, 1), done.stderr
    return done.stderr


@pytest.mark.slow
def test_two_versions_of_a_library_in_two_projects_both_work(fresh: SmallProject, tmp_path: Path) -> None:
    other = fresh.copy_to(tmp_path / "other project")
    for project, version in ((fresh, "1.9.1"), (other, "1.6.1")):
        install(project.root / ".venv", f"scikit-learn=={version}", "pandas", "pyarrow")
        own_interpreter(project, ".venv/bin/python")
        project.run("run")
        assert check_answers(project) == version
        assert environment_of(project, "train")["scikit-learn"] == version


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.10", "3.12", "3.13"])
def test_the_interpreter_may_be_another_python(fresh: SmallProject, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not here; install it so that python{version} starts")
    install(fresh.root / ".venv", "scikit-learn", "pandas", "pyarrow", python=python)
    own_interpreter(fresh, ".venv/bin/python")
    fresh.run("run")
    check_answers(fresh)
    assert environment_of(fresh, "train")["python"].startswith(f"{version}.")


def interpreter(version: str) -> str | None:
    """A Python of this version: on PATH, or among those of pyenv."""
    on_path = shutil.which(f"python{version}")
    beside = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    for python in filter(None, [on_path, *map(str, beside)]):
        if subprocess.run([python, "-c", "import venv"], check=False, capture_output=True).returncode == 0:
            return python
    return None
