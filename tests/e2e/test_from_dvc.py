"""Projects made with DVC itself: the tutorial, typed; and the same bytes as `dvc get` gives at each revision."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import write_tools

import mintage
from small_project import SmallProject, environment

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorials" / "from-dvc.md"
SCRIPT = """\
import json, sys, yaml
params = yaml.safe_load(open("params.yaml"))
rows = open("data/raw.csv").read().splitlines()
which = sys.argv[1]
open(f"out-{which}.txt", "w").write(f"{which} {len(rows)} {params['rate']}\\n")
json.dump({"rows": len(rows)}, open(f"m-{which}.json", "w"))
"""
PIPELINE = """\
vars: [{kinds: {a: {flag: x}, b: {flag: y}}}]
stages:
  count:
    foreach: ${kinds}
    do:
      cmd: python count.py ${key} --flag ${item.flag}
      deps: [count.py, data/raw.csv]
      params: [rate]
      outs: ["out-${key}.txt"]
      metrics: [{"m-${key}.json": {cache: false}}]
  join:
    wdir: sub
    cmd: [cat ../out-a.txt ../out-b.txt > both.txt, "wc -l < both.txt > lines.txt"]
    deps: [../out-a.txt, ../out-b.txt, ../images, conf]
    outs: [both.txt, lines.txt]
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `dvc`, `python` and `mintage`; skipped where pip cannot install DVC."""
    venv = tmp_path_factory.mktemp("dvc") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    words = [venv / "bin/pip", "install", "-q", "--disable-pip-version-check", "dvc>=3.60", "PyYAML"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"needs DVC, which `pip install dvc` could not install: {done.stderr.strip()[-200:]}")
    folder = tmp_path_factory.mktemp("tools")
    (folder / "dvc").symlink_to(venv / "bin/dvc")
    return write_tools(folder)


@pytest.fixture
def place(tools: Path, tmp_path: Path) -> SmallProject:
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()
    made = SmallProject(tmp_path / "project", tmp_path / "home")
    path = f"{tools}:/usr/local/bin:/usr/bin:/bin"
    made.environment = environment(made.home, PATH=path, DVC_NO_ANALYTICS="1", DVC_GLOBAL_CONFIG_DIR=str(made.home))
    return made


def dvc(place: SmallProject, *words: str) -> None:
    done = subprocess.run(
        ["dvc", *words], cwd=place.root, env=place.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_every_command_of_the_tutorial_does_what_the_page_says(place: SmallProject) -> None:
    typed = type_page(PAGE, place.root, place.environment)
    assert {command.split()[0] for command in typed} >= {"dvc", "git", "mintage", "python"}


@pytest.mark.slow
def test_each_revision_has_the_bytes_that_dvc_gives(place: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    place.git("init", "-q")
    dvc(place, "init", "-q")
    dvc(place, "remote", "add", "-q", "-d", "storage", str(place.home / "storage"))
    dvc(place, "config", "cache.type", "symlink")
    place.write("count.py", SCRIPT)
    place.write("dvc.yaml", PIPELINE)
    place.write("sub/conf/one.ini", "[a]\n")
    for number in (1, 2, 3):
        place.write("params.yaml", f"rate: {number}.0e-05\nother: 1\n")
        if number < 3:
            (place.root / "data/raw.csv").unlink(missing_ok=True)
            place.write("data/raw.csv", "x\r\n" + "1\r\n" * number)
            place.write(f"images/{number}/a.txt", f"image {number}\n")
            dvc(place, "add", "-q", "data/raw.csv", "images")
        dvc(place, "repro", "-q")
        place.commit(f"revision {number}")
        place.git("tag", f"v{number}")
    dvc(place, "push", "-q", "--all-commits")
    dvc(place, "gc", "-q", "-w", "-f")  # the cache keeps the present alone: history comes from the remote

    answer = place.run("import", "dvc", "--json").json
    assert (answer["missing"], answer["missing_before"], answer["problems"]) == ([], [], [])
    assert (answer["adopted"], answer["stale"]) == (["count-a", "count-b", "join"], {})
    assert not (place.root / "data/raw.csv").is_symlink()
    assert place.run("status", "--exit-code").out == "everything is up to date\n"
    assert set(place.run("run", "--json").json["actions"].values()) == {"keep"}

    monkeypatch.chdir(place.root)
    paths = ["data/raw.csv", "out-a.txt", "out-b.txt", "sub/both.txt", "sub/lines.txt", "m-a.json", "images/1/a.txt"]
    for revision in ("v1", "v2", "v3"):
        for path in paths:
            target = place.home / "got"
            target.unlink(missing_ok=True)
            dvc(place, "get", "-q", ".", path, "--rev", revision, "-o", str(target))
            with mintage.open(path, rev=revision) as stream:
                assert stream.read() == target.read_bytes(), (revision, path)

    before = {name: place.lock(name)["outputs"] for name in ("count-a", "count-b", "join")}
    assert set(place.run("run", "--force", "--json").json["actions"].values()) == {"run"}
    assert {name: place.lock(name)["outputs"] for name in before} == before
