"""Rows as they come when something is a little wrong: numbers with noise, texts swapped, values lost. Pure.

Noise is normal, its spread a share of the distance between the quartiles of training; texts are exchanged for another
row's with that share as probability. Whole numbers stay whole, missing stays missing, ends of a declared range hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.served import Columns
from mintage.repo.modelfile import InputSpec

__all__ = ["with_missing", "with_noise"]


def with_noise(
    columns: Columns, like: Columns, inputs: Mapping[str, InputSpec], *, share: float, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """All columns with noise of ``share``; ``like`` are the rows of training."""
    found = {}
    for name in sorted(columns):
        column, declared = columns[name], inputs.get(name)
        if column.dtype.kind == "O":
            swapped = rng.random(len(column)) < share
            found[name] = np.where(swapped, rng.permutation(column), column)
        else:
            found[name] = _noisy(column, like[name], declared, share, rng)
    return found


def _noisy(
    column: NDArray[Any], like: NDArray[Any], declared: InputSpec | None, share: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    inside = like[np.isfinite(like)]
    spread = float(np.subtract(*np.quantile(inside, [0.75, 0.25]))) if len(inside) else 0.0
    noisy = column + rng.normal(size=len(column)) * share * spread
    if (inside == np.round(inside)).all() or (declared is not None and declared.type == "int"):
        noisy = np.round(noisy)
    # the declared domain holds; a value that was outside stays where it was
    least, most = (declared.range if declared is not None else None) or (None, None)
    low, high = -np.inf if least is None else least, np.inf if most is None else most
    return np.asarray(np.clip(noisy, np.minimum(column, low), np.maximum(column, high)), dtype=np.float64)


def with_missing(columns: Columns, names: list[str], *, share: float, rng: np.random.Generator) -> dict[str, Any]:
    """The columns ``names`` with ``share`` of their values lost, completely at random."""
    found = dict(columns)
    for name in names:
        lost = rng.random(len(columns[name])) < share
        nothing: Any = None if columns[name].dtype.kind == "O" else np.nan
        found[name] = np.where(lost, nothing, columns[name])
    return found
