"""Find between which numbers an estimator takes a column, if what it makes of it must fit in a float32.

scikit-learn's own trees cast their features to float32, and refuse rows where one becomes infinite. Where that is in a
raw column depends on the transformers in front of them, which are monotone; so the ends are found by bisection, to the
last bit, on the graph of the features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mintage.lower.columns import MISSING_TEXT
from mintage.lower.estimator import Lowered
from mintage.model.doubles import as_order, from_order
from mintage.model.runtime import load_session

__all__ = ["find_limits"]

Array = np.ndarray[Any, Any]
_END = float(np.finfo(np.float64).max)


def find_limits(lowered: Lowered, columns: Mapping[str, Array]) -> dict[str, tuple[float, float]]:
    """By column, the least and the largest number that the estimator takes; columns of which it takes all are absent.

    ``columns`` are rows of it, float64 or objects of str or None; the first row stands in for the other columns.
    """
    if lowered.probe is None:
        return {}
    session = load_session(lowered.probe)
    taken = [item.name for item in session.get_inputs()]
    first = {name: _tensor(columns[name][:1]) for name in taken}
    found = {}
    for name in taken:
        features = [
            at
            for at, (source, single, rounded) in enumerate(
                zip(lowered.sources, lowered.single, lowered.rounded, strict=True)
            )
            if single and (source == name or rounded)  # what is rounded may come from several columns
        ]
        if columns[name].dtype.kind == "O" or not features:
            continue

        def fits(value: float, name: str = name, features: list[int] = features) -> bool:
            made = session.run(None, {**first, name: np.array([[value]])})[0]
            return not np.isinf(made[0, features]).any()

        finite = columns[name][np.isfinite(columns[name])]
        start = float(finite[0]) if len(finite) else 0.0
        ends = (_last(fits, start, -_END), _last(fits, start, _END))
        if ends != (-_END, _END):
            found[name] = ends
    return found


def _last(fits: Callable[[float], bool], start: float, end: float) -> float:
    """The last double on the way from ``start``, which fits, to ``end`` that fits too."""
    if fits(end):
        return end
    good, bad = as_order(np.array([start, end])).tolist()
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        if fits(from_order(np.array([middle])).item()):
            good = middle
        else:
            bad = middle
    return float(from_order(np.array([good])).item())


def _tensor(column: Array) -> Array:
    if column.dtype.kind == "O":
        column = np.array([MISSING_TEXT if value is None else value for value in column.tolist()], dtype=object)
    return column.reshape(-1, 1)
