"""What an estimator takes and gives, without describing its parts: names, number of columns, task, classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .bare import BareBooster
from .face import face_of
from .natives import natives_of
from .writer import type_name

__all__ = ["glance_at"]


def glance_at(estimator: Any, meta: list[dict[str, str]]) -> dict[str, Any]:
    """The glance as it is written; ``meta`` are columns that there are, of which it may take some. Raises Refused."""
    task, classes = _given(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = natives_of(estimator, meta).names
    if names is None:
        names = getattr(estimator, "feature_names_", None)
    width = None if names is None else len(names)
    if names is not None and all(str(name) in (str(place), f"Column_{place}") for place, name in enumerate(names)):
        names = None  # CatBoost and LightGBM number the columns that have no names
    count = getattr(estimator, "n_features_in_", None)
    texts = None if names is None else [str(name) for name in names]
    return {
        "kind": "estimator-glance",
        "version": 0,
        "estimator": estimator.opened_as if isinstance(estimator, BareBooster) else type_name(type(estimator)),
        "task": task,
        "classes": [[_plain(value) for value in part] for part in classes],
        "names": texts,
        "count": width if width is not None else None if count is None else int(count),
    }


def _given(estimator: Any) -> tuple[str, tuple[tuple[Any, ...], ...]]:
    """Task and classes; what only changes columns is a transformer."""
    if hasattr(estimator, "transform") and not hasattr(estimator, "predict"):
        return "transformer", ()
    face = face_of(estimator)
    return face.task, face.classes


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
