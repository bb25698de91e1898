"""The export ``sql`` as a database developer meets it: the test is green, a changed model turns it red."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from export_folder import run, write_export
from hand_made import TASKS, hand_made
from sql_runtimes import postgresql_server  # noqa: F401 fixture

from mintage.model.export.sql import EXPORT
from mintage.model.golden import Golden, encode_golden
from mintage.model.package import Package, open_package
from mintage.model.runtimes.postgresql_server import find_programs

FILES = {
    "CARD.md",
    "README.md",
    *(f"{part}.{dialect}.sql" for part in ("predict", "one", "golden") for dialect in ("duckdb", "postgresql")),
}


def duck_golden(package: Package) -> tuple[int, int]:
    """What DuckDB says: rows compared, rows that differ."""
    import duckdb

    with duckdb.connect() as connection:
        [found] = connection.execute(EXPORT.files(package)["golden.duckdb.sql"].decode()).fetchall()
    return int(found[0]), int(found[1])


def psql_golden(package: Package, folder: Path, address: str) -> tuple[int, int]:
    """What psql prints, as the README says."""
    programs = find_programs()
    assert programs is not None
    write_export(EXPORT, package, folder)
    done = run(folder, str(programs / "psql"), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", GOLDEN)
    assert done.returncode == 0, done.stderr
    compared, differing = done.stdout.strip().splitlines()[-1].split("|")
    return int(compared), int(differing)


GOLDEN = "golden.postgresql.sql"


def with_golden(package: Package, **changes: Any) -> Package:
    """The package with other golden answers or rows."""
    golden = package.golden
    parts = {"columns": golden.columns, "values": golden.values, "labels": golden.labels, "tolerance": golden.tolerance}
    inputs, expected = encode_golden(Golden(**{**parts, **changes}))
    files = {**package.files, "golden/inputs.json": inputs, "golden/expected.json": expected}
    return replace(package, files=files)


@pytest.mark.parametrize("task", TASKS)
def test_golden_rows_are_all_equal_in_duckdb(task: str) -> None:
    assert duck_golden(hand_made(task)) == (200, 0)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_golden_rows_are_all_equal_in_psql(task: str, tmp_path: Path, postgresql_server: str) -> None:  # noqa: F811
    assert psql_golden(hand_made(task), tmp_path, postgresql_server) == (200, 0)


def test_golden_rows_of_a_built_model_are_all_equal(made: Any) -> None:
    package = open_package(made.built.folder)
    assert duck_golden(package) == (len(package.golden.values), 0)


def mutations() -> dict[str, Package]:
    """Each has one thing that is not as the golden answers say."""
    package = hand_made("binary")
    values, labels = package.golden.values.copy(), package.golden.labels.copy()
    values[17, 1] += 2e-12
    labels[23, 0] = 1 - labels[23, 0]
    other = hand_made("binary", shift=40.0)
    return {
        "a value": with_golden(package, values=values),
        "a label": with_golden(package, labels=labels),
        "a split": replace(package, files={**package.files, "model.onnx": other.files["model.onnx"]}),
        "a threshold": replace(
            package, files={**package.files, "model.onnx": hand_made("binary", threshold=0.6).files["model.onnx"]}
        ),
    }


@pytest.mark.parametrize("name", mutations())
def test_a_difference_turns_the_golden_test_red_in_duckdb(name: str) -> None:
    compared, differing = duck_golden(mutations()[name])
    assert compared == 200
    assert differing > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", mutations())
def test_a_difference_turns_the_golden_test_red_in_psql(name: str, tmp_path: Path, postgresql_server: str) -> None:  # noqa: F811
    compared, differing = psql_golden(mutations()[name], tmp_path, postgresql_server)
    assert compared == 200
    assert differing > 0


def test_rows_that_postgresql_cannot_hold_are_left_out_of_its_test_and_counted() -> None:
    package = hand_made("binary")
    columns = {name: column.copy() for name, column in package.golden.columns.items()}
    columns["origin"][5], columns["origin"][6] = "a\0b", "never\0seen"
    changed = with_golden(package, columns=columns)
    files = EXPORT.files(changed)
    assert b"\0" not in files[GOLDEN]
    rows = re.search(r"INSERT INTO golden_answers VALUES\n(.*?);\n", files[GOLDEN].decode(), re.DOTALL)
    assert rows is not None
    assert len(rows[1].splitlines()) == 198
    assert "leaves out 2 golden rows" in files["README.md"].decode()
    assert "leaves out" not in EXPORT.files(package)["README.md"].decode()
    assert duck_golden(changed)[0] == 200


def test_the_view_predicts_for_a_table_and_the_statement_for_one_row() -> None:
    import duckdb

    package = hand_made("binary")
    files = EXPORT.files(package)
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE TABLE flights_rows (id int, origin text, carrier text, "dep delay" double, seats int); '
            "INSERT INTO flights_rows VALUES "
            "(7, 'Flughafen 001', 'UA', 12.5, 9), (8, NULL, 'DL', NULL, 180)"
        )
        connection.execute(files["predict.duckdb.sql"].decode())
        answers = connection.execute("SELECT * FROM flights_predictions ORDER BY id").fetchall()
        assert [row[0] for row in answers] == [7, 8]
        connection.execute(files["one.duckdb.sql"].decode())
        assert connection.execute("EXECUTE flights('Flughafen 001', 'UA', 12.5, 9)").fetchall() == [answers[0][1:]]
        assert connection.execute("EXECUTE flights(NULL, 'DL', NULL, 180)").fetchall() == [answers[1][1:]]


@pytest.mark.slow
def test_the_view_and_the_statement_work_in_postgresql(postgresql_server: str) -> None:  # noqa: F811
    import psycopg

    package = hand_made("multiclass")
    files = EXPORT.files(package)
    with psycopg.connect(postgresql_server) as connection:
        connection.execute(
            'CREATE TEMPORARY TABLE flights_rows (id text, origin text, carrier char(2), "dep delay" real, seats int)'
        )
        connection.execute(
            "INSERT INTO flights_rows VALUES ('a', 'Flughafen 001', 'UA', 12.5, 9), ('b', NULL, 'DL', 'NaN', 180)"
        )
        connection.execute(files["predict.postgresql.sql"])
        answers = connection.execute("SELECT * FROM flights_predictions ORDER BY id").fetchall()
        assert [row[0] for row in answers] == ["a", "b"]
        connection.execute(files["one.postgresql.sql"])
        assert connection.execute("EXECUTE flights('Flughafen 001', 'UA', 12.5, 9)").fetchall() == [answers[0][1:]]
        assert connection.execute("EXECUTE flights(NULL, 'DL', NULL, 180)").fetchall() == [answers[1][1:]]


def test_the_example_of_the_readme_runs() -> None:
    import duckdb

    files = EXPORT.files(hand_made("regression"))
    assert set(files) == FILES
    example = re.search(r"^ {4}(EXECUTE .*;)$", files["README.md"].decode(), re.MULTILINE)
    assert example is not None
    with duckdb.connect() as connection:
        connection.execute(files["one.duckdb.sql"].decode())
        [(value,)] = connection.execute(example[1]).fetchall()
    assert np.isfinite(value)


def test_a_key_that_is_an_input_or_an_output_too_is_no_trouble() -> None:
    import duckdb

    package = hand_made("binary")
    for name, column in (("seats", "seats"), ("label", "label_")):
        changed = replace(package, signature=msgspec.structs.replace(package.signature, id=name))
        with duckdb.connect() as connection:
            more = "" if name == "seats" else ", 3 AS label_"
            connection.execute(
                "CREATE TABLE flights_rows AS SELECT 'x' AS origin, 'UA' AS carrier, 1.5 AS \"dep delay\", 9 AS seats"
                + more
            )
            connection.execute(EXPORT.files(changed)["predict.duckdb.sql"].decode())
            found = connection.table("flights_predictions").project(column).fetchall()
        assert found == [(9,)] if name == "seats" else [(3,)]


def test_two_exports_are_the_same_bytes() -> None:
    assert EXPORT.files(hand_made("two targets")) == EXPORT.files(hand_made("two targets"))
