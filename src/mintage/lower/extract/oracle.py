"""A second opinion: treelite reads the fitted trees from the library's own objects, and answers the rows with them.

The steps in front of the trees are the library's own. treelite shares no code with the lowering, nor with onnxruntime.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .bare import BareBooster
from .face import Face

__all__ = ["NoOracle", "oracle_answers"]


class NoOracle(Exception):
    """treelite cannot answer for this estimator; the message says why."""


def oracle_answers(estimator: Any, rows: Any, face: Face) -> tuple[Any, str]:
    """``values`` float64 [rows, W] by treelite, and its name and version; raises NoOracle."""
    try:
        import treelite  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise NoOracle("treelite is not in the estimator's environment: pip install treelite") from error
    last, features = estimator, rows
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, list):
        last = steps[-1][1]
        features = estimator[:-1].transform(rows) if len(steps) > 1 else rows
    try:
        model, single = _import(treelite, last)
        rounds = _library(last) == "xgboost"
        taken = np.asarray(features.toarray() if hasattr(features, "toarray") else features, dtype=np.float64)
        found = _predict(treelite, model, taken.astype(np.float32) if single else taken, rounds=rounds)
    except NoOracle:
        raise
    except Exception as error:
        raise NoOracle(f"treelite does not take it: {type(error).__name__}: {error}"[:400]) from error
    values = np.asarray(found, dtype=np.float64).reshape(len(taken), -1)
    if face.task == "classifier" and len(face.classes) == 1 and values.shape[1] == 1 and len(face.classes[0]) == 2:
        values = np.concatenate([1.0 - values, values], axis=1)
    return values, f"treelite {treelite.__version__}"


def _predict(treelite: Any, model: Any, features: Any, *, rounds: bool) -> Any:
    """treelite's answers. Its softmax rounds to float32: where the library's does not, it is done here, on the sums."""
    if model.get_header_accessor().get_field("postprocessor") != "softmax" or rounds:
        return treelite.gtil.predict(model, features, nthread=1)
    raw = np.asarray(treelite.gtil.predict(model, features, nthread=1, pred_margin=True), dtype=np.float64)
    raw = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return raw / raw.sum(axis=-1, keepdims=True)


def _library(last: Any) -> str:
    return last.library if isinstance(last, BareBooster) else type(last).__module__.partition(".")[0]


def _import(treelite: Any, last: Any) -> tuple[Any, bool]:
    """treelite's model of the last step, and whether its features are float32."""
    library, bare = _library(last), isinstance(last, BareBooster)
    if library == "xgboost":
        return treelite.frontend.from_xgboost(last.booster if bare else last.get_booster()), True
    if library == "lightgbm":
        return treelite.frontend.from_lightgbm(last.booster if bare else last.booster_), False
    if library == "sklearn":
        return treelite.sklearn.import_model(last), "HistGradientBoosting" not in type(last).__name__
    raise NoOracle(f"treelite reads no {type(last).__name__}")
