"""The estimators of the cases: each with its family, its task, its targets, and how its columns are prepared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import catboost
import lightgbm
import numpy as np
import xgboost
from sklearn import ensemble, linear_model, multioutput, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neural_network import MLPClassifier

__all__ = ["models"]

LATE, BAND, DELAY = ("late",), ("band",), ("delay",)
NUMBERS = ("epoch", "minute", "distance", "temp", "wind_gust", "precip", "visib", "pressure")
TEXTS = ("carrier", "dest", "origin")
Table = Callable[..., Any]


def models(table: Table, numeric: Table) -> list[dict[str, Any]]:
    """All cases as keyword arguments."""
    found: list[dict[str, Any]] = []

    def add(family: str, task: str, targets: tuple[str, ...], make: Callable[[], Any], name: str, **more: Any) -> None:
        found.append({"family": family, "task": task, "targets": targets, "make": make, "name": name, **more})

    _trees(add, table)
    _boosting(add, table)
    _linear(add, table)
    _meta(add, table)
    _libraries(add, table)
    return found


def _forest(kind: Any, **more: Any) -> Any:
    return kind(n_estimators=20, max_depth=7, random_state=0, **more)


def _trees(add: Any, table: Table) -> None:
    kinds = {
        "decision tree": (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor),
        "extra tree": (tree.ExtraTreeClassifier, tree.ExtraTreeRegressor),
    }
    for name, (classifier, regressor) in kinds.items():

        def make(kind: Any = classifier, **how: Any) -> Any:
            return table(kind(max_depth=8, random_state=0), **how)

        add(name, "binary", LATE, make, "scaled, one-hot")
        add(
            name,
            "binary",
            LATE,
            lambda make=make: make(scaled=None, imputed=False, texts="ordinal"),
            "raw, missing values",
        )
        add(name, "multiclass", BAND, make, "scaled, one-hot")
        add(
            name,
            "regression",
            DELAY,
            lambda kind=regressor: table(kind(max_depth=8, random_state=0)),
            "scaled, one-hot",
        )
    for name, (classifier, regressor) in {
        "random forest": (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
        "extra trees": (ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
    }.items():
        add(name, "binary", LATE, lambda kind=classifier: table(_forest(kind)), "scaled, one-hot")
        add(
            name,
            "binary",
            LATE,
            lambda kind=classifier: table(_forest(kind), scaled=None, imputed=False, texts="missing"),
            "raw, missing values",
        )
        add(
            name,
            "multiclass",
            BAND,
            lambda kind=classifier: table(_forest(kind), texts="target"),
            "scaled, target encoder",
        )
        add(name, "regression", DELAY, lambda kind=regressor: table(_forest(kind)), "scaled, one-hot")
        add(name, "regression", ("delay", "departure"), lambda kind=regressor: table(_forest(kind)), "two outputs")
        add(name, "binary", ("late", "far"), lambda kind=classifier: table(_forest(kind)), "two targets")
    bagging = {"n_estimators": 10, "random_state": 0, "max_features": 0.6}
    add(
        "bagging",
        "binary",
        LATE,
        lambda: table(ensemble.BaggingClassifier(tree.DecisionTreeClassifier(max_depth=6), **bagging)),
        "scaled, one-hot",
    )
    add(
        "bagging",
        "regression",
        DELAY,
        lambda: table(ensemble.BaggingRegressor(tree.DecisionTreeRegressor(max_depth=6), **bagging)),
        "scaled, one-hot",
    )


def _boosting(add: Any, table: Table) -> None:
    small = {"n_estimators": 25, "max_depth": 3, "random_state": 0}
    gb, gbr = ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor
    add("gradient boosting", "binary", LATE, lambda: table(gb(**small)), "scaled, one-hot")
    add(
        "gradient boosting",
        "binary",
        LATE,
        lambda: table(gb(loss="exponential", **small), scaled="bins"),
        "bins, exponential",
    )
    add("gradient boosting", "multiclass", BAND, lambda: table(gb(**small), scaled="robust"), "robust scaler, one-hot")
    add("gradient boosting", "regression", DELAY, lambda: table(gbr(**small)), "scaled, one-hot")
    add(
        "gradient boosting",
        "regression",
        DELAY,
        lambda: table(gbr(loss="huber", **small), texts="target"),
        "Huber, target encoder",
    )
    hist = {"max_iter": 25, "max_leaf_nodes": 8, "early_stopping": False, "random_state": 0}
    hgb, hgbr = ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor
    native = {"categorical_features": [len(NUMBERS) + place for place in range(len(TEXTS))], **hist}
    add("hist gradient boosting", "binary", LATE, lambda: table(hgb(**hist)), "scaled, one-hot")
    add(
        "hist gradient boosting",
        "binary",
        LATE,
        lambda: table(hgb(**native), imputed=False, texts="missing"),
        "native categories, missing values",
    )
    add(
        "hist gradient boosting",
        "multiclass",
        BAND,
        lambda: table(hgb(**native), imputed=False, texts="missing"),
        "native categories, missing values",
    )
    add(
        "hist gradient boosting",
        "regression",
        DELAY,
        lambda: table(hgbr(**native), imputed=False, texts="missing"),
        "native categories, missing values",
    )
    add("hist gradient boosting", "regression", ("positive",), lambda: table(hgbr(loss="poisson", **hist)), "Poisson")
    add(
        "AdaBoost",
        "binary",
        LATE,
        lambda: table(ensemble.AdaBoostClassifier(n_estimators=20, random_state=0)),
        "scaled, one-hot",
    )
    add(
        "AdaBoost",
        "multiclass",
        BAND,
        lambda: table(ensemble.AdaBoostClassifier(n_estimators=20, random_state=0)),
        "scaled, one-hot",
    )
    add(
        "AdaBoost",
        "regression",
        DELAY,
        lambda: table(ensemble.AdaBoostRegressor(n_estimators=10, random_state=0)),
        "scaled, one-hot",
    )


def _linear(add: Any, table: Table) -> None:
    def logistic() -> Any:
        return linear_model.LogisticRegression(max_iter=300)

    for scaler in ("standard", "minmax", "maxabs", "power", "quantile", "normal", "bins"):
        add(
            "logistic regression",
            "binary",
            LATE,
            lambda scaler=scaler: table(logistic(), scaled=scaler),
            f"{scaler}, one-hot",
        )
    add("logistic regression", "binary", LATE, lambda: table(logistic(), texts="rare"), "rare levels together")
    add("logistic regression", "binary", LATE, lambda: table(logistic(), texts="target"), "target encoder")
    add("logistic regression", "multiclass", BAND, lambda: table(logistic()), "scaled, one-hot")
    add("linear discriminant", "multiclass", BAND, lambda: table(LinearDiscriminantAnalysis()), "scaled, one-hot")
    add(
        "SGD",
        "binary",
        LATE,
        lambda: table(linear_model.SGDClassifier(loss="log_loss", random_state=0)),
        "scaled, one-hot",
    )
    regressors = {
        "linear regression": linear_model.LinearRegression(),
        "ridge": linear_model.Ridge(),
        "lasso": linear_model.Lasso(),
        "elastic net": linear_model.ElasticNet(),
        "Huber": linear_model.HuberRegressor(max_iter=500),
    }
    for name, model in regressors.items():
        add(name, "regression", DELAY, lambda model=model: table(model), "scaled, one-hot")
    add(
        "Poisson regression",
        "regression",
        ("positive",),
        lambda: table(linear_model.PoissonRegressor(max_iter=300)),
        "scaled, one-hot",
    )
    add("ridge", "regression", ("delay", "departure"), lambda: table(linear_model.Ridge()), "two outputs")
    add(
        "neural network",
        "multiclass",
        BAND,
        lambda: table(MLPClassifier((12, 6), max_iter=25, random_state=0), scaled="quantile"),
        "quantiles, one-hot",
    )
    add("support vectors", "regression", DELAY, lambda: table(svm.LinearSVR(max_iter=2000, random_state=0)), "linear")


def _meta(add: Any, table: Table) -> None:
    forest = ensemble.RandomForestClassifier(10, max_depth=5, random_state=0)
    boosting = ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0)
    logistic = linear_model.LogisticRegression(max_iter=300)
    for method in ("sigmoid", "isotonic"):
        add(
            "calibrated",
            "binary",
            LATE,
            lambda method=method: table(CalibratedClassifierCV(forest, method=method, cv=3)),
            f"{method}, forest",
        )
        add(
            "calibrated",
            "multiclass",
            BAND,
            lambda method=method: table(CalibratedClassifierCV(logistic, method=method, cv=3)),
            f"{method}, logistic",
        )
    parts = [("forest", forest), ("boosting", boosting), ("logistic", logistic)]
    add(
        "voting",
        "binary",
        LATE,
        lambda: table(ensemble.VotingClassifier(parts, voting="soft", weights=[1, 2, 1])),
        "weighted",
    )
    add("voting", "multiclass", BAND, lambda: table(ensemble.VotingClassifier(parts, voting="soft")), "three models")
    add("stacking", "binary", LATE, lambda: table(ensemble.StackingClassifier(parts, cv=3)), "three models")
    add("stacking", "multiclass", BAND, lambda: table(ensemble.StackingClassifier(parts, cv=3)), "three models")
    regressors = [("ridge", linear_model.Ridge()), ("tree", tree.DecisionTreeRegressor(max_depth=5, random_state=0))]
    add("voting", "regression", DELAY, lambda: table(ensemble.VotingRegressor(regressors)), "two models")
    add("stacking", "regression", DELAY, lambda: table(ensemble.StackingRegressor(regressors, cv=3)), "two models")
    add(
        "multi-output",
        "regression",
        ("delay", "departure"),
        lambda: table(
            multioutput.MultiOutputRegressor(ensemble.GradientBoostingRegressor(n_estimators=10, random_state=0))
        ),
        "boosting",
    )
    add(
        "transformed target",
        "regression",
        ("positive",),
        lambda: table(TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1)),
        "log1p",
    )


def _libraries(add: Any, table: Table) -> None:
    xgb = {"n_estimators": 25, "max_depth": 4, "random_state": 0, "n_jobs": 1}
    add("XGBoost", "binary", LATE, lambda: table(xgboost.XGBClassifier(**xgb)), "scaled, one-hot")
    add(
        "XGBoost",
        "binary",
        LATE,
        lambda: xgboost.XGBClassifier(enable_categorical=True, **xgb),
        "native categories, missing values",
        table="pandas categories",
    )
    add(
        "XGBoost",
        "binary",
        LATE,
        lambda: xgboost.XGBClassifier(**xgb),
        "numbers, missing values",
        inputs=NUMBERS,
        table="numpy",
    )
    add("XGBoost", "multiclass", ("band_code",), lambda: table(xgboost.XGBClassifier(**xgb)), "scaled, one-hot")
    add("XGBoost", "regression", DELAY, lambda: table(xgboost.XGBRegressor(**xgb)), "scaled, one-hot")
    add("XGBoost", "regression", ("delay", "departure"), lambda: table(xgboost.XGBRegressor(**xgb)), "two outputs")
    lgb = {"n_estimators": 25, "num_leaves": 8, "random_state": 0, "n_jobs": 1, "verbose": -1}
    add("LightGBM", "binary", LATE, lambda: table(lightgbm.LGBMClassifier(**lgb)), "scaled, one-hot")
    add(
        "LightGBM",
        "binary",
        LATE,
        lambda: lightgbm.LGBMClassifier(**lgb),
        "native categories, missing values",
        table="pandas categories",
    )
    add(
        "LightGBM",
        "multiclass",
        BAND,
        lambda: lightgbm.LGBMClassifier(**lgb),
        "native categories, missing values",
        table="pandas categories",
    )
    add("LightGBM", "regression", DELAY, lambda: table(lightgbm.LGBMRegressor(**lgb)), "scaled, one-hot")
    cat = {
        "iterations": 25,
        "depth": 4,
        "random_seed": 0,
        "thread_count": 1,
        "verbose": False,
        "allow_writing_files": False,
    }
    add("CatBoost", "binary", LATE, lambda: table(catboost.CatBoostClassifier(**cat)), "scaled, one-hot")
    add(
        "CatBoost",
        "binary",
        LATE,
        lambda: catboost.CatBoostClassifier(cat_features=list(TEXTS), one_hot_max_size=200, **cat),
        "native categories, missing values",
        table="pandas",
        not_null=TEXTS,
    )
    add("CatBoost", "multiclass", BAND, lambda: table(catboost.CatBoostClassifier(**cat)), "scaled, one-hot")
    add("CatBoost", "regression", DELAY, lambda: table(catboost.CatBoostRegressor(**cat)), "scaled, one-hot")
