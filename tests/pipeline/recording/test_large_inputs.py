"""A large input is read once, kept in the same pass, and later read where it is, by a stage that cannot harm it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from recorded import single

from mintage.errors import StageChangesInputError, StageFailedError
from mintage.pipeline.recording.protect import is_possible
from mintage.pipeline.run import Event

SIZE = 96 << 20
READS = "stream = open('big.bin', 'rb')\nstream.seek(-1, 2)\nopen('m.bin', 'w').write(str(stream.tell()))\n"
DECLARED = "run: python s.py\n    in: [big.bin]\n    out: [m.bin]"
linked = pytest.mark.skipif(not is_possible(), reason="needs Linux 6.2 with Landlock")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.fixture
def big(make, monkeypatch: pytest.MonkeyPatch):
    """A project with a large file that is all holes; files need not be two seconds old for their digest to be kept."""
    monkeypatch.setattr("mintage.store.statcache._RACY_NS", 0)
    monkeypatch.setattr("mintage.pipeline.reading.LONG", SIZE - 1)

    def project(script: str = READS, stage: str = "run: python s.py"):
        made = make(single(script, stage, **{"big.bin": ""}))
        with (made.root / "big.bin").open("r+b") as stream:
            stream.truncate(SIZE)
        return made

    return project


def bytes_read() -> int:
    """What this process has read so far, of whatever file."""
    return int(Path("/proc/self/io").read_text().split()[1])


def told(project, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What runs tell, as it comes."""
    lines: list[str] = []
    before = project._note

    def note(event: Event) -> None:
        lines.extend([event.detail] * (event.what == "tell"))
        before(event)

    monkeypatch.setattr(project, "_note", note)
    return lines


@linux
@pytest.mark.parametrize("stage", ["run: python s.py", DECLARED])
def test_it_is_read_once_with_a_word_and_its_holes_stay_holes(big, monkeypatch, stage: str) -> None:
    project = big(stage=stage)
    lines, before = told(project, monkeypatch), bytes_read()
    project.run()
    assert SIZE <= bytes_read() - before < 1.5 * SIZE
    assert lines == ["big.bin has 0.1 GB: it is read once, and copied into the store; later runs do neither"]
    blobs = [path for path in project.workspace.store_dir.rglob("*") if path.is_file()]
    kept = [path for path in blobs if path.stat().st_size == SIZE]
    assert len(kept) == 1 and kept[0].stat().st_blocks * 512 < SIZE / 10
    assert project.read("m.bin") == str(SIZE - 1)
    assert not list(project.workspace.store_dir.rglob(".tmp-*"))


@linked
def test_a_later_run_reads_it_where_it_is_and_copies_nothing(big, monkeypatch) -> None:
    project = big()
    project.run()
    lines, before = told(project, monkeypatch), bytes_read()
    assert project.run(force=True).actions == {"s": "run"}
    assert bytes_read() - before < SIZE / 2
    assert (lines, project.notes) == ([], [])
    project.write("s.py", READS + "import os\nassert os.path.islink('big.bin')\n")
    assert project.run().actions == {"s": "run"}


HARM = {
    "Python": "open('big.bin', 'r+b').write(b'harm')\n",
    "a program": "import subprocess\nsubprocess.run('echo harm >> big.bin', shell=True, check=True)\n",
    "the user's own path": "import os\nopen(os.path.realpath('big.bin'), 'r+b').write(b'harm')\n",
    "removal": "import os\nos.remove(os.path.realpath('big.bin'))\n",
}


@linked
@pytest.mark.parametrize("how", HARM)
def test_a_stage_cannot_harm_it(big, how: str) -> None:
    project = big()
    project.run()
    before = (project.root / "big.bin").stat()
    project.write("s.py", READS + HARM[how])
    with pytest.raises((StageChangesInputError, StageFailedError)):
        project.run()
    after = (project.root / "big.bin").stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def test_a_change_of_it_is_read_again_and_kept(big) -> None:
    project = big()
    project.run()
    with (project.root / "big.bin").open("r+b") as stream:
        stream.write(b"other")
    assert project.run().actions == {"s": "run"}
    kept = [path for path in project.workspace.store_dir.rglob("*") if path.is_file() and path.stat().st_size == SIZE]
    assert len(kept) == 2


def test_an_unchanged_file_that_was_touched_is_read_but_not_copied_again(big, monkeypatch) -> None:
    project = big()
    project.run()
    (project.root / "big.bin").touch()
    lines = told(project, monkeypatch)
    assert project.run().actions == {"s": "keep"}
    assert lines == ["big.bin has 0.1 GB: it is read once, to know whether it changed; later runs do neither"]
