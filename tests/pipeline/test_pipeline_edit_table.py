"""Exchanging a column and leaving out half of the rows: everything else of a table stays as it was."""

from __future__ import annotations

import csv
import datetime
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mintage.pipeline.edit_table import exchange, halve


def drawn(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    rows = 40
    table = pa.table(
        {
            "day": pa.array([datetime.date(2026, 1, 1 + row // 4) for row in range(rows)]),
            "kind": pa.array([None if row % 7 == 0 else "abc"[row % 3] for row in range(rows)]).dictionary_encode(),
            "y": pa.array([None if row == 3 else row for row in range(rows)], pa.int8()),
        }
    ).replace_schema_metadata({"pandas": "{}"})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    return path


def test_a_column_of_a_parquet_file_is_exchanged_and_nothing_else(parquet: Path) -> None:
    before = pq.read_table(parquet)
    assert exchange(parquet, "y", drawn())
    after = pq.read_table(parquet)
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after.drop(["y"]).equals(before.drop(["y"]))
    values = after["y"].to_pylist()
    assert values != before["y"].to_pylist() and Counter(values) == Counter(before["y"].to_pylist())


def test_halves_of_groups_are_whole_and_differ_with_the_draw(parquet: Path, tmp_path: Path) -> None:
    before, seen = pq.read_table(parquet).to_pylist(), set()
    for seed in range(3):
        copy = tmp_path / f"{seed}.parquet"
        copy.write_bytes(parquet.read_bytes())
        assert halve(copy, "y", drawn(seed), group="day")
        rows = pq.read_table(copy).to_pylist()
        days = {row["day"] for row in rows}
        assert len(days) == 5 and rows == [row for row in before if row["day"] in days]
        seen.add(frozenset(days))
    assert len(seen) > 1


@pytest.mark.parametrize("group", [None, "shop"])
def test_without_a_group_half_of_the_rows_is_kept_in_order(parquet: Path, group: str | None) -> None:
    before = pq.read_table(parquet).to_pylist()
    assert halve(parquet, "y", drawn(), group=group)
    rows = pq.read_table(parquet).to_pylist()
    assert len(rows) == 20 and rows == [row for row in before if row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_keeps_the_text_of_its_fields(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "note, said", "y"], *([f"{n:03d}", f'a "{n}"\nb', f" {n}.50"] for n in range(9))]
    quoted = [[f'"{field.replace(chr(34), chr(34) * 2)}"' for field in line] for line in lines]
    path = tmp_path / "t.csv"
    path.write_text("\ufeff" + "\n".join(delimiter.join(line) for line in quoted) + "\n\n")
    assert exchange(path, "y", drawn()) and exchange(path, "id", drawn(2))
    with path.open(newline="", encoding="utf-8-sig") as stream:
        found = list(csv.reader(stream, delimiter=delimiter))
    assert found[0] == lines[0] and [row[1] for row in found[1:]] == [row[1] for row in lines[1:]]
    for at in (0, 2):
        column = [row[at] for row in found[1:]]
        assert column != [row[at] for row in lines[1:]] and sorted(column) == sorted(row[at] for row in lines[1:])
    assert halve(path, "y", drawn(), group=None) and len(path.read_text().split("\nb")) == 6


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x,z\n1,2\n"),
        ("a.csv", "x,y\n1,2,3\n"),
        ("a.csv", "x,y\n"),
        ("a.csv", ""),
        ("a.parquet", "no parquet"),
        ("a.json", '{"y": 1}'),
    ],
)
def test_what_is_no_table_with_the_column_is_left_alone(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert not exchange(path, "y", drawn()) and not halve(path, "y", drawn(), group=None)
    assert path.read_text() == text and [file.name for file in tmp_path.iterdir()] == [name]


def test_a_file_that_another_name_leads_to_is_not_written_into(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept.csv", tmp_path / "t.csv"
    text = "y\n" + "".join(f"{number}\n" for number in range(30))
    kept.write_text(text)
    path.hardlink_to(kept)
    assert exchange(path, "y", drawn())
    assert kept.read_text() == text and path.read_text() != text
