"""Weighted sums of columns: what linear classifiers and regressors share."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric

__all__ = ["product", "weighted_sums"]

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def weighted_sums(
    step: Step, columns: list[Column], context: Context, *, names: tuple[str, str] = ("coef_", "intercept_")
) -> tuple[str, int]:
    """The tensor [N, k] of ``columns`` times the step's weights [k, columns] plus its intercept, and k."""
    weights, intercept = step.get(names[0]), step.get(names[1])
    for found in (weights, intercept):
        if isinstance(found, np.ndarray) and found.dtype != np.float64:
            step.refuse(f"was fitted in {found.dtype}, which rounds its weights: fit it on float64")
    weights = np.atleast_2d(step.numbers(names[0]))
    intercept = np.atleast_1d(np.asarray(intercept, dtype=np.float64)).ravel()
    if weights.ndim != 2 or weights.shape[1] != len(columns) or len(intercept) not in (1, len(weights)):
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    raw = product(context, matrix(context.graph, numeric(step, columns)), weights.T)
    return context.graph.add("Add", [raw, context.graph.constant(intercept.reshape(1, -1))]), len(weights)


def product(context: Context, tensor: str, weights: Array) -> str:
    """``tensor`` [N, columns] times ``weights`` [columns, k]."""
    return context.graph.add("MatMul", [tensor, context.graph.constant(np.ascontiguousarray(weights))])
