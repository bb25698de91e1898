"""Predicting: one row and many, what is refused, what is flagged, and tables that become columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.errors import (
    DataError,
    InputMissingError,
    InputNullError,
    InputRangeError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
)
from mintage.model.package import open_package
from mintage.model.runtime import Predictor
from mintage.model.signature import Input
from mintage.model.tables import encode_columns
from mintage.model.validate import column_check


@pytest.fixture(scope="module")
def predictor(made: Any) -> Predictor:
    return open_package(made.built.folder).predictor()


def row(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"city": "city 03", "grade": "a", "amount": 20.0, "ratio": 0.5, "visits": 2.0, **changes}
    kinds = {"city": object, "grade": object}
    return {name: np.array([value], dtype=kinds.get(name)) for name, value in values.items()}


def test_rows_alone_score_as_they_do_together(predictor: Predictor, made: Any) -> None:
    together = predictor.predict(made.columns)
    for place in range(0, 300, 37):
        alone = predictor.predict({name: column[place : place + 1] for name, column in made.columns.items()})
        assert alone.scores[0] == together.scores[place]
        assert alone.labels[0] == together.labels[place]


def test_more_than_a_batch_is_run_in_parts(predictor: Predictor, made: Any) -> None:
    many = {name: np.concatenate([column] * 70) for name, column in made.columns.items()}
    found = predictor.predict(many)
    assert len(found.scores) == 21_000
    assert np.array_equal(found.scores[:300], found.scores[20_700:])


def test_labels_follow_the_declared_threshold(predictor: Predictor, made: Any) -> None:
    found = predictor.predict(made.columns)
    assert np.array_equal(found.labels, (found.scores >= 0.4).astype(np.int64))


def test_unusual_values_are_accepted_and_counted(predictor: Predictor) -> None:
    assert predictor.predict(row()).flags == {}
    assert predictor.predict(row(city="Atlantis", amount=2000.0)).flags == {"city": 1, "amount": 1}
    assert predictor.predict(row(grade=None, amount=np.nan)).flags == {}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"city": None}, InputNullError),
        ({"city": "\ue000missing"}, InputNullError),
        ({"city": 3}, InputTypeError),
        ({"city": "\ud800"}, InputTypeError),
        ({"ratio": np.nan}, InputNullError),
        ({"ratio": None}, InputNullError),
        ({"ratio": np.inf}, InputRangeError),
        ({"amount": -np.inf}, InputRangeError),
        ({"ratio": "0.5"}, InputTypeError),
        ({"ratio": True}, InputTypeError),
        ({"ratio": 1j}, InputTypeError),
        ({"visits": 1.5}, InputTypeError),
        ({"visits": 2**60}, InputTypeError),
    ],
)
def test_what_does_not_fit_is_a_typed_error(
    predictor: Predictor, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        predictor.predict(row(**changes))
    ordinary = row()
    several = {
        name: np.array([ordinary[name].item(), changes.get(name, ordinary[name].item())], dtype=object)
        for name in ordinary
    }
    with pytest.raises(error):
        predictor.predict(several)


def test_other_columns_and_lengths_are_refused_by_name(predictor: Predictor) -> None:
    with pytest.raises(InputMissingError, match="missing") as missing:
        predictor.predict({name: column for name, column in row().items() if name != "grade"})
    assert missing.value.found == "no grade"
    with pytest.raises(InputUnknownError) as unknown:
        predictor.predict({**row(), "shoe": np.zeros(1)})
    assert unknown.value.found == "shoe"
    with pytest.raises(InputShapeError):
        predictor.predict({**row(), "ratio": np.zeros(2)})
    with pytest.raises(InputShapeError):
        predictor.predict({**row(), "ratio": np.zeros((2, 2))})


def test_no_rows_give_no_predictions(predictor: Predictor) -> None:
    empty = {name: column[:0] for name, column in row().items()}
    assert len(predictor.predict(empty).scores) == 0


def test_integers_and_narrow_floats_are_widened(predictor: Predictor) -> None:
    exact = predictor.predict(row())
    widened = row()
    widened["visits"], widened["ratio"] = np.array([2]), np.array([0.5], dtype=np.float32)
    assert predictor.predict(widened).scores[0] == exact.scores[0]


def test_a_closed_input_refuses_what_the_estimator_would() -> None:
    check = column_check(Input(name="grade", datatype="BYTES", categories=("a", "b"), closed=True), "?")
    check(np.array(["a"], dtype=object))
    with pytest.raises(InputRangeError, match="refuses"):
        check(np.array(["z"], dtype=object))
    numbers = column_check(Input(name="code", datatype="FP64", categories=(1.0, 2.0), closed=True), "?")
    with pytest.raises(InputRangeError):
        numbers(np.array([3.0]))


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=4), st.booleans()), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_values_are_accepted_or_refused_with_a_typed_error(values: list[Any]) -> None:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    for item in (
        Input(name="x", datatype="FP64", range=(0.0, None)),
        Input(name="x", datatype="FP64", integer=True, nullable=False),
        Input(name="x", datatype="BYTES", categories=("a",)),
    ):
        try:
            tensor, flagged = column_check(item, "?")(column)
        except DataError:
            continue
        assert tensor.shape == (len(values), 1)
        assert 0 <= flagged <= len(values)
        assert tensor.dtype == (object if item.datatype == "BYTES" else np.float64)


def test_a_table_becomes_columns(predictor: Predictor, made: Any) -> None:
    table = pa.table(
        {
            "extra": [1, 2],
            "city": pa.array(["city 01", "city 02"]).dictionary_encode(),
            "grade": pa.array(["a", None]),
            "amount": pa.array([1.5, None], pa.float32()),
            "ratio": pa.array([1, 2], pa.int32()),
            "visits": pa.array([3, 4], pa.int64()),
        }
    )
    columns = encode_columns(table, predictor.signature)
    assert list(columns) == [item.name for item in predictor.signature.inputs]
    assert columns["grade"].tolist() == ["a", None]
    assert np.isnan(columns["amount"][1])
    assert len(predictor.predict(columns).scores) == 2
    with pytest.raises(InputMissingError):
        encode_columns(table.drop_columns(["city"]), predictor.signature)
    with pytest.raises(InputTypeError):
        encode_columns(table.set_column(4, "ratio", pa.array(["x", "y"])), predictor.signature)
    with pytest.raises(InputTypeError):
        encode_columns(table.set_column(5, "visits", pa.array([2**60 + 1, 1])), predictor.signature)
