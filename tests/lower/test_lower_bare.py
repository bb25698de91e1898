"""Bare models of XGBoost, LightGBM and CatBoost: files in the library's own format, and boosters within a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from catboost import CatBoost, CatBoostClassifier
from prove_lowering import Proven, prove_file, run_extraction
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from mintage.errors import EstimatorRefusedError

TREES = {"n_jobs": 1, "max_depth": 3}
LEAVES = {"num_leaves": 7, "num_threads": 1, "verbose": -1}
GROWN: dict[str, Any] = {"iterations": 6, "depth": 3, "thread_count": 1, "verbose": False, "allow_writing_files": False}
ROUNDS = 6


def _columns(count: int, seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    return {"far": draw.normal(size=count), "wide": draw.uniform(0, 9, size=count)}


ROWS, UNSEEN = _columns(400, 1), _columns(200, 2)
NUMBER = ROWS["far"] * 2 + ROWS["wide"]
TWO = (NUMBER > 4).astype(int)
THREE = np.digitize(NUMBER, [3.0, 6.0])
NAMED, ARRAY = pd.DataFrame(ROWS), np.column_stack(list(ROWS.values()))
LABELS = {"binary": TWO, "multiclass": THREE, "regression": NUMBER}


def _xgboost(objective: str, label: Any, rows: Any = NAMED) -> Any:
    extra = {"num_class": 3} if objective.startswith("multi") else {}
    return xgboost.train({"objective": objective, **TREES, **extra}, xgboost.DMatrix(rows, label), ROUNDS)


def _lightgbm(objective: str, label: Any, rows: Any = NAMED) -> Any:
    extra = {"num_class": 3} if objective.startswith("multi") else {}
    return lightgbm.train({"objective": objective, **LEAVES, **extra}, lightgbm.Dataset(rows, label), ROUNDS)


def _proven(path: Path, task: Any) -> Proven:
    proven = prove_file(run_extraction(path), UNSEEN, path.parent, task=task)
    assert all(part.passed and part.compared > 100 for part in proven.parity)
    return proven


@pytest.mark.parametrize(
    ("objective", "task"),
    [
        ("binary:logistic", "binary"),
        ("multi:softprob", "multiclass"),
        ("multi:softmax", "multiclass"),
        ("reg:squarederror", "regression"),
    ],
)
@pytest.mark.parametrize("name", ["m.json", "m.ubj", "m.joblib"])
def test_an_xgboost_model_is_what_its_objective_says(tmp_path: Path, objective: str, task: str, name: str) -> None:
    booster, path = _xgboost(objective, LABELS[task]), tmp_path / name
    joblib.dump(booster, path) if name == "m.joblib" else booster.save_model(path)
    _proven(path, task)


@pytest.mark.parametrize(
    ("objective", "task"), [("binary", "binary"), ("multiclass", "multiclass"), ("regression", "regression")]
)
@pytest.mark.parametrize("name", ["m.txt", "m.joblib"])
def test_a_lightgbm_model_is_what_its_objective_says(tmp_path: Path, objective: str, task: str, name: str) -> None:
    booster, path = _lightgbm(objective, LABELS[task]), tmp_path / name
    joblib.dump(booster, path) if name == "m.joblib" else booster.save_model(path)
    _proven(path, task)


@pytest.mark.parametrize(
    ("objective", "task"), [("Logloss", "binary"), ("MultiClass", "multiclass"), ("RMSE", "regression")]
)
@pytest.mark.parametrize("name", ["m.cbm", "m.joblib"])
def test_a_catboost_model_is_what_its_loss_says(tmp_path: Path, objective: str, task: str, name: str) -> None:
    model, path = CatBoost({**GROWN, "loss_function": objective}).fit(NAMED, LABELS[task]), tmp_path / name
    joblib.dump(model, path) if name == "m.joblib" else model.save_model(str(path))
    _proven(path, task)


def test_an_xgboost_model_without_names_takes_the_columns_in_their_order(tmp_path: Path) -> None:
    _xgboost("binary:logistic", TWO, ARRAY).save_model(tmp_path / "m.ubj")
    _proven(tmp_path / "m.ubj", "binary")


def test_a_model_that_was_stopped_early_answers_with_its_best_round(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 2, len(TWO))
    table, other = xgboost.DMatrix(NAMED, TWO), xgboost.DMatrix(NAMED, noise)
    options = {"objective": "binary:logistic", **TREES}
    booster = xgboost.train(options, table, 30, evals=[(other, "o")], early_stopping_rounds=2, verbose_eval=0)
    assert booster.num_boosted_rounds() > booster.best_iteration + 1
    booster.save_model(tmp_path / "m.json")
    _proven(tmp_path / "m.json", "binary")


def test_a_linear_xgboost_model_is_taken_too(tmp_path: Path) -> None:
    options = {"objective": "reg:squarederror", "booster": "gblinear", "nthread": 1}
    xgboost.train(options, xgboost.DMatrix(NAMED, NUMBER), 3).save_model(tmp_path / "m.json")
    _proven(tmp_path / "m.json", "regression")


def test_a_ranking_does_not_say_what_its_numbers_are(tmp_path: Path) -> None:
    table = xgboost.DMatrix(NAMED, TWO, qid=np.repeat(np.arange(40), 10))
    xgboost.train({"objective": "rank:pairwise", **TREES}, table, 3).save_model(tmp_path / "m.ubj")
    with pytest.raises(EstimatorRefusedError, match="objective is rank:pairwise; fit it as XGBClassifier or"):
        _proven(tmp_path / "m.ubj", "binary")


def test_an_objective_of_ones_own_does_not_say_what_its_numbers_are(tmp_path: Path) -> None:
    def ours(scores: Any, data: Any) -> Any:
        return scores - data.get_label(), np.ones(len(scores))

    data = lightgbm.Dataset(NAMED, NUMBER)
    lightgbm.train({**LEAVES, "objective": ours}, data, 3).save_model(tmp_path / "m.txt")
    with pytest.raises(EstimatorRefusedError, match="fit it as LGBMClassifier or LGBMRegressor"):
        _proven(tmp_path / "m.txt", "regression")


def test_classes_of_a_catboost_file_are_its_own(tmp_path: Path) -> None:
    model = CatBoostClassifier(**GROWN).fit(NAMED, np.array(["no", "yes"])[TWO])
    model.save_model(str(tmp_path / "m.cbm"))
    _proven(tmp_path / "m.cbm", "binary")


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (lambda model: {"model": model, "means": [1.5]}, r"joblib.dump\(saved\['model'\], ...\)"),
        (lambda model: {"model": model, "age": 30.0}, r"joblib.dump\(saved\['model'\], ...\)"),
        (lambda model: {"model": model, "threshold": 4}, r"joblib.dump\(saved\['model'\], ...\)"),
        (lambda model: {"model": model, "codes": {"red": 1}}, r"joblib.dump\(saved\['model'\], ...\)"),
        (lambda model: {"model": model, "order": ["S", "M"]}, r"joblib.dump\(saved\['model'\], ...\)"),
        (
            lambda model: {"model": model, "scaler": StandardScaler()},
            r"make_pipeline\(saved\['scaler'\], saved\['model'\]\)",
        ),
        (lambda model: (StandardScaler(), model), r"make_pipeline\(saved\[0\], saved\[1\]\)"),
        (lambda model: [model, model], "save each model in a file of its own"),
        (lambda model: {"scaler": StandardScaler()}, "none of it predicts"),
    ],
)
def test_a_bundle_is_refused_with_what_to_save_instead(tmp_path: Path, saved: Any, said: str) -> None:
    model = RandomForestClassifier(n_estimators=2, random_state=0).fit(NAMED, TWO)
    joblib.dump(saved(model), tmp_path / "m.joblib")
    with pytest.raises(EstimatorRefusedError, match=said):
        _proven(tmp_path / "m.joblib", "binary")


def test_of_a_dict_the_one_model_is_taken_if_what_stands_beside_it_changes_no_column(tmp_path: Path) -> None:
    model = RandomForestClassifier(n_estimators=2, random_state=0).fit(NAMED, TWO)
    beside = {
        "feature_columns": list(NAMED),
        "threshold": 0.4,
        "metrics": {"roc_auc": 0.9},
        "made": "in May",
        "v": None,
    }
    joblib.dump({"model": model, **beside}, tmp_path / "m.joblib")
    _proven(tmp_path / "m.joblib", "binary")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    _xgboost("binary:logistic", TWO).save_model(tmp_path / "m.ubj")
    data = (tmp_path / "m.ubj").read_bytes()
    (tmp_path / "m.ubj").write_bytes(data[: len(data) // 2])
    with pytest.raises(EstimatorRefusedError, match="xgboost cannot open the file"):
        _proven(tmp_path / "m.ubj", "binary")
