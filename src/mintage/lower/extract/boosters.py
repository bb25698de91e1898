"""What XGBoost, LightGBM and CatBoost say of a fitted model: their own text formats, as bytes for the npz.

Their models live in compiled objects without attributes. ``booster_state`` gives such an object the fields that its
description shall have; it is None for anything else. No library is imported here: what is asked is already loaded.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .refused import Refused

__all__ = ["booster_state", "integer_text"]

XGBOOST, LIGHTGBM = "xgboost.core.Booster", "lightgbm.basic.Booster"
LGBM_CLASSIFIER = "lightgbm.sklearn.LGBMClassifier"
CATBOOST = frozenset(("catboost.core.CatBoostClassifier", "catboost.core.CatBoostRegressor"))


def booster_state(item: Any, name: str, texts: Iterable[str]) -> dict[str, Any] | None:
    """The fields of an object of the type ``name``.

    CatBoost keeps hashes of its categories instead of them; ``texts`` are those whose hashes are written down.
    """
    if name == XGBOOST:
        return {"#json": _bytes(json.loads(item.save_raw(raw_format="json"))["learner"])}
    if name == LIGHTGBM:
        text = item.model_to_string().partition("\nparameters:\n")[0]  # its best iteration, if it stopped early
        return {
            "#text": np.frombuffer(text.encode(), dtype=np.uint8),
            "pandas_categorical": item.pandas_categorical,
        }
    if name == LGBM_CLASSIFIER:
        return {**item.__dict__, "#decides": hasattr(item, "decision_function")}  # from version 4.7 on
    if name in CATBOOST:
        return _catboost(item, texts)
    return None


def integer_text(value: float) -> str | None:
    """The text that CatBoost hashes for a whole number."""
    return str(int(value)) if np.isfinite(value) and value == int(value) else None


def _catboost(item: Any, texts: Iterable[str]) -> dict[str, Any]:
    if item.get_text_feature_indices() or item.get_embedding_feature_indices():
        raise Refused(
            "CatBoost with text or embedding features has no exact lowering; drop them, or encode them before"
        )
    known = item.get_cat_feature_indices()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "model.json"
        item.save_model(str(path), format="json", pool=_pool(item, known, sorted(set(texts))) if known else None)
        model = json.loads(path.read_bytes())
    features = model["features_info"]
    features["cat_features_hash"] = sorted(
        ([int(pair["hash"]), pair["value"]] for pair in features.get("cat_features_hash", ())), key=lambda pair: pair[1]
    )
    parameters = model.pop("model_info")["params"]
    model["loss"] = parameters["loss_function"]["type"]
    return {"#json": _bytes(model), "classes_": np.asarray(getattr(item, "classes_", ())), "width": len(_names(item))}


def _pool(item: Any, known: list[int], texts: list[str]) -> Any:
    """Rows of the texts, from which the library writes down their hashes."""
    table = np.zeros((max(1, len(texts)), len(_names(item))), dtype=object)
    for place in known:
        table[:, place] = texts or ["0"]
    return sys.modules["catboost"].Pool(table, cat_features=known, feature_names=_names(item))


def _names(item: Any) -> list[str]:
    return [str(name) for name in item.feature_names_]


def _bytes(value: Any) -> Any:
    return np.frombuffer(json.dumps(value, sort_keys=True).encode(), dtype=np.uint8)
