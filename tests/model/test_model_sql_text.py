"""Names and texts in the SQL of a model: none can end its own quotes, and the same model gives the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from c_graphs import NUMBERS, Probe, texts
from hand_made import TASKS, hand_made
from sql_runtimes import both, postgresql_server, runtime  # noqa: F401 fixtures

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.query import compile_row, compile_sql, compile_view, free_name, output_columns
from mintage.model.compile.sql.text import number, quote_name, quote_text
from mintage.model.runtimes.base import Runtime

AWKWARD = (
    'a"; DROP TABLE victims; --',
    "a'; DROP TABLE victims; --",
    "a\\'; DROP TABLE victims; --",
    'a\\"; DROP TABLE victims; --',
    "*/ /* -- x",
    "line\nbreak; DROP TABLE victims",
    "größe 東京 \U0001f6eb",
    "select",
    "$1",
    "%s %(x)s ? :x",
    "$$; DROP TABLE victims; $$",
    "c0",
    "s0",
    "k0",
    "row",
    "x' || (SELECT 1) || '",
    "\u2028\u202e\ufeff",
    "\\",
    "''",
    '""',
    "E'a",
)


def test_names_of_any_characters_are_names_and_nothing_else(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(**dict.fromkeys(AWKWARD, "number"))
    for name in AWKWARD:
        probe.give(name, cast=False)
    rows = {name: np.array([at + 0.5, -at, np.nan]) for at, name in enumerate(AWKWARD)}
    found, expected = both(probe, rows, runtime, tmp_path)
    np.testing.assert_array_equal(found.values, expected.values)


def test_categories_of_any_characters_are_texts_and_nothing_else(runtime: Runtime, tmp_path: Path) -> None:  # noqa: F811
    probe = Probe(s="text")
    keys, values = list(AWKWARD), np.arange(len(AWKWARD)) * 1.0
    default = np.array([-1.0])
    probe.give(
        probe.add_ml("LabelEncoder", ["s"], keys_strings=keys, values_tensor=values, default_tensor=default), cast=False
    )
    rows = {"s": texts([*AWKWARD, None, "", "a", "\\\\", "'"])}
    found, expected = both(probe, rows, runtime, tmp_path)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.values[: len(AWKWARD), 0].tolist() == values.tolist()


def test_a_table_of_any_name_is_read_and_another_one_is_left_alone() -> None:
    duckdb = pytest.importorskip("duckdb")
    package = hand_made("binary")
    inputs = ", ".join(
        f"NULL::{'text' if item.datatype == 'BYTES' else 'float8'} AS {quote_name(item.name)}"
        for item in package.signature.inputs
    )
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE victims AS SELECT 1 AS x")
        for name in AWKWARD:
            connection.execute(f"CREATE TABLE {quote_name(name)} AS SELECT 7 AS {quote_name(name)}, {inputs}")
            select = compile_sql(
                package.files["model.onnx"], package.signature, "duckdb", table=name, key_columns=[name]
            )
            [row] = connection.execute(select).fetchall()
            assert row[0] == 7
        assert connection.execute("SELECT * FROM victims").fetchall() == [(1,)]


@pytest.mark.parametrize("value", ["", "'", "\\", "a\\'b", "\n", "\0", "a\0", "\0\0'", *AWKWARD])
def test_duckdb_reads_a_quoted_text_back(value: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {quote_text(value)}").fetchall() == [(value,)]


def numbers() -> np.ndarray[Any, Any]:
    bits = np.random.default_rng(2).integers(0, 2**64, 3000, dtype=np.uint64).view(np.float64)
    odd = [*NUMBERS, 1e22, 1e23, 2.0**53, 2.2250738585072014e-308, 1.7976931348623157e308, -5e-324, 1e16, 123456789.125]
    return np.concatenate([bits[np.isfinite(bits)], [value for value in odd if np.isfinite(value)]])


def test_duckdb_reads_a_number_back_to_its_64_bits() -> None:
    duckdb = pytest.importorskip("duckdb")
    values = numbers()
    with duckdb.connect() as connection:
        rows = ", ".join(f"({number(value, 'duckdb')})" for value in values.tolist())
        found = connection.execute(f"SELECT x, typeof(x) FROM (VALUES {rows}) AS t(x)").fetchall()  # noqa: S608 numbers
    assert {kind for _, kind in found} == {"DOUBLE"}
    assert np.array([value for value, _ in found]).tobytes() == values.tobytes()


@pytest.mark.slow
def test_postgresql_reads_numbers_and_texts_back(postgresql_server: str) -> None:  # noqa: F811
    import psycopg

    values = numbers()
    with psycopg.connect(postgresql_server) as connection:
        for setting in ("on", "off"):
            connection.execute(f"SET standard_conforming_strings = {setting}")
            rows = ", ".join(f"({number(value, 'postgresql')})" for value in values.tolist())
            found = connection.execute(f"SELECT x FROM (VALUES {rows}) AS t(x)", binary=True).fetchall()  # type: ignore[arg-type]  # noqa: S608
            assert np.array([value for (value,) in found]).tobytes() == values.tobytes()
            for value in AWKWARD:
                assert connection.execute(f"SELECT {quote_text(value)}").fetchall() == [(value,)]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_sql_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(GraphRefusedError):
        quote_name(name)


def renamed(**names: str) -> tuple[bytes, Any]:
    probe = Probe(**dict.fromkeys(names.values(), "number"))
    for name in names.values():
        probe.give(name, cast=False)
    return probe.model(outputs=probe.outputs), probe.signature()


def test_names_that_differ_in_case_only_are_one_in_duckdb_and_two_in_postgresql() -> None:
    onnx, signature = renamed(a="Delay", b="delay")
    assert '"Delay"' in compile_sql(onnx, signature, "postgresql", table="rows")
    with pytest.raises(GraphRefusedError, match="one name"):
        compile_sql(onnx, signature, "duckdb", table="rows")


def test_a_name_that_postgresql_would_cut_off_is_refused() -> None:
    onnx, signature = renamed(a="é" * 32)
    assert "é" in compile_sql(onnx, signature, "duckdb", table="rows")
    with pytest.raises(GraphRefusedError, match="cuts off"):
        compile_sql(onnx, signature, "postgresql", table="rows")


def test_a_key_with_the_name_of_an_output_is_refused_and_another_is_found() -> None:
    package = hand_made("binary")
    onnx, signature = package.files["model.onnx"], package.signature
    with pytest.raises(GraphRefusedError, match="one name"):
        compile_sql(onnx, signature, "duckdb", table="rows", key_columns=["label"])
    assert free_name(signature, "label") == "label_"
    assert free_name(signature, "SEATS") == "SEATS_"
    assert free_name(signature, "row") == "row"


@pytest.mark.parametrize("dialect", ["duckdb", "postgresql"])
@pytest.mark.parametrize("task", TASKS)
def test_the_same_model_gives_the_same_text(task: str, dialect: Any) -> None:
    first, second = (
        compile_view(
            package.files["model.onnx"], package.signature, dialect, view="v", table="t", key_columns=["id", "day"]
        )
        for package in (hand_made(task), hand_made(task))
    )
    assert first == second
    assert first.startswith('CREATE OR REPLACE VIEW "v" AS\nWITH s0 AS MATERIALIZED (')


def test_outputs_are_named_by_their_tensors() -> None:
    names = {task: [name for name, _ in output_columns(hand_made(task).signature)] for task in TASKS}
    assert names["binary"] == ["probabilities_0", "probabilities_1", "label"]
    assert names["regression"] == ["value"]
    assert names["two regressions"] == ["value_0", "value_1"]
    assert names["two targets"][:3] == ["probabilities.late_0", "probabilities.late_1", "label.late"]


def test_too_many_columns_at_a_time_are_refused() -> None:
    names = {f"x{place}": f"x{place}" for place in range(1600)}
    onnx, signature = renamed(**names)
    with pytest.raises(GraphRefusedError, match="too wide"):
        compile_sql(onnx, signature, "postgresql", table="rows")


def test_one_row_is_given_as_parameters_in_the_order_of_the_signature() -> None:
    package = hand_made("binary")
    text = compile_row(package.files["model.onnx"], package.signature, "postgresql")
    assert '$1::text AS "origin", $2::text AS "carrier", $3::float8 AS "dep delay", $4::float8 AS "seats"' in text


def test_a_nan_in_a_table_is_a_missing_value() -> None:
    duckdb = pytest.importorskip("duckdb")
    package = hand_made("binary")
    select = compile_sql(package.files["model.onnx"], package.signature, "duckdb", table="rows")
    rows = "SELECT 'Flughafen 001' AS origin, 'UA' AS carrier, {}::float8 AS \"dep delay\", 9 AS seats"
    with duckdb.connect() as connection:
        answers = set()
        for value in ("NULL", "'NaN'"):
            connection.execute(f"CREATE OR REPLACE TABLE rows AS {rows.format(value)}")
            answers.update(connection.execute(select).fetchall())
    assert len(answers) == 1
    assert None not in answers.pop()


def test_integers_and_decimals_of_a_table_are_taken_as_numbers() -> None:
    duckdb = pytest.importorskip("duckdb")
    package = hand_made("binary")
    select = compile_sql(package.files["model.onnx"], package.signature, "duckdb", table="rows")
    rows = "SELECT 'Flughafen 001' AS origin, 'UA' AS carrier, 20::{0} AS \"dep delay\", 9::{0} AS seats"
    with duckdb.connect() as connection:
        answers = set()
        for kind in ("float8", "integer", "decimal(9, 2)", "float4", "bigint"):
            connection.execute(f"CREATE OR REPLACE TABLE rows AS {rows.format(kind)}")
            answers.update(connection.execute(select).fetchall())
    assert len(answers) == 1


def test_a_signature_with_an_input_that_the_graph_does_not_read_needs_no_such_column() -> None:
    duckdb = pytest.importorskip("duckdb")
    onnx, signature = renamed(a="used")
    more = msgspec.structs.replace(signature, inputs=(*signature.inputs, replace_input(signature.inputs[0], "idle")))
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT 2.5 AS used")
        assert connection.execute(compile_sql(onnx, more, "duckdb", table="rows")).fetchall() == [(2.5,)]


def replace_input(item: Any, name: str) -> Any:
    return msgspec.structs.replace(item, name=name)
