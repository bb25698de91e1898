"""Folds of rows: each row's answer comes from rows of other folds, and rows of one group stay together.

>>> folds = fold_of(np.array(["a", "b", "a", "c"]), rows=4, count=3, seed=1)
>>> bool(folds[0] == folds[2]), sorted(set(folds.tolist()))
(True, [0, 1, 2])
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold_of"]


def fold_of(groups: NDArray[Any] | None, *, rows: int, count: int, seed: int) -> NDArray[np.intp]:
    """The fold of each row, 0 to below ``count``; groups, or rows without them, are dealt out in a random order."""
    codes = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    units = int(codes.max()) + 1 if rows else 0
    dealt = np.random.default_rng(seed).permutation(units) % count
    return np.asarray(dealt[codes], dtype=np.intp)
