"""The model is asked about rows that no split has, each row once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.served import Columns, Served


def columns(a: list[float], kind: list[str | None]) -> dict[str, NDArray[Any]]:
    return {"a": np.array(a), "kind": np.array(kind, dtype=object)}


def model(calls: list[int]) -> Served:
    def predict(rows: Columns) -> Answers:
        calls.append(len(rows["a"]))
        extra = np.array([1.0 if value == "x" else 0.0 for value in rows["kind"]])
        return Answers(task="regression", values=np.nan_to_num(rows["a"]) + extra)

    return Served(predict)


def test_each_different_row_is_computed_once_in_the_order_of_the_rows() -> None:
    calls: list[int] = []
    served = model(calls)
    rows = columns([1.0, np.nan, 1.0, 1.0], ["x", None, "x", "y"])
    assert served.ask(rows).values.tolist() == [2.0, 0.0, 2.0, 1.0]
    assert served.ask(columns([5.0, np.nan], ["x", None])).values.tolist() == [6.0, 0.0]
    assert served.ask(rows).values.tolist() == [2.0, 0.0, 2.0, 1.0]
    assert calls == [3, 1]


def test_rows_of_a_split_are_remembered_and_a_new_computation_is_one() -> None:
    calls: list[int] = []
    served = model(calls)
    rows = columns([1.0, 2.0, 1.0], ["x", "x", "x"])
    served.remember(rows, Answers(task="regression", values=np.array([2.0, 3.0, 2.0])))
    assert served.ask(rows).values.tolist() == [2.0, 3.0, 2.0] and calls == []
    assert served.ask_anew(rows).values.tolist() == [2.0, 3.0, 2.0] and calls == [3]


def test_an_integer_and_a_zero_with_a_sign_are_the_same_row() -> None:
    calls: list[int] = []
    served = model(calls)
    served.ask({"a": np.array([0.0]), "kind": np.array([None], dtype=object)})
    served.ask({"a": np.array([-0.0]), "kind": np.array([None], dtype=object)})
    served.ask({"a": np.array([0]), "kind": np.array([None], dtype=object)})
    assert calls == [1]
