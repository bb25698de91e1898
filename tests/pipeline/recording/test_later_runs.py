"""Later runs of a declared stage are watched too: what it does beside its declaration is told, with its line."""

from __future__ import annotations

import sqlite3

import pytest
from recorded import single

from mintage.errors import StageChangesInputError, StageFailedError
from mintage.store.local import Store

STAGE = "run: python s.py\n    in: [a.csv]\n    out: [m.bin]"
WELL = "open('a.csv').read()\nopen('m.bin', 'w').write('m')\n"
DATA = {"a.csv": "a\n1\n", "b.csv": "b\n2\n"}


def test_a_run_as_declared_says_nothing(make) -> None:
    project = make(single(WELL, STAGE, **DATA))
    project.run()
    assert project.notes == []


@pytest.mark.parametrize(
    ("script", "note"),
    [
        (
            "open('report.html', 'w').write('r')",
            "writes report.html, which `out` does not name: it is not kept; write `out: [m.bin, report.html]`",
        ),
        (
            "try:\n    open('b.csv')\nexcept FileNotFoundError:\n    pass",
            "asks for b.csv, which `in` does not name: write `in: [a.csv, b.csv]`",
        ),
        ("import glob\nglob.glob('raw/*.csv')", "asks for raw, which `in` does not name: write `in: [a.csv, raw]`"),
        ("open(ROOT + '/b.csv').read()", "asks for b.csv, which `in` does not name: write `in: [a.csv, b.csv]`"),
        (
            "open(OUTSIDE).read()",
            "reads OUTSIDE, outside the project: a change of it goes unnoticed, and other machines lack it",
        ),
        ("open(OUTSIDE + '2', 'w')", "writes OUTSIDE2, outside the project: it is not kept"),
        (
            "import socket\ntry:\n    socket.getaddrinfo('data.invalid', 80)\nexcept OSError:\n    pass",
            "asks the network for data.invalid: what comes from there is not part of the key",
        ),
    ],
    ids=["writes", "asks", "lists", "by-its-path", "outside", "writes-outside", "network"],
)
def test_what_is_not_declared_is_told_with_the_line_to_write(make, tmp_path, script: str, note: str) -> None:
    outside = str(tmp_path / "other" / "o.csv")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/o.csv").write_text("o")
    begin = f"ROOT = {str(tmp_path / 'a project')!r}\nOUTSIDE = {outside!r}\n"
    project = make(single(begin + WELL + script, STAGE, **DATA, **{"raw/r.csv": "r"}))
    outcome = project.run()
    assert project.notes == [note.replace("OUTSIDE", outside)]
    assert outcome.remarks == {"s": project.notes}
    entry = Store(project.workspace.store_dir).get_record(outcome.record, kind="run").body["stages"]["s"]
    assert entry["remarks"] == project.notes


def test_an_output_of_an_earlier_run_that_is_written_and_read_is_no_undeclared_input(make) -> None:
    project = make(single(WELL + "open('m.bin').read()", STAGE, **DATA))
    project.run()
    project.run(force=True)
    assert project.notes == []


def test_a_declared_input_that_is_not_read_is_told_once(make) -> None:
    project = make(single(WELL, STAGE.replace("a.csv]", "a.csv, b.csv]"), **DATA))
    project.run()
    assert project.notes == ["does not read b.csv, which `in` names"]
    project.run(force=True)
    assert project.notes == []


def test_a_stage_that_changes_its_input_in_the_scratch_folder_is_refused_and_nothing_is_lost(make) -> None:
    project = make(single(WELL, STAGE, **DATA))
    project.run()
    project.write("s.py", WELL + "open('a.csv', 'a').write('more')\n")
    before = project.tree()
    with pytest.raises(StageChangesInputError, match=r"stage s changes what it reads: a\.csv"):
        project.run()
    assert project.tree() == before


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("open('b.csv')", "b.csv"),
        ("open('./b.csv')", "b.csv"),
        ("import os\nos.listdir('raw')", "raw"),
        ("import pandas\npandas.read_csv('b.csv')", "b.csv"),
        ("import polars\npolars.read_csv('b.csv')", "b.csv"),
        ("import polars\npolars.read_parquet('t t.parquet')", "t t.parquet"),
        ("import polars\npolars.scan_parquet('t t.parquet').collect()", "t t.parquet"),
        ("import pyarrow.parquet as pq\npq.read_table('t t.parquet')", "t t.parquet"),
        ("import pyarrow.csv as c\nc.read_csv('b.csv')", "b.csv"),
        ("import sqlite3\nsqlite3.connect('d.db').execute('SELECT * FROM t')", "d.db"),
        ("import sqlite3\nsqlite3.connect('file:d.db?mode=ro', uri=True).execute('SELECT * FROM t')", "d.db"),
        ("import numpy\nnumpy.load('raw/x.npy')", "raw/x.npy"),
        ("import subprocess\nsubprocess.run(['cat', 'b.csv'], check=True)", "b.csv"),
    ],
)
def test_a_file_that_is_missing_because_it_is_not_declared_gets_its_line(make, script: str, path: str) -> None:
    project = make(single(WELL + script, STAGE, **DATA, **{"raw/x.npy": "", "t t.parquet": ""}))
    connection = sqlite3.connect(project.root / "d.db")
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(StageFailedError) as caught:
        project.run()
    written = f'"{path}"' if " " in path else path
    assert f"`in: [a.csv, {written}]`" in caught.value.hint
