"""Models in SQL as their callers meet them: built, made by hand of every task, and real estimators of many kinds."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
from hand_made import TASKS, hand_made
from runtime_suite import Case, RuntimeSuite, case_of_package, onnxruntime_answers, rows_of
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, QuantileTransformer
from sql_runtimes import postgresql_server, runtime  # noqa: F401 fixtures
from test_model_c_estimators import CODES, ESTIMATORS, NUMBERS, ONE_HOT, TEXTS, table, target

from mintage.errors import RuntimeFailedError
from mintage.lower.estimator import lower
from mintage.lower.extract.main import main as extract_estimator
from mintage.model.golden import portable_rows
from mintage.model.limits import find_limits
from mintage.model.prove import answer, answer_edges
from mintage.model.runtime import Predictor
from mintage.model.runtimes import duckdb, postgresql
from mintage.model.runtimes.base import Found, Missing, Runtime
from mintage.model.signature import build_signature
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

MORE: dict[str, tuple[Any, str, str | tuple[str, ...]]] = {
    "boosting of two classes, with sets": (
        make_pipeline(
            ColumnTransformer([("t", CODES, TEXTS), ("n", "passthrough", NUMBERS)]),
            HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1], random_state=0),
        ),
        "binary",
        "y",
    ),
    "logistic regression, one-hot": (make_pipeline(ONE_HOT, LogisticRegression(max_iter=500)), "binary", "y"),
    "logistic regression of three classes after quantiles": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("q", QuantileTransformer(output_distribution="normal", n_quantiles=50), ["ratio"]),
                    ("v", QuantileTransformer(n_quantiles=200), ["ratio", "visits"]),
                    ("t", OneHotEncoder(handle_unknown="ignore"), TEXTS),
                ]
            ),
            LogisticRegression(max_iter=500),
        ),
        "multiclass",
        "y",
    ),
    "a forest after bins": (
        make_pipeline(
            ColumnTransformer([("b", KBinsDiscretizer(9, strategy="uniform"), ["ratio", "visits"])]),
            RandomForestClassifier(10, max_depth=5, random_state=0),
        ),
        "binary",
        "y",
    ),
}
CASES = {**ESTIMATORS, **MORE}


@pytest.mark.parametrize("name", CASES)
def test_an_estimator_in_sql_gives_the_librarys_numbers(name: str, runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    estimator, task, targets = CASES[name]
    training = table(1500, 0)
    frame = pl.DataFrame({key: column.tolist() for key, column in training.items()}, nan_to_null=False)
    labels = target(training, task, 1 if isinstance(targets, str) else len(targets))
    joblib.dump(estimator.fit(frame, labels), tmp_path / "model.joblib")

    def extract(rows: Path, out: Path) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            assert extract_estimator([str(tmp_path / "model.joblib"), str(rows), str(out)]) in (0, 3)

    rows, description = answer("rows", table(3000, 1), extract, tmp_path / "rows")
    spec = model_spec(training, task, targets)
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
    with runtime.open(lowered.onnx, signature, tmp_path) as session:
        for part in (rows, edges):
            taken = predictor.accepts(part.columns) & ~part.native.failed & portable_rows(part.columns)
            assert taken.sum() >= 1500
            columns, native = rows_of(part.columns, taken), part.native.values[taken]
            found = session.answer(columns)
            error = np.abs(found.values - native) / np.maximum(1, np.abs(native))
            assert error.max() <= 1e-12
            expected = onnxruntime_answers(lowered.onnx, signature, columns)
            np.testing.assert_array_equal(found.labels, expected.labels)


def model_spec(columns: dict[str, Any], task: str, targets: str | tuple[str, ...]) -> ModelSpec:
    kinds = {key: "string" if column.dtype == object else "float" for key, column in columns.items()}
    return ModelSpec(
        model="m",
        task=task,  # type: ignore[arg-type]
        target=targets,
        purpose="p",
        owner="o",
        threshold=0.4,
        inputs={key: InputSpec(type=kind) for key, kind in kinds.items()},  # type: ignore[arg-type]
        data=DataFiles(train="a", validation="b", holdout="c"),
    )


def without_nul(case: Case) -> Case:
    """The case without rows that PostgreSQL cannot hold."""
    held = portable_rows(case.columns)
    columns = rows_of(case.columns, held)
    return Case(case.onnx, case.signature, columns, case.values[held], case.labels[held], case.tolerance)


class TestDuckDb(RuntimeSuite):
    runtime = duckdb.RUNTIME


class TestDuckDbTasks(RuntimeSuite):
    """Models of every task, made by hand."""

    runtime = duckdb.RUNTIME

    @pytest.fixture(scope="class", params=TASKS)
    @classmethod
    def case(cls, request: pytest.FixtureRequest) -> Case:
        return case_of_package(hand_made(request.param))


@pytest.fixture(scope="class")
def _server(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(postgresql.SERVER, request.getfixturevalue("postgresql_server"))
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_server")
class TestPostgreSql(RuntimeSuite):
    runtime = postgresql.RUNTIME

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, made: Any) -> Case:
        from mintage.model.package import open_package

        return without_nul(case_of_package(open_package(made.built.folder)))


@pytest.mark.slow
@pytest.mark.usefixtures("_server")
class TestPostgreSqlTasks(RuntimeSuite):
    """Models of every task, made by hand."""

    runtime = postgresql.RUNTIME

    @pytest.fixture(scope="class", params=TASKS)
    @classmethod
    def case(cls, request: pytest.FixtureRequest) -> Case:
        return without_nul(case_of_package(hand_made(request.param)))


@pytest.mark.slow
def test_without_a_named_server_one_is_started_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(postgresql.SERVER, raising=False)
    found = postgresql.RUNTIME.find()
    if isinstance(found, Missing):
        pytest.skip(f"postgresql: {found.what}; {found.hint}")
    case = without_nul(case_of_package(hand_made("binary")))
    with postgresql.RUNTIME.open(case.onnx, case.signature, tmp_path) as session:
        address = session._connection.info.host
        assert Path(address).exists()
        answers = session.answer(case.columns, timed=3)
    assert np.abs(answers.values - case.values).max() <= case.tolerance
    assert len(answers.single_us) == 3
    assert not Path(address).exists()


def test_a_server_that_does_not_answer_is_missing_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgresql.SERVER, "postgresql://127.0.0.1:1/none")
    found = postgresql.RUNTIME.find()
    assert isinstance(found, Missing)
    assert "does not answer" in found.what


def test_without_a_server_the_runtime_is_missing_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(postgresql.SERVER, raising=False)
    monkeypatch.setattr(postgresql, "find_programs", lambda: None)
    found = postgresql.RUNTIME.find()
    assert isinstance(found, Missing)
    assert "apt-get install postgresql" in found.hint
    case = case_of_package(hand_made("binary"))
    with (
        pytest.raises(RuntimeFailedError) as caught,
        postgresql.RUNTIME.open(case.onnx, case.signature, tmp_path),
    ):
        pass
    assert "not installed" in str(caught.value)


@pytest.mark.slow
@pytest.mark.usefixtures("_server")
def test_a_text_that_postgresql_cannot_hold_is_named(tmp_path: Path) -> None:
    case = without_nul(case_of_package(hand_made("binary")))
    rows = dict(rows_of(case.columns, slice(0, 5)))
    rows["origin"] = rows["origin"].copy()
    rows["origin"][3] = "a\0b"
    assert portable_rows(rows).tolist() == [True, True, True, False, True]
    with (
        postgresql.RUNTIME.open(case.onnx, case.signature, tmp_path) as session,
        pytest.raises(RuntimeFailedError) as caught,
    ):
        session.answer(rows)
    assert caught.value.where == "row 3"


def test_without_its_library_a_runtime_is_missing_or_fails_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = case_of_package(hand_made("binary"))
    for name, found in (("duckdb", duckdb.RUNTIME), ("psycopg", postgresql.RUNTIME)):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setenv(postgresql.SERVER, "postgresql://127.0.0.1:1/none")
        with (
            pytest.raises(RuntimeFailedError) as caught,
            found.open(case.onnx, case.signature, tmp_path),  # type: ignore[attr-defined]
        ):
            pass
        assert "pip install 'mintage[parity]'" in str(caught.value.hint)
    assert isinstance(postgresql.RUNTIME.find(), Missing)


def test_duckdb_says_its_version() -> None:
    found = duckdb.RUNTIME.find()
    assert isinstance(found, Found)
    assert found.version.startswith("duckdb ")
