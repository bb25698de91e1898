"""Each operator in C gives what onnxruntime gives: in every type, on odd numbers and texts, in one column or more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT32,
    INT64,
    NUMBERS,
    UINT8,
    Probe,
    assert_near,
    assert_same,
    both,
    pairs,
    texts,
)
from runtime_suite import ODD_TEXTS

from mintage.errors import GraphRefusedError, RuntimeFailedError
from mintage.model.compile.c.program import OPERATORS, compile_c
from mintage.model.program import WIDTHS
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.c import RUNTIME

pytestmark = pytest.mark.skipif(isinstance(RUNTIME.find(), Missing), reason="there is no C compiler: install gcc")
COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
ARITHMETIC = ("Add", "Sub", "Mul", "Div")


def whole(count: int = 60) -> dict[str, Any]:
    """Two columns of whole numbers, none of the second zero."""
    rng = np.random.default_rng(4)
    y = rng.integers(-9, 9, count).astype(float)
    return {
        "x": np.concatenate([rng.integers(-99, 99, count - 4), [2.0**53, -(2.0**53), 0, 1]]),
        "y": np.where(y == 0, 7, y),
    }


def test_every_operator_of_a_model_has_a_translation() -> None:
    assert {operator for domain in WIDTHS.values() for operator in domain} == OPERATORS


def test_comparisons_of_numbers(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind in (DOUBLE, FLOAT):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in COMPARISONS:
            probe.give(probe.add(operator, [x, y]))
            probe.give(probe.add(operator, [y, probe.number(0.1, np.float64 if kind == DOUBLE else np.float32)]))
        probe.give(probe.add("IsNaN", [x]))
        for ends in ({}, {"detect_negative": 0}, {"detect_positive": 0}, {"detect_positive": 0, "detect_negative": 0}):
            probe.give(probe.add("IsInf", [x], **ends))
    assert_same(*both(probe, pairs(), tmp_path))


def test_comparisons_of_integers_and_of_truths(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind in (INT64, INT32):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in COMPARISONS:
            probe.give(probe.add(operator, [x, y]))
    x, y = (probe.add("Greater", [name, probe.number(1.0)]) for name in ("x", "y"))
    for operator in ("And", "Or", "Equal"):
        probe.give(probe.add(operator, [x, y]))
    probe.give(probe.add("Not", [x]))
    probe.give(probe.add("Equal", [probe.as_type("x", UINT8), probe.as_type("y", UINT8)]))
    probe.give_integer(probe.add("Less", [x_of(probe), "y"]))
    assert_same(*both(probe, whole(), tmp_path))


def x_of(probe: Probe) -> str:
    return probe.add("Identity", ["x"])


def test_texts_are_compared_by_their_bytes(tmp_path: Path) -> None:
    probe = Probe(s="text", t="text", x="number")
    probe.give(probe.add("Equal", ["s", "t"]))
    known = [text for text in ODD_TEXTS if len(text) < 9]
    probe.give(probe.add("Equal", ["s", probe.number(known, object)]), width=len(known))
    for text in ("", "é", "a\0b", '??/\\"%'):
        probe.give(probe.add("Equal", ["t", probe.number(text, object)]))
    chosen = probe.add("Where", [probe.add("Less", ["x", probe.number(0.0)]), "s", probe.number("é", object)])
    probe.give(probe.add("Equal", [chosen, "t"]))
    beside = probe.add("Concat", ["t", chosen, "s"], axis=1)
    probe.give(probe.add("Equal", [beside, "s"]), width=3)
    rng = np.random.default_rng(5)
    values = [*ODD_TEXTS, None, "a\0b", "a\0", "\0", "a"]
    rows = {name: texts([values[at] for at in rng.integers(0, len(values), 400)]) for name in ("s", "t")}
    rows["t"][:150] = rows["s"][:150]
    assert_same(*both(probe, {**rows, "x": rng.normal(size=400)}, tmp_path))


def test_arithmetic_of_doubles_and_floats_is_equal_to_the_bit(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind, type_ in ((DOUBLE, np.float64), (FLOAT, np.float32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in ARITHMETIC:
            probe.give(probe.add(operator, [x, y]))
            probe.give(probe.add(operator, [x, probe.number(0.1, type_)]))
            probe.give(probe.add(operator, [probe.number(-1 / 3, type_), y]))
        # a rounding after each step, not one at the end
        chain = probe.add("Add", [probe.add("Mul", [x, y]), probe.number(0.3, type_)])
        probe.give(probe.add("Sub", [probe.add("Div", [chain, y]), x]))
    rng = np.random.default_rng(6)
    rows = {name: np.concatenate([column, rng.lognormal(0, 9, 500)]) for name, column in pairs().items()}
    assert_same(*both(probe, rows, tmp_path))


def test_arithmetic_of_integers_wraps_around(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind, type_ in ((INT64, np.int64), (INT32, np.int32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        largest = probe.number(np.iinfo(type_).max - 3, type_)
        for operator in ARITHMETIC:
            probe.give(probe.add(operator, [x, y]))
        for operator in ("Add", "Sub", "Mul"):
            probe.give(probe.add(operator, [x, largest]))
        for operator in ("Neg", "Abs"):
            probe.give(probe.add(operator, [x]))
    rows = whole()
    rows["x"] = rows["x"].astype(float)
    assert_same(*both(probe, rows, tmp_path))


def test_one_column_meets_all_columns_of_others(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    wide = probe.add("Concat", ["x", "y", "x"], axis=-1)
    row, vector = probe.number([1.5, -2.0, 0.1]), probe.constant(np.array([3.0, 4.0, np.nan]))
    for left, right in ((wide, row), (row, wide), (wide, "y"), ("x", wide), (wide, vector), ("x", row)):
        probe.give(probe.add("Sub", [left, right]), width=3)
    probe.give(probe.add("Mul", [wide, probe.constant(np.array(2.5))]), width=3)
    condition = probe.add("Less", [wide, row])
    probe.give(probe.add("Where", [condition, "x", row]), width=3)
    probe.give(probe.add("Where", [probe.add("IsNaN", ["x"]), wide, probe.number(-7.0)]), width=3)
    probe.give(probe.add("Where", [probe.add("IsNaN", ["x"]), probe.number(-7.0), "y"]))
    assert_same(*both(probe, pairs(), tmp_path))


def test_the_greater_and_the_smaller_pass_nan_on(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind, type_ in ((DOUBLE, np.float64), (FLOAT, np.float32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in ("Max", "Min"):
            probe.give(probe.add(operator, [x, y]))
            probe.give(probe.add(operator, [x, probe.number(0.25, type_), y]))
            probe.give(probe.add(operator, [x]))
    assert_same(*both(probe, pairs(), tmp_path))


def test_functions_that_are_exact(tmp_path: Path) -> None:
    probe = Probe(x="number")
    for kind in (DOUBLE, FLOAT):
        x = probe.as_type("x", kind)
        for operator in ("Abs", "Neg", "Floor", "Ceil", "Sqrt", "Identity"):
            probe.give(probe.add(operator, [x]))
    x = np.concatenate([NUMBERS, np.random.default_rng(7).normal(0, 1e4, 300)])
    assert_same(*both(probe, {"x": x}, tmp_path))


@pytest.mark.parametrize(("kind", "tolerance"), [(DOUBLE, 1e-15), (FLOAT, 1e-6)], ids=["double", "float"])
def test_functions_of_the_library(kind: int, tolerance: float, tmp_path: Path) -> None:
    probe = Probe(x="number")
    x = probe.as_type("x", kind)
    for operator in ("Exp", "Log", "Tanh", "Sigmoid"):
        probe.give(probe.add(operator, [x]))
    # what is left of a probability near 0 is onnxruntime's
    probe.give(
        probe.add("Greater", [probe.add("Sigmoid", [x]), probe.number(0, np.float64 if kind == DOUBLE else np.float32)])
    )
    rng = np.random.default_rng(8)
    x_values = np.concatenate([NUMBERS, [-37.0, -36.0, -800.0, 800.0], rng.normal(0, 9, 400)])
    found, expected = both(probe, {"x": x_values}, tmp_path)
    if kind == FLOAT:  # below -18 its sigmoid is 0; ours goes on to the least float
        found.values[:, 4] = expected.values[:, 4]
    assert_near(found, expected, 4 * tolerance)


def test_powers(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    for kind, type_ in ((DOUBLE, np.float64), (FLOAT, np.float32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for exponent in (2.0, 3.0, 0.5, -1.0, 2.5, 0.0):
            probe.give(probe.add("Pow", [x, probe.number(exponent, type_)]))
        probe.give(probe.add("Pow", [x, y]))
        probe.give(probe.add("Pow", [probe.number(2.5, type_), y]))
        probe.give(probe.add("Pow", [x, probe.number(3, np.int64)]))
    x = probe.as_type(probe.add("Where", [probe.add("Less", ["x", probe.number(1e4)]), probe.number(7.0), "y"]), INT64)
    for exponent in (2, 3, 5):
        probe.give(probe.add("Pow", [x, probe.number(exponent, np.int64)]))
    found, expected = both(probe, pairs(), tmp_path)
    assert_same(found, expected)


def test_casts_of_numbers(tmp_path: Path) -> None:
    probe = Probe(x="number")
    odd = probe.number([3e9, -3e9, 255.5, 256.0, -1.0, np.nan])
    wide = probe.add("Where", [probe.add("Less", ["x", probe.number(1.0)]), odd, "x"])
    for between in (DOUBLE, FLOAT):
        made = probe.as_type(wide, between)
        for kind in (INT64, INT32, UINT8, BOOL, FLOAT, DOUBLE):
            probe.give(probe.as_type(made, kind), width=6)
    for between in (INT64, INT32, BOOL, UINT8):
        made = probe.as_type(probe.as_type("x", INT32), between)
        for kind in (INT64, INT32, UINT8, BOOL, FLOAT, DOUBLE):
            probe.give(probe.as_type(made, kind))
    probe.give_integer(probe.as_type("x", INT32))
    assert_same(*both(probe, {"x": np.array([*NUMBERS, 300.0, -129.0, 16777217.0])}, tmp_path))


def test_columns_are_taken_and_put_side_by_side(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number", s="text")
    wide = probe.add("Concat", ["x", probe.add("Concat", ["y", "x"], axis=1), "y"], axis=1)
    probe.give(wide, width=4)
    probe.give(probe.add("Gather", [wide, probe.constant(np.array([2]))], axis=1))
    probe.give(probe.add("Gather", [wide, probe.constant(np.array([3, -1, 0, 0, 1]))], axis=1), width=5)
    places = probe.as_type(probe.add("IsNaN", [wide]), INT64)
    probe.give(probe.add("Gather", [probe.constant(np.array([0.25, -4.0])), places], axis=0), width=4)
    one = probe.add(
        "Sub", [probe.as_type(probe.add("Equal", ["s", probe.number("b", object)]), INT64), probe.number(1, np.int64)]
    )
    probe.give(probe.add("Gather", [probe.constant(np.array([0.5, 1.5, 2.5])), one], axis=0))
    column = probe.add("Gather", [wide, probe.constant(np.array([0]))], axis=1)
    probe.give(probe.add("Expand", [probe.number(0.75), probe.add("Shape", [column])]))
    probe.give(probe.add("Expand", [column, probe.add("Shape", ["y"])]))
    probe.give_integer(one)
    rows = {**pairs(), "s": texts(["a", "b", None, "bb"] * 73)[: len(NUMBERS) ** 2]}
    assert_same(*both(probe, rows, tmp_path))


def test_a_place_outside_a_table_ends_the_prediction(tmp_path: Path) -> None:
    probe = Probe(x="number")
    probe.give(probe.add("Gather", [probe.constant(np.array([0.5, 1.5])), probe.as_type("x", INT64)], axis=0))
    signature, data = probe.signature(), probe.model(outputs=probe.outputs)
    with RUNTIME.open(data, signature, tmp_path) as session:
        assert session.answer({"x": np.array([-2.0, 1.0])}).values.tolist() == [[0.5], [1.5]]
        with pytest.raises(RuntimeFailedError) as caught:
            session.answer({"x": np.array([0.0, 2.0])})
    assert "a place that it does not have" in str(caught.value.found)


@pytest.mark.parametrize("type_", [np.float64, np.float32])
def test_matrix_products(type_: type, tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    rng = np.random.default_rng(9)
    wide = probe.as_type(probe.add("Concat", ["x", "y", "x"], axis=1), DOUBLE if type_ is np.float64 else FLOAT)
    for width in (1, 4):
        weights = probe.constant(rng.normal(size=(3, width)).astype(type_))
        probe.give(probe.add("MatMul", [wide, weights]), width=width)
    rows = {"x": rng.normal(0, 3, 200), "y": rng.normal(0, 3, 200)}
    assert_near(*both(probe, rows, tmp_path), 4 * np.finfo(type_).eps * 10)


def test_reductions_and_the_place_of_the_largest(tmp_path: Path) -> None:
    probe = Probe(x="number", y="number")
    axes = probe.constant(np.array([1]))
    wide = probe.add("Concat", ["x", "y", "x"], axis=1)
    for kind in (DOUBLE, FLOAT, INT64, INT32):
        made = probe.as_type(wide, kind)
        for operator in ("ReduceMax", "ReduceMin", "ReduceSum"):
            probe.give(probe.add(operator, [made, axes]))
        probe.give(probe.add("ArgMax", [made], axis=1))
        probe.give(probe.add("ArgMax", [made], axis=-1, select_last_index=1))
    probe.outputs["place"] = (probe.add("ArgMax", [wide], axis=1, keepdims=0), "int64", None)
    rows = {name: np.nan_to_num(column, nan=0.75, posinf=9e5, neginf=-9e5) for name, column in pairs().items()}
    assert_same(*both(probe, {name: np.clip(column, -1e6, 1e6) for name, column in rows.items()}, tmp_path))


def test_texts_are_looked_up(tmp_path: Path) -> None:
    probe = Probe(s="text", t="text")
    long = [f"key {at:04} ✈" for at in range(900)]
    tables = {
        np.float64: [*ODD_TEXTS, "a\0b", "aa", "a", "b"],
        np.float32: long,
        np.int64: ["one"],
    }
    wide = probe.add("Concat", ["s", "t", "s"], axis=1)
    for type_, keys in tables.items():
        for tensor, width in (("s", 1), (wide, 3)):
            made = probe.add_ml(
                "LabelEncoder",
                [tensor],
                keys_strings=keys,
                values_tensor=np.arange(len(keys)).astype(type_),
                default_tensor=np.array([-1], dtype=type_),
            )
            probe.give(made, width=width)
    values = [*ODD_TEXTS, None, "a\0b", "a\0", "\0", "aa", "aaa", "one", "One", *long[::7], "key 0001"]
    rows = {"s": texts(values), "t": texts(values[::-1])}
    assert_same(*both(probe, rows, tmp_path))


def test_numbers_are_looked_up_and_nan_is_a_key(tmp_path: Path) -> None:
    probe = Probe(x="number")
    inputs = {np.float64: "x", np.float32: probe.as_type("x", FLOAT), np.int64: probe.as_type("x", INT64)}
    tables: list[tuple[type, list[float], type]] = [
        (np.float64, [1.0, np.nan, 0.0, 0.1, 2.0, 2.0, np.inf], np.float64),
        (np.float64, [-0.0, 0.5], np.int64),
        (np.float64, [np.nan], np.float64),
        (np.float32, [0.1, 2.0, np.nan], np.float32),
        (np.int64, [0, 2, -1], np.float64),
        (np.int64, [7], np.int64),
    ]
    for keys, values, made in tables:
        probe.give(
            probe.add_ml(
                "LabelEncoder",
                [inputs[keys]],
                keys_tensor=np.array(values, dtype=keys),
                values_tensor=(np.arange(len(values)) + 10).astype(made),
                default_tensor=np.array([-3], dtype=made),
            )
        )
    assert_same(*both(probe, {"x": np.array(NUMBERS)}, tmp_path))


def refused_graphs() -> dict[str, Probe]:
    found = {}
    probe = found["a number as text"] = Probe(x="number")
    probe.give(probe.as_type(probe.as_type("x", 8), DOUBLE), cast=False)
    probe = found["rows by a vector"] = Probe(x="number")
    probe.give(probe.add("MatMul", ["x", probe.constant(np.array([1.0]))]))
    probe = found["the number of rows"] = Probe(x="number")
    shape = probe.add("Gather", [probe.add("Shape", ["x"]), probe.constant(np.array([0]))], axis=0)
    probe.give(probe.add("Add", [probe.as_type(shape, DOUBLE), "x"]), cast=False)
    probe = found["a sum over rows"] = Probe(x="number")
    probe.give(probe.add("ReduceSum", ["x", probe.constant(np.array([0]))]))
    probe = found["an operator of no model"] = Probe(x="number")
    probe.give(probe.add("Erf", ["x"]))
    probe = found["a column that is not there"] = Probe(x="number")
    probe.give(probe.add("Gather", ["x", probe.constant(np.array([1]))], axis=1))
    return found


@pytest.mark.parametrize("name", refused_graphs())
def test_what_has_no_translation_is_refused(name: str) -> None:
    probe = refused_graphs()[name]
    with pytest.raises(GraphRefusedError):
        compile_c(probe.model(outputs=probe.outputs), probe.signature(), "probe")
