"""Files of rows: what is read is what is there, and what cannot be read says where."""

from __future__ import annotations

import pyarrow as pa
import pytest
from serve_models import small_signature

from mintage.errors import BatchFileError, InputTypeError
from mintage.serve.rowfile import kind_of, open_rows
from mintage.serve.rowwriter import row_writer


def read(path, *, is_verbatim=True):
    _, chunks = open_rows(path, small_signature(), kind=kind_of(path.name), where=path.name, is_verbatim=is_verbatim)
    return [row for chunk in chunks for row in chunk.to_pylist()]


@pytest.fixture
def written(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_csv_file_has_the_inputs_as_the_model_takes_them_and_other_columns_as_they_stand(written):
    text = '\ufeffzip,x,y,name,id\r\n007,1,NA,NA,01\r\n8, 2.5 ,,"a\nb",02\r\n9,true,1e3,"",03\r\n'
    assert read(written("rows.csv", text)) == [
        {"zip": "007", "x": 1.0, "y": None, "name": "NA", "id": "01"},
        {"zip": "8", "x": 2.5, "y": None, "name": "a\nb", "id": "02"},
        {"zip": "9", "x": 1.0, "y": 1000.0, "name": None, "id": "03"},
    ]


def test_a_csv_file_for_a_typed_output_has_the_types_that_its_values_suggest(written):
    (row,) = read(written("rows.csv", "zip,x,y,name,id\n7,1,,a,01\n"), is_verbatim=False)
    assert row == {"zip": 7, "x": 1.0, "y": None, "name": "a", "id": "01"}


def test_tabs_divide_a_tsv_file(written):
    assert read(written("rows.tsv", "x\tname\n1\ta,b\n")) == [{"x": 1.0, "name": "a,b"}]


def test_json_lines_are_rows_and_an_absent_member_is_missing(written):
    text = '{"x": 1, "name": "a", "tags": [1]}\n{"x": null}\n'
    assert read(written("rows.jsonl", text)) == [
        {"x": 1.0, "name": "a", "tags": [1]},
        {"x": None, "name": None, "tags": None},
    ]


REFUSED = {
    "a word among numbers": ("rows.csv", "x,name\n1,a\noops,a\n", InputTypeError, "rows.csv, row 2", "'oops'"),
    "a number that only Python reads": ("rows.csv", "x,name\n1_000,a\n", InputTypeError, "rows.csv, row 1", "1_000"),
    "a short line": ("rows.csv", "x,name\n1,a\n2\n", BatchFileError, "rows.csv", "1 fields instead of 2"),
    "a column twice": ("rows.csv", "x,x\n1,2\n", BatchFileError, "rows.csv", "x, x"),
    "nothing": ("rows.csv", "", BatchFileError, "rows.csv", "Empty"),
    "no text": ("rows.csv", b"x,name\n1,\xff\n", BatchFileError, "rows.csv", "UTF8"),
    "no JSON": ("rows.jsonl", "oops\n", BatchFileError, "rows.jsonl", "JSON"),
    "a text for a number": ("rows.jsonl", '{"x": 1}\n{"x": "a"}\n', BatchFileError, "rows.jsonl", "number to string"),
    "another suffix": ("rows.xlsx", "PK", BatchFileError, "rows.xlsx", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read_says_what_is_wrong_and_where(written, case):
    name, text, kind, where, found = REFUSED[case]
    with pytest.raises(kind) as caught:
        read(written(name, text))
    assert caught.value.where.startswith(where)
    assert found is None or found in caught.value.found


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_reads_the_same(tmp_path, kind):
    rows = pa.table({"x": [0.1, None, -3.0], "name": ['a,"b"\t\n', None, "Åre 🛫"], "extra": ["1", "2", "x"]})
    path = tmp_path / f"rows.{kind}"
    with row_writer(path, kind, rows.schema) as write:
        write(rows.slice(0, 2))
        write(rows.slice(2))
    assert read(path) == rows.to_pylist()
