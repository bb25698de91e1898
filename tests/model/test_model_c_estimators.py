"""Real estimators of every task, lowered, compiled to C and run: the library's own numbers on rows and edge rows."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
from hand_made import TASKS, hand_made
from runtime_suite import Case, RuntimeSuite, case_of_package, onnxruntime_answers, rows_of
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PowerTransformer, StandardScaler

from mintage.lower.estimator import lower
from mintage.lower.extract.main import main as extract_estimator
from mintage.model.limits import find_limits
from mintage.model.prove import answer, answer_edges
from mintage.model.runtime import Predictor
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.c import RUNTIME
from mintage.model.signature import build_signature
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

NUMBERS, TEXTS = ["amount", "ratio", "visits"], ["city", "grade"]
CODES = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
IMPUTED = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
ONE_HOT = ColumnTransformer([("n", IMPUTED, NUMBERS), ("t", OneHotEncoder(handle_unknown="ignore"), TEXTS)])
POWERS = make_pipeline(SimpleImputer(), PowerTransformer())
ESTIMATORS: dict[str, tuple[Any, str, str | tuple[str, ...]]] = {
    "a forest of 100 trees, one-hot": (
        make_pipeline(ONE_HOT, RandomForestClassifier(100, max_depth=6, random_state=0, n_jobs=1)),
        "binary",
        "y",
    ),
    "a forest of three classes": (
        make_pipeline(ONE_HOT, RandomForestClassifier(8, max_depth=6, random_state=0)),
        "multiclass",
        "y",
    ),
    "logistic regression after powers": (
        make_pipeline(
            ColumnTransformer([("n", POWERS, NUMBERS), ("t", OneHotEncoder(handle_unknown="ignore"), TEXTS)]),
            LogisticRegression(max_iter=500),
        ),
        "binary",
        "y",
    ),
    "boosting of a number, with sets": (
        make_pipeline(
            ColumnTransformer([("t", CODES, TEXTS), ("n", "passthrough", NUMBERS)]),
            HistGradientBoostingRegressor(max_iter=20, categorical_features=[0, 1], random_state=0),
        ),
        "regression",
        "y",
    ),
    "a forest of two numbers": (
        make_pipeline(ONE_HOT, RandomForestRegressor(8, max_depth=7, random_state=0)),
        "regression",
        ("y", "z"),
    ),
}


def table(count: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    city, grade = np.empty(count, dtype=object), np.empty(count, dtype=object)
    city[:] = [f"Żory {place:02}" for place in rng.integers(0, 30 + 3 * (seed % 2), count)]
    grade[:] = [("a", "b", "c", None)[place] for place in rng.integers(0, 4, count)]
    return {
        "amount": np.where(rng.random(count) < 0.1, np.nan, rng.lognormal(3.0, 1.0, count)),
        "ratio": rng.normal(size=count),
        "visits": rng.integers(0, 9, count).astype(float),
        "city": city,
        "grade": grade,
    }


def target(columns: dict[str, Any], task: str, width: int) -> Any:
    lift = np.nan_to_num(columns["amount"]) / 20 + columns["ratio"] - columns["visits"] / 3
    lift += np.array([int(city[-2:]) % 5 for city in columns["city"]])
    if task == "regression":
        return lift if width == 1 else np.stack([lift, lift**2], axis=1)
    return np.digitize(lift, [1.0] if task == "binary" else [0.5, 2.5])


@pytest.mark.skipif(isinstance(RUNTIME.find(), Missing), reason="there is no C compiler: install gcc")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_in_c_gives_the_librarys_numbers(name: str, tmp_path: Path) -> None:
    estimator, task, targets = ESTIMATORS[name]
    training = table(1500, 0)
    frame = pl.DataFrame({key: column.tolist() for key, column in training.items()}, nan_to_null=False)
    labels = target(training, task, 1 if isinstance(targets, str) else len(targets))
    joblib.dump(estimator.fit(frame, labels), tmp_path / "model.joblib")

    def extract(rows: Path, out: Path) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            assert extract_estimator([str(tmp_path / "model.joblib"), str(rows), str(out)]) in (0, 3)

    rows, description = answer("rows", table(3000, 1), extract, tmp_path / "rows")
    kinds = {key: "string" if column.dtype == object else "float" for key, column in training.items()}
    spec = ModelSpec(
        model="m",
        task=task,  # type: ignore[arg-type]
        target=targets,
        purpose="p",
        owner="o",
        threshold=0.4,
        inputs={key: InputSpec(type=kind) for key, kind in kinds.items()},  # type: ignore[arg-type]
        data=DataFiles(train="a", validation="b", holdout="c"),
    )
    lowered = lower(description, threshold=0.4, targets=spec.targets)
    signature = build_signature(
        spec,
        classes=description.classes,
        width=description.width,
        categories=lowered.categories,
        closed=lowered.closed,
        limits=find_limits(lowered, rows.columns),
    )
    predictor, rng = Predictor(lowered.onnx, signature), np.random.default_rng(0)
    edges = answer_edges(
        rows, lowered=lowered, predictor=predictor, extract=extract, folder=tmp_path / "edges", rng=rng
    )
    (tmp_path / "c").mkdir()
    with RUNTIME.open(lowered.onnx, signature, tmp_path / "c") as session:
        for part in (rows, edges):
            taken = predictor.accepts(part.columns) & ~part.native.failed
            assert taken.sum() >= 2000
            columns, native = rows_of(part.columns, taken), part.native.values[taken]
            found = session.answer(columns)
            error = np.abs(found.values - native) / np.maximum(1, np.abs(native))
            assert error.max() <= 1e-12
            expected = onnxruntime_answers(lowered.onnx, signature, columns)
            np.testing.assert_array_equal(found.labels, expected.labels)


class TestTasks(RuntimeSuite):
    """Models of every task, made by hand."""

    runtime = RUNTIME

    @pytest.fixture(scope="class", params=TASKS)
    @classmethod
    def case(cls, request: pytest.FixtureRequest) -> Case:
        return case_of_package(hand_made(request.param))
