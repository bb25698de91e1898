"""An output folder appears whole or not at all, though Mintage is killed while it is put in place."""

from __future__ import annotations

import glob
import signal
import subprocess
import sys
import time

import pytest

from mintage.data.checkout import clear_unfinished, place
from mintage.repo.locks import Item
from mintage.store.local import Store

COUNT = 150
PLACE = """
import sys
from pathlib import Path
from mintage.data.checkout import place
from mintage.repo.locks import Item
from mintage.store.local import Store
place(Store(Path(sys.argv[1])), Item(path="out", digest=sys.argv[2], size=0, folder=True), Path(sys.argv[3]))
"""


@pytest.fixture
def made(tmp_path):
    """A store with a folder of files, and where it is to be put."""
    folder = tmp_path / "made"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number}.txt").write_text(f"new {number}")
    store = Store(tmp_path / "store")
    return store, store.put_tree(folder), tmp_path / "project" / "out"


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_a_folder_is_whole_or_as_it_was_when_mintage_is_killed(made, there: bool) -> None:
    store, digest, target = made
    target.parent.mkdir()
    if there:
        target.mkdir()
        (target / "old.txt").write_text("old")
    process = subprocess.Popen([sys.executable, "-c", PLACE, str(store.root), digest, str(target)])
    deadline = time.monotonic() + 60
    written = f"{glob.escape(str(target.parent))}/*/*.txt", f"{glob.escape(str(target.parent))}/.tmp-*/*.txt"
    while sum(len(glob.glob(each)) for each in written) < (10 if not there else 11):  # noqa: PTH207 as folders go
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait()
    names = {path.name for path in target.glob("*")}
    assert names in (set(), {"old.txt"}, {f"{number}.txt" for number in range(COUNT)})
    clear_unfinished(target)
    assert {path.name for path in target.parent.iterdir()} <= {"out"}
    place(store, Item(path="out", digest=digest, size=0, folder=True), target)
    assert {path.name for path in target.iterdir()} == {f"{number}.txt" for number in range(COUNT)}
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_what_others_keep_beside_it_is_not_cleared(tmp_path) -> None:
    (tmp_path / ".tmp-mine").mkdir()
    (tmp_path / ".tmp-0123456789abcdef").mkdir()
    clear_unfinished(tmp_path / "out")
    clear_unfinished(tmp_path / "nowhere/out")
    assert [path.name for path in tmp_path.iterdir()] == [".tmp-mine"]
