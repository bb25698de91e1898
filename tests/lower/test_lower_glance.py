"""What the process that opens an estimator says of it at a glance, for each way to fit one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mintage.errors import EstimatorRefusedError
from mintage.lower.extraction import Glance, dialogue_command, read_glance, write_rows

FRAME = pandas.DataFrame({"b": np.arange(40.0), "a": np.arange(40.0) % 7})
LABELS = np.arange(40) % 2


def _glance(estimator: Any, folder: Path) -> Glance:
    joblib.dump(estimator, folder / "model.joblib")
    return _ask(folder / "model.joblib", folder)


def _ask(path: Path, folder: Path) -> Glance:
    rows = write_rows({name: FRAME[name].to_numpy() for name in ("a", "b")}, folder)
    asked = f'["{rows}", "{folder / "out"}", {{"glance": true}}]\n'
    command = dialogue_command(path, python=sys.executable)
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    assert done.stdout == "done\n", done.stderr
    return read_glance(folder / "out")


def test_a_pipeline_says_its_columns_in_its_order(tmp_path: Path) -> None:
    columns = ColumnTransformer([("scale", StandardScaler(), ["a", "b"])])
    found = _glance(make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS), tmp_path)
    assert (found.task, found.classes, found.names, found.count) == ("classifier", ((0, 1),), ("b", "a"), 2)


def test_an_estimator_fitted_on_an_array_says_how_many(tmp_path: Path) -> None:
    found = _glance(LinearRegression().fit(FRAME.to_numpy(), LABELS), tmp_path)
    assert (found.task, found.classes, found.names, found.count) == ("regressor", (), None, 2)


def test_texts_are_classes(tmp_path: Path) -> None:
    found = _glance(LogisticRegression().fit(FRAME, np.array(["no", "yes"])[LABELS]), tmp_path)
    assert found.classes == (("no", "yes"),)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.parametrize("named", [True, False])
def test_boosters_keep_the_names_of_a_frame_and_no_numbers_of_an_array(
    tmp_path: Path, library: str, named: bool
) -> None:
    module = pytest.importorskip(library)
    makers = {
        "xgboost": lambda: module.XGBClassifier(n_estimators=2),
        "lightgbm": lambda: module.LGBMClassifier(n_estimators=2, verbose=-1),
        "catboost": lambda: module.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False),
    }
    found = _glance(makers[library]().fit(FRAME if named else FRAME.to_numpy(), LABELS), tmp_path)
    assert (found.names, found.count, found.classes) == (("b", "a") if named else None, 2, ((0, 1),))


def test_a_graph_says_how_many_columns_it_takes(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["y"])], "g", [taken], [given])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, tmp_path / "model.onnx")
    found = _ask(tmp_path / "model.onnx", tmp_path)
    assert (found.names, found.count, found.classes) == (None, 3, ((0, 1, 2),))


def test_what_is_no_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EstimatorRefusedError, match="not a fitted classifier"):
        _glance(np.arange(3), tmp_path)


def test_what_only_changes_columns_is_a_transformer(tmp_path: Path) -> None:
    found = _glance(StandardScaler().fit(FRAME), tmp_path)
    assert (found.task, found.classes, found.names) == ("transformer", (), ("b", "a"))


def test_what_groups_rows_predicts_no_column(tmp_path: Path) -> None:
    with pytest.raises(EstimatorRefusedError, match="predicts no column of a table"):
        _glance(KMeans(2, n_init=1).fit(FRAME), tmp_path)


def test_a_bare_booster_says_its_columns_and_the_classes_of_its_objective(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(FRAME, LABELS), 2)
    booster.save_model(tmp_path / "model.json")
    found = _ask(tmp_path / "model.json", tmp_path)
    assert (found.estimator, found.task, found.classes) == ("xgboost.core.Booster", "classifier", ((0, 1),))
    assert (found.names, found.count) == (("b", "a"), 2)
