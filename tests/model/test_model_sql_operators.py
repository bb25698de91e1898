"""Each operator in SQL gives what onnxruntime gives: in every type, on odd numbers and texts, in one column or more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_graphs import BOOL, DOUBLE, FLOAT, INT32, INT64, NUMBERS, UINT8, Probe, pairs, texts
from runtime_suite import ODD_TEXTS
from sql_runtimes import assert_near, both, postgresql_server, runtime  # noqa: F401 fixtures

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.query import compile_sql
from mintage.model.program import WIDTHS
from mintage.model.runtimes.base import Runtime

COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
ARITHMETIC = ("Add", "Sub", "Mul", "Div")
EXTREMES = (1e308, -1e308, 1.7976931348623157e308, 1e-300, -1e-300, 1e200, 1e-200, 5e-324, 1e-160, 1e155)


def wide_pairs() -> dict[str, Any]:
    """Every pair of odd and extreme numbers, and some ordinary ones."""
    numbers = np.array([*NUMBERS, *EXTREMES, -5e-324, 4.0, -3.0])
    left, right = np.meshgrid(numbers, numbers)
    rng = np.random.default_rng(6)
    found = {"x": left.reshape(-1), "y": right.reshape(-1)}
    return {name: np.concatenate([column, rng.lognormal(0, 9, 300)]) for name, column in found.items()}


def whole(count: int = 60) -> dict[str, Any]:
    """Two columns of whole numbers, none of the second zero."""
    rng = np.random.default_rng(4)
    y = rng.integers(-9, 9, count).astype(float)
    return {"x": rng.integers(-99, 99, count).astype(float), "y": np.where(y == 0, 7, y)}


def test_comparisons_of_numbers(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    for kind in (DOUBLE, FLOAT):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in COMPARISONS:
            made = probe.add(operator, [x, y])
            probe.give(made)
            probe.give(probe.add("Not", [made]))
            probe.give(probe.add(operator, [y, probe.number(0.1, np.float64 if kind == DOUBLE else np.float32)]))
        probe.give(probe.add("IsNaN", [x]))
        probe.give(probe.add("Not", [probe.add("IsNaN", [x])]))
        for ends in ({}, {"detect_negative": 0}, {"detect_positive": 0}, {"detect_positive": 0, "detect_negative": 0}):
            probe.give(probe.add("IsInf", [x], **ends))
    assert_near(*both(probe, wide_pairs(), runtime, tmp_path))


def test_truths_have_two_values_where_numbers_are_missing(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    less, more = probe.add("Less", ["x", "y"]), probe.add("Greater", ["x", probe.number(1.0)])
    for operator in ("And", "Or", "Equal"):
        made = probe.add(operator, [less, more])
        probe.give(made)
        probe.give(probe.add("Not", [made]))
        probe.give(probe.add("Where", [probe.add("Not", [made]), "x", "y"]))
        probe.give(probe.add(operator, [probe.add("Not", [less]), more]))
    assert_near(*both(probe, wide_pairs(), runtime, tmp_path))


def test_comparisons_of_integers(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    for kind in (INT64, INT32):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in COMPARISONS:
            probe.give(probe.add(operator, [x, y]))
    probe.give(probe.add("Equal", [probe.as_type("x", UINT8), probe.as_type("y", UINT8)]))
    probe.give_integer(probe.add("Less", [probe.add("Identity", ["x"]), "y"]))
    assert_near(*both(probe, {name: np.abs(column) for name, column in whole().items()}, runtime, tmp_path))


def test_texts_are_compared_by_their_bytes(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(s="text", t="text", x="number")
    probe.give(probe.add("Equal", ["s", "t"]))
    known = [text for text in ODD_TEXTS if len(text) < 9]
    probe.give(probe.add("Equal", ["s", probe.number(known, object)]), width=len(known))
    chosen = probe.add("Where", [probe.add("Less", ["x", probe.number(0.0)]), "s", probe.number("é", object)])
    probe.give(probe.add("Equal", [chosen, "t"]))
    beside = probe.add("Concat", ["t", chosen, "s"], axis=1)
    probe.give(probe.add("Equal", [beside, "s"]), width=3)
    rng = np.random.default_rng(5)
    values = [*ODD_TEXTS, None, "a", "a "]
    rows = {name: texts([values[at] for at in rng.integers(0, len(values), 400)]) for name in ("s", "t")}
    rows["t"][:150] = rows["s"][:150]
    assert_near(*both(probe, {**rows, "x": rng.normal(size=400)}, runtime, tmp_path))


@pytest.mark.parametrize(("kind", "type_"), [(DOUBLE, np.float64), (FLOAT, np.float32)], ids=["double", "float"])
def test_arithmetic_is_equal_to_the_bit(kind: int, type_: type, runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    x, y = (probe.as_type(name, kind) for name in ("x", "y"))
    for operator in ARITHMETIC:
        probe.give(probe.add(operator, [x, y]))
        for value in (0.1, -1 / 3, 1.0, 0.0, 1e30, -1e-30, 1e-300, 1e300, 5e-324):
            if abs(value) < float(np.finfo(type_).max):
                probe.give(probe.add(operator, [x, probe.number(value, type_)]))
                probe.give(probe.add(operator, [probe.number(value, type_), y]))
    probe.give(probe.add("Div", [x, probe.number(-0.0, type_)]))
    # a rounding after each step, not one at the end
    chain = probe.add("Add", [probe.add("Mul", [x, y]), probe.number(0.3, type_)])
    probe.give(probe.add("Sub", [probe.add("Div", [chain, y]), x]))
    with np.errstate(over="ignore"):
        assert_near(*both(probe, wide_pairs(), runtime, tmp_path))


def test_arithmetic_of_integers(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    for kind in (INT64, INT32):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in ARITHMETIC:
            probe.give(probe.add(operator, [x, y]))
        for operator in ("Neg", "Abs"):
            probe.give(probe.add(operator, [x]))
        for exponent in (2, 3, 5):
            probe.give(probe.add("Pow", [y, probe.number(exponent, np.int64)]))
    assert_near(*both(probe, whole(), runtime, tmp_path))


def test_one_column_meets_all_columns_of_others(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    wide = probe.add("Concat", ["x", "y", "x"], axis=-1)
    row, vector = probe.number([1.5, -2.0, 0.1]), probe.constant(np.array([3.0, 4.0, np.nan]))
    for left, right in ((wide, row), (row, wide), (wide, "y"), ("x", wide), (wide, vector), ("x", row)):
        probe.give(probe.add("Sub", [left, right]), width=3)
    probe.give(probe.add("Mul", [wide, probe.constant(np.array(2.5))]), width=3)
    condition = probe.add("Less", [wide, row])
    probe.give(probe.add("Where", [condition, "x", row]), width=3)
    probe.give(probe.add("Where", [probe.add("IsNaN", ["x"]), wide, probe.number(-7.0)]), width=3)
    probe.give(probe.add("Where", [probe.add("IsNaN", ["x"]), probe.number(-7.0), "x"]))
    probe.give(probe.add("Where", [probe.add("IsNaN", ["x"]), probe.number(-7.0), "y"]))
    assert_near(*both(probe, pairs(), runtime, tmp_path))


def test_the_greater_and_the_smaller_pass_nan_on(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    for kind, type_ in ((DOUBLE, np.float64), (FLOAT, np.float32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for operator in ("Max", "Min"):
            probe.give(probe.add(operator, [x, y]))
            probe.give(probe.add(operator, [x, probe.number(0.25, type_), y]))
            probe.give(probe.add(operator, [x]))
    assert_near(*both(probe, pairs(), runtime, tmp_path))


@pytest.mark.parametrize(("kind", "tolerance"), [(DOUBLE, 1e-14), (FLOAT, 1e-6)], ids=["double", "float"])
def test_functions(kind: int, tolerance: float, runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    x = probe.as_type("x", kind)
    for operator in ("Abs", "Neg", "Floor", "Ceil", "Sqrt", "Identity", "Exp", "Log", "Tanh", "Sigmoid"):
        probe.give(probe.add(operator, [x]))
    ends = [*EXTREMES, -37.0, 40.5, -800.0, 800.0, 709.7, 709.79, -708.1, -720.0, -744.42, -745.1, -745.2, -1e-320]
    values = np.concatenate([NUMBERS, ends, np.random.default_rng(8).normal(0, 9, 400)])
    assert_near(*both(probe, {"x": values}, runtime, tmp_path), tolerance)


def test_what_is_left_of_a_small_exp_is_not_zero(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    probe.give(probe.add("Mul", [probe.add("Exp", ["x"]), probe.number(1e300)]))
    probe.give(probe.add("Log", [probe.add("Exp", ["x"])]))
    values = np.array([-700.0, -708.0, -708.5, -720.0, -740.0])
    assert_near(*both(probe, {"x": values}, runtime, tmp_path), 1e-4)


def test_powers(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    for kind, type_ in ((DOUBLE, np.float64), (FLOAT, np.float32)):
        x, y = (probe.as_type(name, kind) for name in ("x", "y"))
        for exponent in (2.0, 3.0, 0.5, -1.0, 2.5, 0.0):
            probe.give(probe.add("Pow", [x, probe.number(exponent, type_)]))
        probe.give(probe.add("Pow", [x, y]))
        probe.give(probe.add("Pow", [probe.number(2.5, type_), y]))
    assert_near(*both(probe, wide_pairs(), runtime, tmp_path), 1e-6)


def test_powers_of_doubles_have_their_precision(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    probe.give(probe.add("Pow", ["x", "y"]))
    assert_near(*both(probe, wide_pairs(), runtime, tmp_path), 1e-13)


def test_casts_of_numbers(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    for between in (DOUBLE, FLOAT, INT64, INT32, BOOL, UINT8):
        made = probe.as_type("x", between)
        for kind in (INT64, INT32, UINT8, BOOL, FLOAT, DOUBLE):
            probe.give(probe.as_type(made, kind))
    probe.give_integer(probe.as_type("x", INT32))
    values = np.array([0.0, -0.0, 1.0, 2.5, 2.9999, 3.5, 254.9, 0.49999999999999994, 5e-324, 0.1, 200.0])
    assert_near(*both(probe, {"x": values}, runtime, tmp_path))


def test_casts_between_doubles_and_floats_round_as_ieee_does(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    made = probe.as_type("x", FLOAT)
    probe.give(made)
    probe.give(probe.as_type(probe.as_type(made, DOUBLE), BOOL))
    probe.give(probe.as_type(made, BOOL))
    ends = [3.4028234663852886e38, 3.4028235677973362e38, 3.4028235677973366e38, -3.5e38, 1e39, 2.0**-149, 2.0**-150]
    values = np.array([*NUMBERS, *EXTREMES, *ends, 2.0**-150 * 1.0000001, 16777217.0, 1e-40, -1e-46])
    assert_near(*both(probe, {"x": values}, runtime, tmp_path))


def test_integers_of_negative_numbers_are_cut_off_towards_zero(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    for kind in (INT64, INT32):
        probe.give(probe.as_type("x", kind))
    probe.give_integer(probe.as_type("x", INT64))
    values = np.array([-0.5, -1.5, -2.5, -2.9999999, 0.5, 1.5, 2.5, 2.0**31 - 1, -(2.0**31)])
    assert_near(*both(probe, {"x": values}, runtime, tmp_path))


def test_columns_are_taken_and_put_side_by_side(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
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
    assert_near(*both(probe, rows, runtime, tmp_path))


def test_a_table_is_looked_up_at_every_place(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    table = np.random.default_rng(3).normal(size=1000)
    probe.give(probe.add("Gather", [probe.constant(table), probe.as_type("x", INT64)], axis=0))
    assert_near(*both(probe, {"x": np.arange(-1000.0, 1000.0)}, runtime, tmp_path))


@pytest.mark.parametrize("type_", [np.float64, np.float32], ids=["double", "float"])
def test_matrix_products(type_: type, runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    rng = np.random.default_rng(9)
    many = probe.add("Concat", [name for _ in range(60) for name in ("x", "y")], axis=1)
    for columns in (many, probe.add("Concat", ["x", "y", "x"], axis=1)):
        wide = probe.as_type(columns, DOUBLE if type_ is np.float64 else FLOAT)
        for width in (1, 4):
            weights = rng.normal(size=(120 if columns == many else 3, width)).astype(type_)
            weights[1] = 0.0
            probe.give(probe.add("MatMul", [wide, probe.constant(weights)]), width=width)
    rows = {"x": rng.normal(0, 3, 200), "y": rng.normal(0, 3, 200)}
    rows["x"][:4] = np.nan
    assert_near(*both(probe, rows, runtime, tmp_path), 1e-13 if type_ is np.float64 else 1e-4)


def test_matrix_products_of_numbers_of_any_size(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number", y="number")
    wide = probe.add("Concat", ["x", "y", "x"], axis=1)
    for weights in ([0.3, -0.7, 2.5], [1e5, 1e-5, 0.0], [1e-200, 3.0, 1e-200]):
        probe.give(probe.add("MatMul", [wide, probe.constant(np.array([weights]).T)]))
    axes = probe.constant(np.array([1]))
    probe.give(probe.add("ReduceSum", [probe.add("Concat", ["x", "y"], axis=1), axes]))
    rows = wide_pairs()
    finite = np.isfinite(rows["x"]) & np.isfinite(rows["y"])
    found, expected = both(probe, {name: column[finite] for name, column in rows.items()}, runtime, tmp_path)
    rounded = [np.where(np.abs(values) > 1e308, np.inf, np.abs(values)) for values in (found.values, expected.values)]
    np.testing.assert_allclose(rounded[0], rounded[1], rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(np.isnan(found.values), np.isnan(expected.values))


def test_reductions_and_the_place_of_the_largest(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
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
    rows = {name: np.clip(column, -1e6, 1e6) for name, column in rows.items()}
    assert_near(*both(probe, rows, runtime, tmp_path), 1e-6)


def test_the_place_of_the_largest_of_numbers_of_which_some_are_missing(
    runtime: Runtime,  # noqa: F811
    tmp_path: Path,
) -> None:
    probe = Probe(x="number", y="number")
    wide = probe.add("Concat", ["x", "y", probe.add("Add", ["x", probe.number(1.0)])], axis=1)
    probe.outputs["place"] = (probe.add("ArgMax", [wide], axis=1, keepdims=0), "int64", None)
    assert_near(*both(probe, pairs(), runtime, tmp_path))


def test_texts_are_looked_up(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(s="text", t="text")
    long = [f"key {at:04} ✈" for at in range(900)]
    tables = {np.float64: [*ODD_TEXTS, "a\0b", "aa", "a", "b"], np.float32: long, np.int64: ["one"]}
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
    values = [*ODD_TEXTS, None, "aa", "aaa", "one", "One", *long[::7], "key 0001"]
    rows = {"s": texts(values), "t": texts(values[::-1])}
    assert_near(*both(probe, rows, runtime, tmp_path))


def test_duckdb_tells_texts_with_nul_apart(tmp_path: Path) -> None:
    from mintage.model.runtimes.duckdb import RUNTIME

    probe = Probe(s="text")
    keys = ["a\0b", "a", "\0", "b\0"]
    values, default = np.arange(4.0), np.array([-1.0])
    probe.give(
        probe.add_ml("LabelEncoder", ["s"], keys_strings=keys, values_tensor=values, default_tensor=default), cast=False
    )
    assert_near(*both(probe, {"s": texts([*keys, "b", "a\0", "a\0c", "", None])}, RUNTIME, tmp_path))


def test_numbers_are_looked_up_and_nan_is_a_key(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(x="number")
    inputs = {np.float64: "x", np.float32: probe.as_type("x", FLOAT), np.int64: probe.as_type("x", INT32)}
    tables: list[tuple[type, list[float], type]] = [
        (np.float64, [1.0, np.nan, 0.0, 0.1, 2.0, 2.0, np.inf], np.float64),
        (np.float64, [-0.0, 0.5], np.int64),
        (np.float64, [np.nan], np.float64),
        (np.float32, [0.1, 2.0, np.nan], np.float32),
        (np.float64, [*np.arange(40.0), 0.1], np.float64),
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
    assert_near(*both(probe, {"x": np.array([*NUMBERS, 39.0, 40.0, 17.0])}, runtime, tmp_path))


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
        compile_sql(probe.model(outputs=probe.outputs), probe.signature(), "duckdb", table="rows")


def test_every_operator_that_a_graph_may_hold_is_translated() -> None:
    from mintage.model.compile.sql.columns import COLUMNS
    from mintage.model.compile.sql.operators import ELEMENTWISE

    assert {*COLUMNS, *ELEMENTWISE, "Shape"} == {name for names in WIDTHS.values() for name in names}
