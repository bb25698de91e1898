"""The demo's model, and a multiclass and a regression one of the same data: the same answers on every platform.

Through the installed command line, in a new project. What is not installed here is a reason to skip that names it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.registry import known_runtimes

PLATFORMS = ("ort-cpu", "ort-node", "ort-web", "c", "duckdb", "postgresql")
MODELS = ("late", "band", "minutes")
# What the demo's project gets beside its own stages: three classes of delay, and the delay in minutes.
OTHERS = '''"""Fit two more models on the demo's training days: how late in three bands, and by how many minutes."""

import joblib
import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from features import CATEGORIES, FEATURES, SCHEDULE, WEATHER

train = pl.read_parquet("work/train.parquet").gather_every(4)
delay = train["arr_delay"].cast(pl.Float64).to_numpy()
bands = np.array(["early", "on time", "late"], dtype=object)[np.digitize(delay, [0.0, 15.0])]

columns = ColumnTransformer(
    [
        ("category", OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), SCHEDULE + WEATHER),
    ]
)
boosting = GradientBoostingClassifier(n_estimators=15, random_state=0)
band = Pipeline([("columns", columns), ("boosting", boosting)]).fit(train.select(FEATURES), bands)
joblib.dump(band, "work/band.joblib")

columns = ColumnTransformer(
    [
        ("category", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
        ("numbers", "passthrough", SCHEDULE + WEATHER),
    ]
)
forest = RandomForestRegressor(n_estimators=12, max_depth=8, random_state=0)
minutes = Pipeline([("columns", columns), ("forest", forest)]).fit(train.select(FEATURES), delay)
joblib.dump(minutes, "work/minutes.joblib")
'''


def mintage(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "mintage", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project with two more models, built."""
    folder = tmp_path_factory.mktemp("platforms")
    mintage(folder, "init", "--template", "flights")
    (folder / "others.py").write_text(OTHERS)
    prepare = folder / "prepare.py"
    prepare.write_text(prepare.read_text().replace("late=(", 'arr_delay="arr_delay",\n        late=('))
    text = (folder / "mintage.yaml").read_text()
    text = text.replace(
        "\nmodels:\n",
        "  others:\n    run: python others.py\n    in: [work/train.parquet]\n    seed: 7\n"
        "    out: [work/band.joblib, work/minutes.joblib]\n"
        "\nmodels:\n  band: {from: work/band.joblib}\n  minutes: {from: work/minutes.joblib}\n",
    )
    (folder / "mintage.yaml").write_text(text)
    late = (folder / "models" / "late.yaml").read_text()
    for name, task, target in (("band", "multiclass", "band"), ("minutes", "regression", "arr_delay")):
        made = late.replace("model: late", f"model: {name}").replace("task: binary", f"task: {task}")
        (folder / "models" / f"{name}.yaml").write_text(made.replace("target: late", f"target: {target}"))
    mintage(folder, "run")
    return folder


def matrix(project: Path, model: str, *words: str) -> dict[str, dict[str, Any]]:
    found = json.loads(mintage(project, "parity", model, "--json", *words))
    assert found["evidence"].startswith("b3:")
    return {line["runtime"]: line for line in found["runtimes"]}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_model_gives_the_original_answers_on_every_platform(model: str, project: Path) -> None:
    here = [name for name in PLATFORMS if not isinstance(known_runtimes()[name].find(), Missing)]
    lines = matrix(project, model, "--runtimes", ",".join(["original", *here, "treelite"]))
    assert set(lines) == {"original", "treelite", *here}
    for line in lines.values():
        assert (line["status"], line["label_flips"], line["decision_flips"]) == ("equal", 0, 0), line
        assert line["rows"] == 256
        assert line["max_error"] <= 1e-12
    absent = [f"{name}: {known_runtimes()[name].find().hint}" for name in PLATFORMS if name not in here]
    if absent:
        pytest.skip(f"proven on {', '.join(here)}; not here: {'; '.join(absent)}")


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_model_gives_the_original_answers_on_all_validation_and_edge_rows(model: str, project: Path) -> None:
    lines = matrix(project, model, "--rows", "all", "--runtimes", "original,ort-cpu,c,duckdb,treelite")
    for line in lines.values():
        assert (line["status"], line["label_flips"], line["decision_flips"]) == ("equal", 0, 0), line
        assert line["rows"] >= 9_000


@pytest.mark.slow
def test_two_builds_are_the_same_bytes_and_small(project: Path, tmp_path: Path) -> None:
    """The same project, built again from nothing by the same key: the same models, to the bit."""
    import shutil

    again = tmp_path / "again"
    shutil.copytree(project, again, ignore=shutil.ignore_patterns(".mintage", ".git", "mintage.lock", "work"))
    mintage(again, "init")
    shutil.copytree(project / ".mintage" / "keys", again / ".mintage" / "keys", dirs_exist_ok=True)
    shutil.copy(project / "trust.yaml", again / "trust.yaml")
    mintage(again, "run")
    for model in MODELS:
        first, second = (files(folder / ".mintage" / "models" / model) for folder in (project, again))
        assert first == second
        assert sum(map(len, first.values())) < 3_000_000


def files(folder: Path) -> dict[str, bytes]:
    (inside,) = folder.iterdir()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(inside.rglob("*")) if path.is_file()
    }
