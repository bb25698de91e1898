"""A bare model of XGBoost, LightGBM or CatBoost: saved in its library's own format, or a booster within a pickle.

Its objective says what its numbers are: probabilities of the classes 0, 1, … or values. Of CatBoost the file also has
the classes. Where the objective says neither (ranking, margins, one of the user's own) it is refused. A booster is
written down as the scikit-learn estimator of its library would be, which need not be installed.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .refused import Refused

__all__ = ["BareBooster", "bare_library", "open_bare", "wrap_bare"]

HEAD = 32
XGBOOST_ERRORS = ("absoluteerror", "pseudohubererror", "quantileerror", "squarederror", "squaredlogerror")
CATBOOST_ERRORS = (
    "Expectile",
    "Huber",
    "LogCosh",
    "Lq",
    "MAE",
    "MAPE",
    "MultiQuantile",
    "MultiRMSE",
    "Quantile",
    "RMSE",
)
LIGHTGBM_ERRORS = ("fair", "huber", "mape", "quantile", "regression", "regression_l1")
NUMBERS = {
    "xgboost": (*(f"reg:{name}" for name in (*XGBOOST_ERRORS, "logistic", "gamma", "tweedie")), "count:poisson"),
    "lightgbm": (*LIGHTGBM_ERRORS, "poisson", "gamma", "tweedie", "cross_entropy"),
    "catboost": (*CATBOOST_ERRORS, "Poisson", "Tweedie"),
}
CLASSES = {
    "xgboost": ("binary:logistic", "multi:softprob", "multi:softmax"),
    "lightgbm": ("binary", "multiclass", "multiclassova"),
    "catboost": ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"),
}
WRITTEN_AS = {
    ("xgboost", True): "xgboost.sklearn.XGBClassifier",
    ("xgboost", False): "xgboost.sklearn.XGBRegressor",
    ("lightgbm", True): "lightgbm.sklearn.LGBMClassifier",
    ("lightgbm", False): "lightgbm.sklearn.LGBMRegressor",
}
INSTEAD = {
    "xgboost": "XGBClassifier or XGBRegressor",
    "lightgbm": "LGBMClassifier or LGBMRegressor",
    "catboost": "CatBoostClassifier or CatBoostRegressor",
}


class BareBooster:
    """A booster with the face of an estimator; ``predict`` gives numbers, of a classifier the likeliest class."""

    def __init__(self, library: str, booster: Any, objective: str, names: list[str] | None, count: int) -> None:
        self.library, self.booster, self.objective = library, booster, objective
        self.n_features_in_ = count
        self.is_linear = False
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    @property
    def written_as(self) -> str:
        """The type whose description this one's is."""
        return WRITTEN_AS[self.library, hasattr(self, "classes_")]

    @property
    def opened_as(self) -> str:
        """The booster's own type."""
        return f"{type(self.booster).__module__}.{type(self.booster).__qualname__}"

    def fields(self) -> dict[str, Any]:
        """What is written of it."""
        if self.library == "xgboost":
            return {"_Booster": self.booster, "objective": self.objective, "missing": float("nan")}
        return {"_Booster": self.booster, "#decides": False}

    def numbers(self, rows: Any) -> Any:
        """The booster's answers, of the best round if it was stopped early."""
        if not hasattr(rows, "iloc") and hasattr(rows, "to_numpy"):
            rows = rows.to_numpy()
        if self.library == "lightgbm":
            return self.booster.predict(rows)
        best = self.booster.attr("best_iteration")
        rounds = (0, 0) if best is None else (0, int(best) + 1)
        if not self.is_linear:  # as XGBClassifier does, which takes infinities so
            return self.booster.inplace_predict(rows, iteration_range=rounds, validate_features=False)
        import xgboost  # type: ignore[import-not-found,import-untyped,unused-ignore]

        table = xgboost.DMatrix(rows, feature_names=self.booster.feature_names)
        return self.booster.predict(table, iteration_range=rounds)

    def predict(self, rows: Any) -> Any:
        """Numbers."""
        return self.numbers(rows)


class BareClassifier(BareBooster):
    """A booster whose numbers are probabilities of the classes 0, 1, …"""

    def __init__(self, *parts: Any, width: int) -> None:
        super().__init__(*parts)
        self.classes_ = np.arange(width)

    def predict_proba(self, rows: Any) -> Any:
        """Probabilities of all classes."""
        found = np.asarray(self.numbers(rows))
        return np.stack([1.0 - found, found], axis=1) if found.ndim == 1 else found

    def predict(self, rows: Any) -> Any:
        """The likeliest class."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


def bare_library(path: Path) -> str | None:
    """The library in whose own format the file is; None if it is in none."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if head[:1] == b"{" and b"learner" in head:
        return "xgboost"
    if head.startswith(b"tree\nversion="):
        return "lightgbm"
    return "catboost" if head.startswith(b"CBM1") else None


def open_bare(path: Path, library: str) -> Any:
    """Open a file of that library."""
    try:
        if library == "xgboost":
            import xgboost

            booster: Any = xgboost.Booster()
            booster.load_model(str(path))
        elif library == "lightgbm":
            import lightgbm  # type: ignore[import-not-found,import-untyped,unused-ignore]

            booster = lightgbm.Booster(model_file=str(path))
        else:
            import catboost  # type: ignore[import-not-found,import-untyped,unused-ignore]

            booster = catboost.CatBoost().load_model(str(path))
    except ImportError as error:
        raise Refused(f"{library}, which saved the file, is not in this environment: {error}") from error
    except Exception as error:
        raise Refused(f"{library} cannot open the file: {type(error).__name__}: {error}"[:500]) from error
    return wrap_bare(booster)


def wrap_bare(item: Any) -> Any:
    """An estimator for a bare booster; any other object as it is."""
    name = f"{type(item).__module__}.{type(item).__qualname__}"
    if name == "xgboost.core.Booster":
        return _xgboost(item)
    if name == "lightgbm.basic.Booster":
        return _lightgbm(item)
    return _catboost(item) if name == "catboost.core.CatBoost" else item


def _xgboost(booster: Any) -> BareBooster:
    learner = json.loads(booster.save_config())["learner"]
    objective, parameters = str(learner["objective"]["name"]), learner["learner_model_param"]
    is_classifier = _is_classifier("xgboost", objective)
    names = booster.feature_names
    parts = ("xgboost", booster, objective, _own_names(names), int(booster.num_features()))
    if not is_classifier:
        return _with_form(BareBooster(*parts), learner)
    if int(parameters.get("num_target", "1")) > 1:
        raise Refused("a bare xgboost model of several labels a row is not taken; save the XGBClassifier with joblib")
    if objective == "multi:softmax":  # which would answer with labels alone
        booster.set_param({"objective": "multi:softprob"})
    return _with_form(BareClassifier(*parts, width=max(2, int(parameters.get("num_class", "0")))), learner)


def _with_form(model: BareBooster, learner: dict[str, Any]) -> BareBooster:
    model.is_linear = learner["gradient_booster"]["name"] == "gblinear"
    return model


def _lightgbm(booster: Any) -> BareBooster:
    lines = booster.model_to_string(num_iteration=1).splitlines()
    found = next((line for line in lines if line.startswith("objective=")), "objective=")
    objective = found.partition("=")[2].split(" ")[0]
    is_classifier = _is_classifier("lightgbm", objective)
    parts = ("lightgbm", booster, objective, _own_names(booster.feature_name()), int(booster.num_feature()))
    if not is_classifier:
        return BareBooster(*parts)
    return BareClassifier(*parts, width=max(2, int(booster.num_model_per_iteration())))


def _catboost(model: Any) -> Any:
    """Its own classifier or regressor, which its file can be loaded into."""
    import catboost

    loss = str(model.get_all_params().get("loss_function", "")).partition(":")[0] if model.is_fitted() else ""
    kind = catboost.CatBoostClassifier if _is_classifier("catboost", loss) else catboost.CatBoostRegressor
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = str(Path(folder) / "model.cbm")
        model.save_model(path)
        return kind().load_model(path)


def _is_classifier(library: str, objective: str) -> bool:
    if objective in CLASSES[library]:
        return True
    if objective in NUMBERS[library]:
        return False
    raise Refused(
        f"the bare {library} model does not say what its numbers are: its objective is {objective or 'not in it'}; fit "
        f"it as {INSTEAD[library]}, and save that with joblib.dump"
    )


def _own_names(names: Any) -> list[str] | None:
    """The columns' names; None if they only count the columns."""
    found = None if names is None else [str(name) for name in names]
    if found is None or all(name in (f"f{place}", f"Column_{place}") for place, name in enumerate(found)):
        return None
    return found
