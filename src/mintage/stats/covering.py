"""Rows in which every two columns show every two of their levels together: an orthogonal array of strength two. Pure.

Bose's construction over the numbers modulo a prime: each column is a point of the projective plane (or space), each row
a vector, and the level their product. Any two different points meet in each pair of levels equally often, so nothing is
searched and nothing left to chance. With 7 levels 49 rows do for 8 columns, 343 for 57, 2,401 for 400.

>>> pairs = {(one, other) for one, other in covering_rows(columns=3, prime=3)[:, :2].tolist()}
>>> len(covering_rows(columns=3, prime=3)), len(pairs)
(9, 9)
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["covering_rows"]


def covering_rows(*, columns: int, prime: int) -> NDArray[np.int64]:
    """Levels [rows, columns] from 0 to ``prime`` - 1."""
    size = 2
    while (prime**size - 1) // (prime - 1) < columns:
        size += 1
    points = [_point for _point in product(range(prime), repeat=size) if _is_leading_one(_point)][:columns]
    vectors = np.array(list(product(range(prime), repeat=size)), dtype=np.int64)
    return np.asarray(vectors @ np.array(points, dtype=np.int64).T % prime, dtype=np.int64)


def _is_leading_one(point: tuple[int, ...]) -> bool:
    """Of the multiples of a point the one whose first number beside zeros is 1."""
    return next((number for number in point if number), 0) == 1
