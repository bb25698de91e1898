"""Doubles as integers in the same order, for bisection to the last bit. Pure.

>>> from_order(as_order(np.array([1.5, -0.0]))).tolist()
[1.5, -0.0]
>>> from_order(as_order(np.array([1.0])) + 1).tolist()
[1.0000000000000002]
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_order", "from_order", "middle_above"]

Array = np.ndarray[Any, Any]


def as_order(values: Array) -> Array:
    """int64 in the order of the values, -0.0 just below 0.0; ``from_order`` is its inverse."""
    bits = values.view(np.int64)
    order: Array = bits ^ ((bits >> 63) & np.int64(2**63 - 1))
    return order


def from_order(order: Array) -> Array:
    """The doubles again."""
    values: Array = (order ^ ((order >> 63) & np.int64(2**63 - 1))).view(np.float64)
    return values


def middle_above(low: Array, high: Array) -> Array:
    """The mean of integers, rounded up, without overflow."""
    middle: Array = (low | high) - ((low ^ high) >> 1)
    return middle
