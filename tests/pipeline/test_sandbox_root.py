"""The sandbox without Landlock: a root folder of the stage's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from walled import Walled

from mintage.errors import StageFailedError
from mintage.pipeline.walls.close import NOT_ENFORCED, way
from mintage.pipeline.walls.root import can_root, plant

NEEDS_ROOT = pytest.mark.skipif(
    not can_root(), reason="no mount namespace can be had here, or Linux is older than 5.12"
)


@pytest.fixture
def walled(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("mintage.pipeline.recording.protect._version", lambda: 0)
    way.cache_clear()
    made = Walled(tmp_path)
    yield made
    made.connection.close()
    way.cache_clear()


@NEEDS_ROOT
@pytest.mark.parametrize("network", ["network: true", "network: false"])
def test_what_is_not_declared_is_not_there(walled, network: str) -> None:
    path = walled.root / "data/extra.csv"
    error = walled.denied(f"open({str(path)!r})", keys=f"    {network}\n")
    assert "which it does not declare (s.py:1)" in error.message
    assert "No such file" in error.message
    assert "`in: [data/in.csv, data/extra.csv]`" in str(error.hint)


@NEEDS_ROOT
def test_the_machine_is_there_and_cannot_be_written(walled) -> None:
    script = """
import os, subprocess, sys, tempfile, zoneinfo
import numpy
assert str(zoneinfo.ZoneInfo("Europe/Berlin"))
assert set(os.listdir("/")) >= {"usr", "etc", "proc", "dev", "tmp"}
assert os.path.samefile("/bin/sh", "/usr/bin/sh") or os.path.exists("/bin/sh")
assert subprocess.run([sys.executable, "-c", "import json"]).returncode == 0
print("x", file=open("/dev/stderr", "a"), flush=True)
open("/dev/null", "w").write("x")
for folder in ("/tmp", "/dev/shm", tempfile.gettempdir(), os.environ["HOME"]):
    with open(folder + "/mintage-left-behind", "w") as stream:
        stream.write("x")
assert len(os.listdir("/dev/shm")) == 1
for folder in ("/usr", "/etc"):
    try:
        open(folder + "/mintage-left-behind", "w")
    except OSError:
        continue
    raise SystemExit(1)
"""
    assert walled.walled(script).actions == {"s": "run"}
    assert walled.ran("s")["sandbox"] == "namespace"
    for folder in ("/tmp", "/dev/shm", "/usr", "/etc"):
        assert not Path(folder, "mintage-left-behind").exists()


@NEEDS_ROOT
def test_reads_opens_a_file_to_be_read(walled) -> None:
    script = f"assert open({str(walled.outside)!r}).read()"
    assert f"reads: ['{walled.outside}']" in str(walled.denied(script).hint) or " " not in str(walled.outside)
    keys = f"    reads: ['{walled.outside}']\n"
    assert walled.walled(script, keys=keys).actions == {"s": "run"}
    with pytest.raises(StageFailedError, match="Read-only file system"):
        walled.walled(f"open({str(walled.outside)!r}, 'a')", keys=keys)


def test_a_machine_without_walls_says_so_once_and_runs(walled, monkeypatch) -> None:
    monkeypatch.setattr("mintage.pipeline.walls.close.can_root", lambda: False)
    walled.write('  a: {sh: "echo 1 > a.txt", out: [a.txt]}\n  b: {sh: "echo 1 > b.txt", out: [b.txt]}\n')
    walled.commit()
    walled.run(sandbox=True)
    assert [event.detail for event in walled.told if event.what == "tell"] == [NOT_ENFORCED]
    assert walled.ran("a")["sandbox"] == "none"


def test_the_way_to_a_path_has_the_links_that_are_on_it(tmp_path) -> None:
    real, folder = tmp_path / "real", tmp_path / "new"
    (real / "deep").mkdir(parents=True)
    (real / "deep/file").touch()
    (tmp_path / "short").symlink_to("real/deep")
    (tmp_path / "long").symlink_to(tmp_path / "short")
    folder.mkdir()
    assert plant(folder, f"{tmp_path}/long/../deep/file") == f"{real}/deep/file"
    assert Path(f"{folder}{tmp_path}/long").readlink() == tmp_path / "short"
    assert Path(f"{folder}{tmp_path}/short").readlink() == Path("real/deep")
    assert Path(f"{folder}{real}/deep").is_dir()
    (tmp_path / "loop").symlink_to("loop")
    assert plant(folder, f"{tmp_path}/loop/x") is None
    assert plant(folder, f"{tmp_path}/nowhere") is None
