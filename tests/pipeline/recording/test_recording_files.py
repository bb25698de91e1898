"""What a recording says of the files that a script reads and writes, by plain Python and by native libraries."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import polars as pl
import pytest
from recorded import Desk

from mintage.pipeline.recording import mirror

LINUX = sys.platform == "linux"
needs_inotify = pytest.mark.skipif(not LINUX, reason="native readers are seen by inotify alone, which is Linux's")
ROWS = "a,b\n1,2\n3,4\n"


def truth(found) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert found.finished.exit_code == 0
    return found.reads, found.writes


def test_plain_files_are_seen_and_untouched_ones_are_not(desk: Desk) -> None:
    desk.write("data/in.csv", ROWS)
    desk.write("data/other.csv", ROWS)
    found = desk.record("open('data/out.txt', 'w').write(open('data/in.csv').read())")
    assert truth(found) == (("data/in.csv",), ("data/out.txt",))
    assert found.modules == ("s.py",)
    assert desk.kept == {"data/out.txt": ROWS.encode()}


@needs_inotify
@pytest.mark.parametrize(
    "script",
    [
        "import pandas as pd\npd.read_csv('d/in.csv').to_csv('out.csv')",
        "import polars as pl\npl.read_csv('d/in.csv').write_parquet('out.csv')",
        "import polars as pl\npl.scan_csv('d/in.csv').collect().write_csv('out.csv')",
        "import pyarrow.csv as c, pyarrow.parquet as p\np.write_table(c.read_csv('d/in.csv'), 'out.csv')",
        "import numpy as np\nnp.asarray(np.memmap('d/in.csv', dtype='u1', mode='r')).tofile('out.csv')",
        "import mmap\nf = open('d/in.csv', 'rb')\nm = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n"
        "f.close()\nopen('out.csv', 'wb').write(m[:])",
        "import numpy as np\nm = np.memmap('d/in.csv', dtype='u1', mode='r+')\nm.tofile('out.csv')",
    ],
    ids=["pandas", "polars", "polars-lazy", "pyarrow", "memmap", "mmap-closed", "memmap-writable"],
)
def test_readers_and_writers_of_tables_are_seen(desk: Desk, script: str) -> None:
    desk.write("d/in.csv", ROWS)
    assert truth(desk.record(script)) == (("d/in.csv",), ("out.csv",))


@needs_inotify
@pytest.mark.parametrize(
    "script",
    [
        "import pyarrow.parquet as p\np.read_table('in.parquet', memory_map=True)",
        "import polars as pl\npl.scan_parquet('in.parquet').select('a').collect()",
        "import pandas as pd\npd.read_parquet('in.parquet')",
    ],
    ids=["pyarrow-map", "polars", "pandas"],
)
def test_readers_of_parquet_are_seen(desk: Desk, script: str) -> None:
    pl.DataFrame({"a": [1, 2], "b": [3, 4]}).write_parquet(desk.root / "in.parquet")
    assert truth(desk.record(script)) == (("in.parquet",), ())


def test_a_crowd_of_pictures_is_seen_one_by_one_and_cannot_be_damaged(desk: Desk) -> None:
    for number in range(mirror.CROWD + 20):
        desk.write(f"images/{number:03}.png", f"picture {number}")
    before = desk.files()
    found = desk.record(
        "import os, subprocess\nfor name in sorted(os.listdir('images'))[5:]:\n    open(f'images/{name}').read()\n"
        "open('images/100.png', 'w').write('new')\nsubprocess.run('echo new > images/000.png', shell=True)\n"
        "open('images/001.png', 'w').write('new')\n"
    )
    assert found.reads == tuple(f"images/{number:03}.png" for number in range(5, mirror.CROWD + 20))
    assert found.changed_inputs == ("images/100.png",)
    assert "images/001.png" in found.writes
    assert {**desk.files(), "s.py": b""} == {**before, "s.py": b""}


def test_a_database_that_is_queried_is_an_input_and_its_journals_are_nothing(desk: Desk) -> None:
    base = sqlite3.connect(desk.root / "in.db")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE t AS SELECT 1 AS a")
    base.commit()
    base.close()
    found = desk.record(
        "import sqlite3\n"
        "a = sqlite3.connect('in.db')\nrows = a.execute('SELECT a FROM t').fetchall()\na.close()\n"
        "b = sqlite3.connect('out.db')\nb.execute('CREATE TABLE u (a)')\n"
        "b.executemany('INSERT INTO u VALUES (?)', rows)\nb.commit()\nb.close()\n"
    )
    assert truth(found) == (("in.db",), ("out.db",))
    assert found.changed_inputs == ()


def test_a_database_that_is_changed_is_an_input_that_the_stage_changes(desk: Desk) -> None:
    base = sqlite3.connect(desk.root / "in.db")
    base.execute("CREATE TABLE t (a)")
    base.commit()
    base.close()
    before = desk.files()
    found = desk.record(
        "import sqlite3\na = sqlite3.connect('in.db')\na.execute('INSERT INTO t VALUES (1)')\na.commit()\na.close()\n"
    )
    assert found.changed_inputs == ("in.db",)
    assert desk.files() == {**before, "s.py": desk.files()["s.py"]}


def test_joblib_and_numpy_files_are_seen(desk: Desk) -> None:
    found = desk.record(
        "import joblib, numpy as np\njoblib.dump({'a': np.arange(9)}, 'm.joblib')\n"
        "joblib.load('m.joblib')\nnp.save('x.npy', np.arange(3))\n"
    )
    assert truth(found) == ((), ("m.joblib", "x.npy"))


def test_a_file_written_then_read_is_an_output(desk: Desk) -> None:
    desk.write("old.txt", "of an earlier run, longer")
    found = desk.record(
        "for n in ('old.txt', 'new.txt'):\n    open(n, 'w').write('x')\n    open(n).read()\nopen('old.txt', 'r').read()"
    )
    assert truth(found) == ((), ("new.txt", "old.txt"))
    assert found.changed_inputs == ()


def test_a_file_replaced_by_rename_is_an_output(desk: Desk) -> None:
    desk.write("model.bin", "old")
    found = desk.record(
        "import os\nopen('t', 'w').write('new')\nos.replace('t', 'model.bin')\nopen('model.bin').read()"
    )
    assert truth(found) == ((), ("model.bin",))


def test_an_output_made_again_with_the_same_bytes_is_an_output(desk: Desk) -> None:
    desk.write("same.txt", "x")
    assert truth(desk.record("open('same.txt', 'w').write('x')")) == ((), ("same.txt",))


def test_temporary_files_are_neither(desk: Desk) -> None:
    found = desk.record(
        "import os, tempfile, shutil\nos.mkdir('t')\nopen('t/a', 'w').write('x')\nopen('t/a').read()\n"
        "shutil.rmtree('t')\ntempfile.NamedTemporaryFile().write(b'x')\nopen('b', 'w').close()\nos.remove('b')\n"
    )
    assert truth(found) == ((), ())
    assert found.outside_writes == ()


@pytest.mark.parametrize(
    "script",
    [
        "t = open('d.csv').read()\nopen('d.csv', 'w').write(t + 'x')",
        "import os\nopen('d.csv').read()\nos.remove('d.csv')",
        "import os\nos.rename('d.csv', 'e.csv')",
        "f = open('d.csv', 'r+')\nf.read()\nf.write('x')",
        pytest.param(
            "import numpy as np\nm = np.memmap('d.csv', dtype='u1', mode='r+')\nm[0] = 65\nm.flush()",
            marks=needs_inotify,
        ),
    ],
    ids=["rewrites", "deletes", "moves", "in-place", "memory-map"],
)
def test_a_stage_that_changes_what_it_read_is_caught_and_the_users_file_stays(desk: Desk, script: str) -> None:
    desk.write("d.csv", ROWS)
    found = desk.record(script)
    assert found.finished.exit_code == 0
    assert found.changed_inputs == ("d.csv",)
    assert (desk.root / "d.csv").read_text() == ROWS


def test_a_log_that_is_continued_is_an_output_and_said_to_be_appended_to(desk: Desk) -> None:
    desk.write("train.log", "yesterday\n")
    found = desk.record("open('train.log', 'a').write('today')")
    assert truth(found) == ((), ("train.log",))
    assert found.appended == ("train.log",)


@needs_inotify
def test_children_of_every_kind_are_seen(desk: Desk) -> None:
    for name in ("a", "b", "c", "d"):
        desk.write(f"{name}.txt", ROWS)
    found = desk.record(
        "import subprocess, sys, multiprocessing\n"
        "def work(name):\n    return open(name).read()\n"
        "if __name__ == '__main__':\n"
        "    subprocess.run([sys.executable, '-c', \"open('b2.txt', 'w').write(open('b.txt').read())\"], check=True)\n"
        "    subprocess.run([sys.executable, '-I', '-c', \"open('a.txt').read()\"], check=True)\n"
        "    subprocess.run('cat c.txt > c2.txt', shell=True, check=True)\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n        pool.map(work, ['d.txt'])\n"
    )
    assert truth(found) == (("a.txt", "b.txt", "c.txt", "d.txt"), ("b2.txt", "c2.txt"))


def test_modules_of_the_project_are_code_not_inputs(desk: Desk) -> None:
    desk.write("lib/__init__.py", "")
    desk.write("lib/used.py", "X = 1")
    desk.write("lib/unused.py", "X = 2")
    desk.write("config.py", "Y = 3")
    found = desk.record("import importlib\nimportlib.import_module('lib.used')\nexec(open('config.py').read())\n")
    assert truth(found) == ((), ())
    assert found.modules == ("config.py", "lib/__init__.py", "lib/used.py", "s.py")


def test_caches_environments_and_git_are_left_out(desk: Desk) -> None:
    desk.write(".git/config", "x")
    desk.write("env/pyvenv.cfg", "x")
    desk.write("env/lib/x.py", "x")
    desk.write("__pycache__/x.pyc", "x")
    found = desk.record("import os\nprint(sorted(n for _, d, f in os.walk('.') for n in d + f))")
    assert found.before == ("s.py",)
    assert "['s.py']" in desk.log.read_text()


def test_links_of_the_user_are_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/x.csv").write_text(ROWS)
    (tmp_path / "one.csv").write_text(ROWS)
    (desk.root / "data").symlink_to(tmp_path / "far")
    (desk.root / "one.csv").symlink_to(tmp_path / "one.csv")
    (desk.root / "loop").symlink_to(desk.root)
    (desk.root / "broken").symlink_to(tmp_path / "nothing")
    found = desk.record("open('data/x.csv').read()\nopen('one.csv').read()\nopen('data/y', 'w').write('y')")
    assert truth(found) == (("data/x.csv", "one.csv"), ("data/y",))
    assert not (tmp_path / "far/y").exists()
