"""Whatever a recorded stage does, the user's files stay as they were, and the recording says what was odd."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest
from recorded import Desk

from mintage.errors import RecordingTooLargeError
from mintage.pipeline.capture import inside
from mintage.pipeline.recording import hook, inotify, mirror, protect, record
from mintage.pipeline.recording.mirror import SMALL
from mintage.store.clone import cloned

LARGE = b"0123456789abcdef" * (SMALL // 16 + 1)
closed = pytest.mark.skipif(not protect.is_possible(), reason="needs Linux 6.2 with Landlock")


def reflinks(folder: Path) -> bool:
    (folder / "probe").write_bytes(b"x")
    try:
        return cloned(folder / "probe", folder / "probe2")
    finally:
        (folder / "probe").unlink()
        (folder / "probe2").unlink(missing_ok=True)


@closed
@pytest.mark.parametrize(
    "attack",
    [
        "open('big.bin', 'r+b').write(b'ruined')",
        "open('big.bin', 'wb').write(b'ruined')",
        "import os\nf = os.open('big.bin', os.O_RDWR)\nos.pwrite(f, b'ruined', 0)",
        "import os\nos.truncate('big.bin', 0)",
        "import numpy as np\nm = np.memmap('big.bin', dtype='u1', mode='r+')\nm[:9] = 0\nm.flush()",
        "import subprocess\nsubprocess.run('echo ruined > big.bin; truncate -s 0 big.bin', shell=True)",
        "import polars as pl\npl.DataFrame({'a': [1]}).write_parquet('big.bin')",
        "import os\nopen(os.path.realpath('big.bin'), 'wb').write(b'ruined')",
        "import os\nos.remove(os.path.realpath('big.bin'))",
        "import os\nos.rename(os.path.realpath('big.bin'), 'stolen')",
        "import os\nopen(os.path.dirname(os.path.realpath('big.bin')) + '/new', 'w')",
        "import os\nos.chdir('/')\nos.link(os.path.realpath(WORK + '/big.bin'), WORK + '/x')\n"
        "open(WORK + '/x', 'r+b').write(b'ruined')",
    ],
    ids=[
        *("in-place", "over", "os.open", "truncate", "memory-map", "shell", "native", "by-its-path", "remove"),
        *("rename", "new-file", "hard-link"),
    ],
)
def test_a_linked_large_file_cannot_be_damaged(desk: Desk, attack: str) -> None:
    desk.write("big.bin", LARGE)
    before = desk.files()["big.bin"]
    desk.record(f"import os\nWORK = os.getcwd()\n{attack}\n")
    assert {name: value for name, value in desk.files().items() if name != "s.py"} == {"big.bin": before}


@closed
def test_a_large_file_is_not_copied_but_read_where_it_is(desk: Desk) -> None:
    desk.write("big.bin", LARGE)
    found = desk.record("import os\nprint(os.path.islink('big.bin'), len(open('big.bin', 'rb').read()))")
    assert found.reads == ("big.bin",)
    assert found.notes == ()
    assert desk.log.read_text().split() == [str(not reflinks(desk.root)), str(len(LARGE))]


def test_a_large_output_of_before_can_be_written_again(desk: Desk) -> None:
    desk.write("model.bin", LARGE)
    found = desk.record("open('model.bin', 'wb').write(b'new')")
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert desk.kept == {"model.bin": b"new"}
    assert (found.reads, found.changed_inputs) == ((), ())
    assert desk.files()["model.bin"][0] == LARGE


def test_a_large_file_that_is_continued_keeps_its_beginning(desk: Desk) -> None:
    desk.write("log.bin", LARGE)
    desk.record("open('log.bin', 'ab').write(b'more')")
    assert desk.kept == {"log.bin": LARGE + b"more"}
    assert desk.files()["log.bin"][0] == LARGE


def test_a_large_file_that_is_read_and_changed_in_place_is_caught(desk: Desk) -> None:
    desk.write("big.bin", LARGE)
    found = desk.record("f = open('big.bin', 'r+b')\nf.write(f.read(4)[::-1])")
    assert found.changed_inputs == ("big.bin",)
    assert desk.files()["big.bin"][0] == LARGE


def test_without_a_way_to_close_the_project_large_files_are_copied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "is_possible", lambda: False)
    monkeypatch.setattr(protect, "is_possible", lambda: False)
    desk.write("big.bin", LARGE)
    found = desk.record("import os\nassert not os.path.islink('big.bin')\nopen('big.bin', 'r+b').write(b'ruined')")
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert desk.files()["big.bin"][0] == LARGE


def test_where_the_kernel_does_not_tell_the_hook_does_and_says_what_it_cannot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inotify.sys, "platform", "elsewhere")
    desk.write("in.csv", "a\n1\n")
    desk.write("db.db", "")
    found = desk.record(
        "import sqlite3\nopen('out.csv', 'w').write(open('in.csv').read())\nopen('out.csv').read()\n"
        "a = sqlite3.connect('db.db')\na.execute('SELECT 1')\na.close()"
    )
    assert (found.reads, found.writes) == (("db.db", "in.csv"), ("out.csv",))
    assert found.seen_by == "hook"
    assert "native libraries" in found.notes[0]


def test_a_queue_that_ran_over_is_said_and_the_hook_fills_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = inotify.Watcher._parse

    def parse(self: inotify.Watcher, block: bytes) -> None:
        lost(self, inotify._HEAD.pack(-1, inotify._OVERFLOW, 0, 0))

    monkeypatch.setattr(inotify.Watcher, "_parse", parse)
    desk.write("in.csv", "a\n1\n")
    found = desk.record("open('out.csv', 'w').write(open('in.csv').read())")
    assert (found.reads, found.writes) == (("in.csv",), ("out.csv",))
    assert len(found.notes) == 1


def test_files_outside_the_project_are_named(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text("x")
    (tmp_path / "old.txt").write_text("x")
    found = desk.record(
        f"import json, os, zoneinfo\nopen({str(tmp_path / 'far.csv')!r}).read()\n"
        f"open({str(tmp_path / 'old.txt')!r}, 'w').write('y')\n"
        "open('../up.txt', 'w').write('z')\nopen(os.path.expanduser('~/cache.bin'), 'w').write('z')\n"
    )
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert found.outside_reads == (str(tmp_path / "far.csv"),)
    assert found.outside_writes == ("../up.txt", str(tmp_path / "old.txt"), "~/cache.bin")
    assert (found.reads, found.writes) == ((), ())


def test_a_file_of_the_project_read_by_an_absolute_path_is_an_input_with_a_word(desk: Desk) -> None:
    path = desk.write("d.csv", "x")
    found = desk.record(f"open({str(path)!r}).read()")
    assert found.reads == ("d.csv",)
    assert "absolute path" in found.notes[0]


def test_hosts_that_are_asked_for_are_named(desk: Desk) -> None:
    found = desk.record("import socket\ntry:\n    socket.getaddrinfo('data.invalid', 80)\nexcept OSError:\n    pass")
    assert found.hosts == ("data.invalid",)


def test_a_script_that_fails_half_way_changes_nothing(desk: Desk) -> None:
    desk.write("d.csv", "x")
    desk.write("out.csv", "of yesterday")
    desk.record("pass")
    before = {name: value for name, value in desk.files().items() if name != "s.py"}
    found = desk.record("open('out.csv', 'w').write('half')\nopen('new', 'w')\nraise ValueError('half way')")
    assert found.finished.exit_code == 1
    assert {name: value for name, value in desk.files().items() if name != "s.py"} == before
    assert "half way" in desk.log.read_text()
    assert not list((desk.root / ".mintage/tmp").iterdir())


def test_a_script_that_asks_on_the_terminal_gets_no_answer_at_once(desk: Desk) -> None:
    found = desk.record("input('Continue? ')")
    assert found.finished.exit_code == 1
    assert "EOFError" in desk.log.read_text()


def test_the_hook_hands_on_to_the_users_own_and_hides_itself(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import builtins\nbuiltins.OWN = 'the user’s'\n")
    script = "import sys, sitecustomize as s\nprint(OWN, [p for p in sys.path if p.endswith('hook/site')], s.__file__)"
    desk.record(script, PYTHONPATH=str(tmp_path / "site"))
    assert desk.log.read_text().strip() == f"the user’s [] {tmp_path / 'site/sitecustomize.py'}"


def test_the_hook_is_python_3_9_and_imports_only_what_every_python_has() -> None:
    tree = ast.parse(Path(hook.__file__).read_text(), feature_version=(3, 9))
    names = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {*sys.stdlib_module_names, "__future__"}


def test_the_watcher_is_python_3_9_and_imports_nothing_that_the_program_has_not() -> None:
    for file in Path(inside.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(), feature_version=(3, 9))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level}
        assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "__future__"}


def test_the_hook_does_nothing_to_a_program_that_takes_its_folder_away(desk: Desk) -> None:
    desk.write("d.csv", "x")
    found = desk.record(
        "import os, shutil\nshutil.rmtree(os.environ['MINTAGE_RECORD'])\nopen('out', 'w').write(open('d.csv').read())"
    )
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert found.writes == ("out",)


def test_a_project_of_too_many_files_is_refused_with_what_to_do(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_FILES", 2)
    for number in range(3):
        desk.write(f"{number}.txt", "x")
    with pytest.raises(RecordingTooLargeError) as caught:
        desk.record("pass")
    assert "declare `in` and `out`" in caught.value.hint


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: scripts/install-system-parts")
def test_a_recording_says_what_strace_says(desk: Desk, tmp_path: Path) -> None:
    """The oracle: which files of the private folder the kernel opened, for a script of many libraries."""
    desk.write("d/in.csv", "a,b\n1,2\n3,4\n")
    desk.write("d/unused.csv", "a,b\n1,2\n")
    desk.write("notes.txt", "x")
    script = (
        "import subprocess, joblib, pandas as pd, polars as pl, pyarrow.csv\n"
        "pd.read_csv('d/in.csv').to_parquet('p.parquet')\npl.read_parquet('p.parquet').write_csv('q.csv')\n"
        "pyarrow.csv.read_csv('d/in.csv')\njoblib.dump([1], 'm.joblib')\n"
        "subprocess.run('cat notes.txt > copy.txt', shell=True, check=True)\n"
    )
    (tmp_path / "beside").mkdir()
    trace = tmp_path / "beside/trace"
    words = ["strace", "-f", "-qq", "-y", "-e", "trace=openat,open,creat", "-e", "signal=none", "-o", str(trace)]
    found = desk.record(script, command=[*words, sys.executable, "s.py"])
    assert found.finished.exit_code == 0, desk.log.read_text()
    opened = {"read": set(), "write": set()}
    for line in trace.read_text(errors="replace").splitlines():
        inside = re.search(r" = \d+<.*/\.mintage/tmp/[0-9a-f]+/work/(.+)>$", line)
        if inside and "O_DIRECTORY" not in line:
            opened["write" if "O_WRONLY" in line or "O_RDWR" in line else "read"].add(inside[1])
    assert set(found.writes) == opened["write"] == {"p.parquet", "q.csv", "m.joblib", "copy.txt"}
    used = {"d/in.csv", "notes.txt", "s.py"}
    assert set(found.reads) | set(found.modules) == opened["read"] - opened["write"] == used
