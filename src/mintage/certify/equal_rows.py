"""Equal rows: which rows of the hold-out are in training too, and which rows of training repeat among each other.

Rows are compared exactly: all input columns, or all of them and the label. Missing equals missing, -0.0 equals 0.0. A
text that training does not have is like no text of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.evidence import Split

__all__ = ["repeated_rows", "row_codes", "shared_rows"]


def row_codes(train: Split, holdout: Split, *, label: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each row of training and of the hold-out a number that is the same exactly where rows are equal; -1 for a row
    of the hold-out that training does not have."""
    known: dict[bytes, int] = {}
    own = [known.setdefault(key, len(known)) for key in _keys(train, holdout, label=label, own=True)]
    asked = [known.get(key, -1) for key in _keys(train, holdout, label=label, own=False)]
    return np.array(own, dtype=np.int64), np.array(asked, dtype=np.int64)


def shared_rows(train: Split, holdout: Split, *, label: bool) -> NDArray[np.bool_]:
    """Which hold-out rows have an equal row in training."""
    return row_codes(train, holdout, label=label)[1] >= 0


def repeated_rows(codes: NDArray[np.int64], groups: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Which rows are equal to another one; with groups, to one of another group.

    >>> repeated_rows(np.array([0, 1, 0, 2, 2]), np.array(["a", "a", "b", "c", "c"])).tolist()
    [True, False, True, False, False]
    """
    if groups is None:
        return np.bincount(codes)[codes] > 1
    group_codes = np.unique(groups, return_inverse=True)[1].reshape(-1)
    pairs = np.unique(np.column_stack([codes, group_codes]), axis=0)
    return np.bincount(pairs[:, 0])[codes] > 1


def _keys(train: Split, holdout: Split, *, label: bool, own: bool) -> list[bytes]:
    columns = [_codes(train.columns, holdout.columns, name, own=own) for name in sorted(train.columns)]
    if label:
        columns.append(_label_codes(train if own else holdout))
    table = np.ascontiguousarray(np.column_stack(columns))
    width = table.shape[1] * table.itemsize
    data = table.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def _label_codes(split: Split) -> NDArray[np.int64]:
    labels = np.asarray(split.labels)
    if split.task != "regression":
        return labels.astype(np.int64)
    return (labels.astype(np.float64) + 0.0).view(np.int64)


def _codes(
    train: Mapping[str, NDArray[Any]], holdout: Mapping[str, NDArray[Any]], name: str, *, own: bool
) -> NDArray[np.int64]:
    """The column as integers that are equal exactly when the values are."""
    column = (train if own else holdout)[name]
    if column.dtype.kind != "O":
        numbers = column.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
        return np.where(np.isnan(numbers), np.nan, numbers).view(np.int64)
    codes = {value: code for code, value in enumerate(sorted({v for v in train[name].tolist() if v is not None}))}
    return np.array([-1 if v is None else codes.get(v, -2) for v in column.tolist()], dtype=np.int64)
