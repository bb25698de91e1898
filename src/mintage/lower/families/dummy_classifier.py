"""DummyClassifier: the same probabilities for every row, of the strategies that use no chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.families.dummy_regressor import same_for_all

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("n_outputs_") != 1:
        step.refuse("with several targets has no exact lowering")
    found = _shares(step)
    return same_for_all(step, found[1:] if len(found) == 2 else found, columns, context)


def _shares(step: Step) -> np.ndarray[Any, np.dtype[np.float64]]:
    strategy, prior = step.get("strategy"), step.numbers("class_prior_").ravel()
    if strategy == "prior":
        return prior
    if strategy == "most_frequent":
        chosen = np.arange(len(prior)) == np.argmax(prior)
    elif strategy == "constant":
        chosen = np.asarray(step.get("classes_")) == np.asarray(step.get("constant")).ravel()[0]
    else:
        step.refuse(f"with strategy={strategy!r} answers by chance")
    return np.asarray(chosen, dtype=np.float64)


FAMILY = Family(types=("sklearn.dummy.DummyClassifier",), role="classifier", lower=_lower)
