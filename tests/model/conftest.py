"""One model, fitted and built once with real parts: a pipeline, the process that opens it, a key, a signed folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mintage.attest.keys import FileSigner
from mintage.lower.extract.main import main as extract_estimator
from mintage.lower.extraction import extraction_command
from mintage.model.build import BuiltModel, build_model
from mintage.repo.modelfile import ModelSpec, parse_model_file

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported: small fits, shared machines

MODEL_FILE = b"""
model: churn
task: binary
target: left
purpose: Tell who will leave.
owner: desk@example.org
group_key: month
threshold: 0.4
data: {train: a.parquet, validation: b.parquet, holdout: c.parquet}
limitations: [Made of random numbers.]
inputs:
  city: {type: string, nullable: false, about: where}
  grade: {type: string, categories: [a, b, c]}
  amount: {type: float, unit: EUR, range: [0, 1000]}
  ratio: {type: float, nullable: false}
  visits: {type: int, range: [0, null], nullable: false}
"""


@dataclass(frozen=True)
class Made:
    """What the fixtures made."""

    folder: Path
    spec: ModelSpec
    columns: dict[str, Any]
    groups: Any
    extract: Callable[[Path, Path], None]
    inside: Callable[[Path, Path], None]
    signer: FileSigner
    built: BuiltModel


def rows(count: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    city, grade = np.empty(count, dtype=object), np.empty(count, dtype=object)
    city[:] = [f"city {place:02}" for place in rng.integers(0, 30, count)]
    grade[:] = [("a", "b", "c", None)[place] for place in rng.integers(0, 4, count)]
    return {
        "city": city,
        "grade": grade,
        "amount": np.where(rng.random(count) < 0.15, np.nan, rng.lognormal(3.0, 1.0, count)),
        "ratio": rng.normal(size=count),
        "visits": rng.integers(0, 7, count).astype(float),
    }


def fit(columns: dict[str, Any]) -> Any:
    import polars as pl
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    rng = np.random.default_rng(9)
    lift = columns["ratio"] * 2 + np.array([int(city[-2:]) % 3 - 1.0 for city in columns["city"]])
    lift += np.where(np.isnan(columns["amount"]), 1.5, columns["visits"] - 3)
    labels = (rng.random(len(lift)) < 1 / (1 + np.exp(-lift))).astype(int)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    keep = ("keep", "passthrough", ["amount", "ratio", "visits"])
    model = Pipeline(
        [
            ("columns", ColumnTransformer([keep, ("texts", encoder, ["city", "grade"])])),
            (
                "boosting",
                HistGradientBoostingClassifier(
                    max_iter=8, max_leaf_nodes=6, min_samples_leaf=10, categorical_features=[3, 4], random_state=0
                ),
            ),
        ]
    )
    return model.fit(pl.DataFrame({name: column.tolist() for name, column in columns.items()}), labels)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    import joblib

    folder = tmp_path_factory.mktemp("made")
    joblib.dump(fit(rows(900, 1)), folder / "model.joblib")

    def extract(table: Path, out: Path) -> None:
        command = extraction_command(folder / "model.joblib", table, out, python=sys.executable)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode in (0, 3), done.stderr

    def inside(table: Path, out: Path) -> None:
        """The same without a process, which is faster."""
        assert extract_estimator([str(folder / "model.joblib"), str(table), str(out)]) == 0

    spec = parse_model_file(MODEL_FILE, where="models/churn.yaml")
    signer = FileSigner.create(folder / "key.pem", name="tests")
    columns, groups = rows(300, 2), np.arange(300) // 12
    built = build_model(
        workdir=folder / "work",
        spec=spec,
        columns=columns,
        groups=groups,
        extract=extract,
        facts={"commit": "4a1c", "metrics": {"auc": 0.75}},
        signer=signer,
    )
    return Made(folder, spec, columns, groups, extract, inside, signer, built)
