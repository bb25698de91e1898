"""A dict, list or tuple of several things in one file: which of them predicts, and what to save instead.

A dict is taken for the one model in it if what stands beside it cannot change what the model takes: texts, names of
columns, a threshold, figures that are called what figures of quality are called. Numbers of other names may be what
was subtracted or filled in before the fit, so that such a dict is refused; so is any list or tuple.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .refused import Refused

__all__ = ["THRESHOLDS", "split_bundle"]

MOST = 6
THRESHOLDS = ("threshold", "cutoff")
_FIGURES = frozenset(
    (
        *(
            "accuracy",
            "auc",
            "brier",
            "f1",
            "loss",
            "logloss",
            "mae",
            "mape",
            "mse",
            "precision",
            "r2",
            "recall",
            "rmse",
        ),
        *("score", "seed", "random", "version"),
    )
)
_NAMES = frozenset(("columns", "features", "feature", "names", "classes", "labels", "target", "targets"))


def split_bundle(item: Any) -> tuple[Any, dict[str, Any]]:
    """The model in ``item``, and what stands beside it if it is a dict; raises Refused."""
    if not isinstance(item, (dict, list, tuple)):
        return item, {}
    predictors = [key for key, part in _parts(item) if hasattr(part, "predict")]
    if isinstance(item, dict) and len(predictors) == 1:
        beside = {key: part for key, part in item.items() if key != predictors[0]}
        if all(isinstance(key, str) and _is_plain(key, part) for key, part in beside.items()):
            return item[predictors[0]], beside
    _refuse(item)
    return None, {}


def _is_plain(key: str, part: Any) -> bool:
    """Whether it says nothing of how columns are changed before they come to the model."""
    words = set(key.lower().replace("-", "_").split("_"))
    if part is None or isinstance(part, (bool, str)):
        return True
    if isinstance(part, (int, float)):
        return bool((words & set(THRESHOLDS) and 0 < part < 1) or words & _FIGURES)
    if isinstance(part, (list, tuple)):
        return bool(words & _NAMES) and all(isinstance(each, str) for each in part)
    return isinstance(part, dict) and all(
        isinstance(name, str) and isinstance(each, (int, float)) and _is_plain(name, each)
        for name, each in part.items()
    )


def _refuse(item: Any) -> None:
    """Raise Refused with what to save instead."""
    parts = list(_parts(item))
    predictors = [f"saved[{key!r}]" for key, part in parts if hasattr(part, "predict")]
    changers = [f"saved[{key!r}]" for key, part in parts if hasattr(part, "transform") and not hasattr(part, "predict")]
    shown = ", ".join(f"{key} ({type(part).__name__})" for key, part in parts[:MOST])
    what = f"holds a {type(item).__name__} of {shown or 'nothing'}{' …' if len(parts) > MOST else ''}"
    if not predictors:
        raise Refused(f"the file {what}: none of it predicts")
    if len(predictors) > 1:
        raise Refused(f"the file {what}: save each model in a file of its own")
    (model,) = predictors
    if changers:
        steps = ", ".join((*changers, model))
        raise Refused(
            f"the file {what}, and nothing says how they work together: save one Pipeline that takes the table as it "
            f"is, as in joblib.dump(sklearn.pipeline.make_pipeline({steps}), ...), if the model was fitted behind them"
        )
    raise Refused(f"the file {what}: save the model alone, as in joblib.dump({model}, ...), and the rest beside it")


def _parts(item: Any) -> Iterator[tuple[Any, Any]]:
    """Each part with its key or place."""
    pairs = item.items() if isinstance(item, dict) else enumerate(item)
    yield from list(pairs)[:100]
