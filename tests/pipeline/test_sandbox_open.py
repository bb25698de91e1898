"""The sandbox: what a stage needs of the machine stays open to it, and what decides whether there are walls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from walled import NEEDS_WALLS, Walled

from mintage.pipeline.walls.private import way_to_hide

pytestmark = NEEDS_WALLS


@pytest.fixture
def walled(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    made = Walled(tmp_path)
    yield made
    made.connection.close()


@pytest.fixture
def apart(monkeypatch):
    """A project that does not lie in /tmp."""
    monkeypatch.delenv("CI", raising=False)
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="mintage-"))
    made = Walled(folder)
    yield made
    made.connection.close()
    shutil.rmtree(folder)


SYSTEM = """
import getpass, locale, os, sqlite3, ssl, subprocess, sys, tempfile, zoneinfo
assert str(zoneinfo.ZoneInfo("Europe/Berlin"))
locale.setlocale(locale.LC_ALL, "C.UTF-8")
ssl.create_default_context()
assert getpass.getuser()
with tempfile.TemporaryFile() as stream:
    stream.write(b"x")
sqlite3.connect("t.db").execute("CREATE TABLE t (a)")
open("/dev/null", "w").write("x")
print("to the log", file=open("/dev/stderr", "a"))
open(os.path.expanduser("~/.cache-of-mine"), "w").write("x")
os.mkdir("deep")
os.rename("t.db", "deep/t.db")
assert subprocess.run([sys.executable, "-c", "import json"]).returncode == 0
assert subprocess.run(["sh", "-c", "cat /proc/self/status > /dev/null"]).returncode == 0
"""


def test_the_system_the_interpreter_and_the_scratch_folder_are_open(walled) -> None:
    assert walled.walled(SYSTEM).actions == {"s": "run"}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_works_and_does_not_see_the_project(walled) -> None:
    script = """
import subprocess
assert subprocess.run(["git", "rev-parse", "HEAD"]).returncode != 0
subprocess.run(["git", "init", "-q", "r"], check=True)
"""
    assert walled.walled(script).actions == {"s": "run"}


def test_processes_that_share_memory_work(walled) -> None:
    script = """
import multiprocessing
from multiprocessing.shared_memory import SharedMemory

def twice(x):
    return 2 * x

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(twice, [1, 2]) == [2, 4]
    block = SharedMemory(create=True, size=10)
    block.close()
    block.unlink()
"""
    assert walled.walled(script).actions == {"s": "run"}


@pytest.mark.slow
def test_joblib_matplotlib_and_data_sets_of_scikit_learn_work(walled) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install matplotlib")
    script = """
import joblib, matplotlib, numpy, sklearn.datasets
matplotlib.use("Agg")
import matplotlib.pyplot as plt

def total(a):
    return float(a.sum())

if __name__ == "__main__":
    big = numpy.ones(1_000_000)
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(total)(big) for _ in range(2)) == [1e6, 1e6]
    plt.plot([1, 2])
    plt.savefig("p.png")
    assert sklearn.datasets.load_iris().data.shape == (150, 4)
    assert sklearn.datasets.get_data_home().startswith(__import__("os").environ["HOME"])
"""
    assert walled.walled(script).actions == {"s": "run"}


def test_a_large_input_is_read_where_the_user_has_it(walled, monkeypatch) -> None:
    monkeypatch.setattr("mintage.store.statcache._RACY_NS", 0)
    (walled.root / "data/in.csv").write_bytes(b"x" * (5 << 20))
    script = "import os\nassert len(open('data/in.csv').read()) == 5 << 20\nassert os.path.islink('data/in.csv')"
    assert walled.walled(script).actions == {"s": "run"}


def test_the_projects_own_package_is_the_declared_copy_behind_an_editable_install(walled) -> None:
    """A .pth file has the project's src on the import path: the copy takes its place, so that the key is true."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=walled.root, check=True)
    (site,) = walled.root.glob(".venv/lib/*/site-packages")
    (site / "own.pth").write_text(f"{walled.root}/src\n")
    package = {"src/own/__init__.py": "", "src/own/a.py": "WHERE = __file__", "src/own/b.py": "x = 1"}
    named = "python: .venv/bin/python\n"
    script = "import own.a\nopen('o.txt', 'w').write(own.a.WHERE)\n"
    stage = "  s:\n    run: python s.py\n    in: [data/in.csv]\n    out: [o.txt]\n"
    files = {"s.py": script, ".gitignore": ".venv\n", **package}
    walled.write(stage, files, more=named)
    walled.commit()
    walled.run(sandbox=True)
    assert walled.read("o.txt").startswith(str(walled.workspace.tmp_dir))
    assert set(walled.ran("s")["parts"]["code"]) == {"s.py", "src/own/__init__.py", "src/own/a.py"}
    undeclared = f"import importlib\nimportlib.import_module('own.b')\n{script}"
    walled.write(stage, {**files, "s.py": undeclared}, more=named)
    walled.run(sandbox=True)
    assert "src/own/b.py" in walled.ran("s")["parts"]["code"], "what is only found as it runs counts too"


@pytest.mark.skipif(way_to_hide() == "none", reason="no mount namespace can be had here")
@pytest.mark.parametrize("network", ["network: true", "network: false"])
def test_tmp_and_shared_memory_are_the_stages_own(apart, network: str) -> None:
    with tempfile.NamedTemporaryFile(prefix="mintage-seen-") as seen:
        script = f"""
import os, tempfile
assert not os.path.exists({seen.name!r})
assert os.listdir("/dev/shm") == []
for folder in ("/tmp", "/dev/shm"):
    open(folder + "/mintage-left-behind", "w").write("x")
assert os.path.exists(tempfile.gettempdir() + "/mintage-left-behind")
"""
        assert apart.walled(script, keys=f"    {network}\n").actions == {"s": "run"}
    assert not [folder for folder in ("/tmp", "/dev/shm") if Path(folder, "mintage-left-behind").exists()]


@pytest.mark.skipif(way_to_hide() == "none", reason="no mount namespace can be had here")
def test_a_file_in_tmp_is_not_there_until_reads_names_it(apart) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="mintage-seen-") as seen:
        seen.write("x")
        seen.flush()
        script = f"assert open({seen.name!r}).read() == 'x'"
        error = apart.denied(script)
        assert f"`reads: [{seen.name}]`" in str(error.hint)
        assert apart.walled(script, keys=f"    reads: [{seen.name}]\n").actions == {"s": "run"}


@pytest.mark.parametrize(
    ("said", "walls"),
    [
        (("", None, None), False),
        (("", "true", None), True),
        (("", "false", None), False),
        (("sandbox: true\n", None, None), True),
        (("sandbox: false\n", "true", None), False),
        (("sandbox: true\n", "true", False), False),
        (("sandbox: false\n", None, True), True),
    ],
)
def test_the_option_comes_before_the_file_and_that_before_ci(walled, monkeypatch, said, walls: bool) -> None:
    key, variable, option = said
    if variable is not None:
        monkeypatch.setenv("CI", variable)
    walled.write('  s: {sh: "echo 1 > o.txt", out: [o.txt]}\n', more=key)
    walled.commit()
    walled.run(sandbox=option)
    assert walled.ran("s").get("sandbox") == ("landlock" if walls else None)


def test_the_command_and_its_shell_have_the_walls(walled) -> None:
    extra = walled.root / "data/extra.csv"
    walled.make(f"open({str(extra)!r}).read()")
    mintage = [sys.executable, "-m", "mintage"]
    given = {"cwd": walled.root, "capture_output": True, "text": True}
    failed = subprocess.run([*mintage, "run", "--sandbox", "--json"], **given, check=False)
    assert failed.returncode == 6
    assert json.loads(failed.stdout)["error"]["code"] == "pipeline.undeclared-read"
    for option, code in (("--sandbox", 1), ("--no-sandbox", 0)):
        shell = subprocess.run([*mintage, "shell", option, "s", "cat", str(extra)], **given, check=False)
        assert (shell.returncode, "Permission denied" in shell.stderr) == (code, bool(code))
    assert subprocess.run([*mintage, "run"], **given, check=False, env={**os.environ, "CI": "false"}).returncode == 0
