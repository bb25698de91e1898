"""What the parts of an estimator were fitted on that a plain table does not say: columns of categories.

XGBoost, LightGBM and scikit-learn's histogram boosting take pandas' own categories, CatBoost texts and integers. Which
columns of the estimator's table were such is found from the fitted parts, by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from .bare import BareBooster
from .writer import is_nan

__all__ = ["Natives", "natives_of"]

MAX_DEPTH = 12
LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")


@dataclass
class Natives:
    """``categories`` are the fitted ones of columns of pandas' categories; ``integers`` are columns of whole numbers.

    ``names`` are the columns in the order in which a part was fitted that does not tell the estimator; None if no part
    is such. ``boosted`` says that a part is of one of the three libraries.
    """

    categories: dict[str, list[Any]] = field(default_factory=dict)
    integers: set[str] = field(default_factory=set)
    names: list[str] | None = None
    boosted: bool = False


def natives_of(estimator: Any, meta: list[dict[str, str]]) -> Natives:
    """Walk the estimator's parts; ``meta`` are the declared columns."""
    found = Natives()
    for part in _parts(estimator, 0, set()):
        kind = f"{type(part).__module__}.{type(part).__qualname__}"
        if kind == "xgboost.core.Booster":
            found.boosted = True
            _note(found, meta, _xgboost(part))
        elif kind == "lightgbm.basic.Booster":
            found.boosted = True
            _note(found, meta, _lightgbm(part, meta))
        elif kind.startswith("catboost.core.CatBoost") and part.is_fitted():
            found.boosted = True
            _catboost(found, meta, part)
        elif kind.startswith("sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoosting"):
            _note(found, meta, _histogram(part))
    return found


def _parts(item: Any, depth: int, seen: set[int]) -> Iterator[Any]:
    if depth > MAX_DEPTH or id(item) in seen:
        return
    if isinstance(item, BareBooster):
        yield item.booster
    elif isinstance(item, list | tuple | dict):
        for part in item.values() if isinstance(item, dict) else item:
            if not isinstance(part, str | float | int | None):
                yield from _parts(part, depth + 1, seen)
    elif type(item).__module__.partition(".")[0] in LIBRARIES and not isinstance(item, type):
        seen.add(id(item))
        yield item
        yield from _parts(dict(getattr(item, "__dict__", {})), depth + 1, seen)


def _note(found: Natives, meta: list[dict[str, str]], mine: dict[str, list[Any]]) -> None:
    """By the columns' own names, or by those that a transformer put its name before."""
    declared = {column["name"] for column in meta}
    for name, values in mine.items():
        for known in (name, name.partition("__")[2]):
            if known in declared:
                found.categories.setdefault(known, values)
                break


def _xgboost(booster: Any) -> dict[str, list[Any]]:
    learner = json.loads(booster.save_raw(raw_format="json"))["learner"]
    inner = learner["gradient_booster"]
    encodings = inner.get("gbtree", inner).get("model", {}).get("cats", {}).get("enc", [])
    found = {}
    for name, encoding in zip(learner["feature_names"], encodings, strict=False):
        if encoding["values"]:
            found[name] = _dictionary(encoding)
    return found


def _dictionary(encoding: dict[str, Any]) -> list[Any]:
    """Texts are laid end to end as bytes, with where each begins."""
    if "offsets" not in encoding:
        return list(encoding["values"])
    data, ends = bytes(value % 256 for value in encoding["values"]), encoding["offsets"]
    return [data[start:end].decode() for start, end in pairwise(ends)]


def _lightgbm(booster: Any, meta: list[dict[str, str]]) -> dict[str, list[Any]]:
    """It keeps the categories of its columns of categories, but not which these were: texts, and those with codes."""
    known = booster.pandas_categorical
    if not known:
        return {}
    names = booster.feature_name()
    text = {column["name"] for column in meta if column["kind"] == "text"}
    lines = booster.model_to_string(num_iteration=1).splitlines()
    infos = next(line for line in lines if line.startswith("feature_infos=")).partition("=")[2].split(" ")
    coded = [name in text or ("[" not in info and info != "none") for name, info in zip(names, infos, strict=True)]
    chosen = [name for name, is_coded in zip(names, coded, strict=True) if is_coded]
    return dict(zip(chosen, known, strict=True)) if len(chosen) == len(known) else {}


def _histogram(part: Any) -> dict[str, list[Any]]:
    flags, names = getattr(part, "is_categorical_", None), getattr(part, "feature_names_in_", None)
    inner = getattr(part, "_preprocessor", None)
    if flags is None or names is None or inner is None or part.categorical_features != "from_dtype":
        return {}
    encoder = inner.named_transformers_["encoder"]
    chosen = np.asarray(names)[np.asarray(flags, dtype=bool)].tolist()
    if any(value is None for values in encoder.categories_ for value in values.tolist()):
        return {}  # fitted on polars, where a missing text is None, which is a category like any other; texts will do
    return {
        str(name): [value for value in values.tolist() if isinstance(value, str) or not is_nan(value)]
        for name, values in zip(chosen, encoder.categories_, strict=True)
    }


def _catboost(found: Natives, meta: list[dict[str, str]], part: Any) -> None:
    names = [str(name) for name in part.feature_names_]
    declared = [column["name"] for column in meta]
    if names == [str(place) for place in range(len(names))] and len(names) == len(declared):
        names = declared
    elif set(names) <= set(declared):
        found.names = names
    kinds = {column["name"]: column["kind"] for column in meta}
    for place in part.get_cat_feature_indices():
        if kinds.get(names[place]) == "number":
            found.integers.add(names[place])
