"""What XGBoost, LightGBM and CatBoost say of a fitted model: their own text formats, as bytes for the npz.

Their models live in compiled objects without attributes. ``booster_state`` gives such an object the fields that its
description shall have; it is None for anything else. No library is imported here: what is asked is already loaded.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .refused import Refused

__all__ = ["booster_state", "integer_text", "label_count"]

XGBOOST, LIGHTGBM = "xgboost.core.Booster", "lightgbm.basic.Booster"
LGBM_CLASSIFIER = "lightgbm.sklearn.LGBMClassifier"
XGB_CLASSIFIER = "xgboost.sklearn.XGBClassifier"
CATBOOST = frozenset(("catboost.core.CatBoostClassifier", "catboost.core.CatBoostRegressor"))


def booster_state(item: Any, name: str, texts: Mapping[str, set[str]]) -> dict[str, Any] | None:
    """The fields of an object of the type ``name``.

    CatBoost keeps hashes of its categories instead of them; ``texts`` are those whose hashes are written down, by the
    column that has them, and without a name those that any may have.
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
    if name in CATBOOST and item.is_fitted():
        return _catboost(item, texts)
    return None


def label_count(item: Any) -> int:
    """How many labels a row may have together; 1 of anything but an XGBClassifier that was fitted on several."""
    if f"{type(item).__module__}.{type(item).__qualname__}" != XGB_CLASSIFIER:
        return 1
    learner = json.loads(item.get_booster().save_config())["learner"]
    return int(learner["learner_model_param"].get("num_target", "1"))


def integer_text(value: float) -> str | None:
    """The text that CatBoost hashes for a whole number."""
    return str(int(value)) if np.isfinite(value) and value == int(value) else None


def _catboost(item: Any, texts: Mapping[str, set[str]]) -> dict[str, Any]:
    if item.get_text_feature_indices() or item.get_embedding_feature_indices():
        raise Refused("CatBoost with text or embedding features has no exact lowering; encode them before")
    names, places = [str(name) for name in item.feature_names_], item.get_cat_feature_indices()
    every = set().union(*texts.values())
    known = [sorted(texts[names[at]] | texts.get("", set()) if names[at] in texts else every) for at in places]
    model = _catboost_json(item, names, dict(zip(places, known, strict=True)))
    hashes = {pair["value"]: int(pair["hash"]) for pair in model["features_info"].pop("cat_features_hash", ())}
    loss = model.pop("model_info")["params"]["loss_function"]["type"]
    return {
        "#json": _bytes(model),
        "loss": loss,
        "classes_": np.asarray(getattr(item, "classes_", ())),
        "features": len(names),
        "texts": known,
        "hashes": [np.array([hashes[text] for text in found], dtype=np.int64) for found in known],
    }


def _catboost_json(item: Any, names: list[str], known: dict[int, list[str]]) -> Any:
    """The library's own JSON. It writes down the hashes of the texts in the rows that it is given."""
    table = np.zeros((max(map(len, known.values()), default=0) or 1, len(names)), dtype=object)
    for place, found in known.items():
        table[:, place] = [*found, *[found[0] if found else "0"] * (len(table) - len(found))]
    pool = sys.modules["catboost"].Pool(table, cat_features=list(known), feature_names=names) if known else None
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        path = Path(folder) / "model.json"
        item.save_model(str(path), format="json", pool=pool)
        return json.loads(path.read_bytes())


def _bytes(value: Any) -> Any:
    return np.frombuffer(json.dumps(value, sort_keys=True).encode(), dtype=np.uint8)
