"""``mintage python``: what was built from locks, and locks of what is installed, from the command line."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mintage.cli.main import main
from mintage.pipeline.locked.freeze_lock import freeze_lock
from programs import program
from wheels import requirements, write_index, write_wheel

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
pytestmark = pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")


class Project:
    """A project of two stages, and an index of three wheels beside it; ``said`` runs a command."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        self.wheels = root.parent / "wheels"
        self.hashes = {f"{name}==1.0": write_wheel(self.wheels, name, "1.0") for name in ("tiny", "pen")}
        self.index = write_index(self.wheels, root.parent / "simple")
        root.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        (root / "r.txt").write_text(requirements(self.wheels, self.hashes))
        self.write("python: {lock: r.txt}\n")

    def write(self, more: str) -> None:
        stages = "stages:\n  a: {run: python a.py, out: [a.txt]}\n  b: {run: python b.py, out: [b.txt]}\n"
        (self.root / "mintage.yaml").write_text(f"project: p\n{more}{stages}")

    def said(self, *words: str, expect: int = 0) -> tuple[str, str]:
        code = main(["python", *words])
        out, err = self.capsys.readouterr()
        assert code == expect, err
        return out, err


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "a project", capsys)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("UV_DEFAULT_INDEX", made.index)
    for name in ("UV_INDEX_URL", "UV_FIND_LINKS", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", made.index)
    return made


def test_what_was_built_is_listed_with_its_stages_and_goes_when_nobody_names_it(project: Project) -> None:
    assert "not built" in project.said()[0]
    out, err = project.said("build")
    assert out.startswith("r.txt  ") and "building the environment of r.txt" in err
    (row,) = json.loads(project.said("--json")[0])["environments"]
    assert (row["named"], row["stages"], row["packages"]) == ("r.txt", ["a", "b"], 2)
    assert project.said("gc") == ("", "1 environment kept.\n")
    project.write("")
    assert "nothing: `mintage python gc`" in project.said()[0]
    assert project.said("gc") == ("deleted  r.txt\n", "0 environments kept.\n")
    assert "No stage names a lock" in project.said()[1]


def test_only_what_the_named_stages_need_is_built(project: Project) -> None:
    text = project.root.joinpath("mintage.yaml").read_text()
    (project.root / "mintage.yaml").write_text(
        text.replace("out: [b.txt]", f"out: [b.txt], python: {{lock: r.txt, version: '{OWN}'}}")
    )
    assert len(json.loads(project.said("build", "a", "--json")[0])["environments"]) == 1
    (row,) = json.loads(project.said("--json")[0])["environments"]
    assert (row["named"], row["stages"]) == ("r.txt", ["a", "b"])
    _, err = project.said("build", "c", expect=3)
    assert "no stage 'c'" in err


def test_a_freeze_is_a_lock_from_which_the_same_is_built(project: Project) -> None:
    python = json.loads(project.said("build", "--json")[0])["environments"][0]["python"]
    out, err = project.said("freeze", "--of", python, "-o", "frozen.txt")
    assert (out, "2 packages with hashes" in err, f'version: "{OWN}"' in err) == ("", True, True)
    written = (project.root / "frozen.txt").read_text()
    assert all(f"{pin} \\\n    --hash=sha256:{digest}\n" in written for pin, digest in project.hashes.items())
    assert "simple" not in written
    project.write("python: {lock: frozen.txt}\n")
    again = json.loads(project.said("build", "--json")[0])["environments"][0]["python"]
    assert sorted(path.name for path in Path(again).parent.parent.rglob("*.dist-info")) == [
        "pen-1.0.dist-info",
        "tiny-1.0.dist-info",
    ]


def test_what_no_index_has_is_not_pinned_and_said(project: Project) -> None:
    python = json.loads(project.said("build", "--json")[0])["environments"][0]["python"]
    write_wheel(project.wheels, "mine", "1.0")
    wheel = str(project.wheels / "mine-1.0-py3-none-any.whl")
    subprocess.run([str(program("uv")), "pip", "install", "-q", "--no-deps", "--python", python, wheel], check=True)
    gone = Path(project.index.removeprefix("file://"), "pen/index.html")
    gone.write_text(gone.read_text().replace("pen-1.0", "pen-2.0"))
    out, err = project.said("freeze", "--of", python, expect=1)
    assert "not pinned: mine==1.0: installed from a file" in err
    assert "not pinned: pen==1.0: no index here has a wheel of it" in err
    assert "# Not pinned: mine==1.0 (installed from a file).\n" in out and "tiny==1.0 \\\n" in out


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip: python -m ensurepip")
def test_pip_alone_knows_the_hashes_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    python = json.loads(project.said("build", "--json")[0])["environments"][0]["python"]
    monkeypatch.setattr("mintage.pipeline.locked.install.find_uv", lambda: None)
    frozen = freeze_lock(python, version=OWN)
    assert frozen.hashes == {pin: (digest,) for pin, digest in project.hashes.items()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("list", "--all"), "--all goes with `mintage python gc`"),
        (("gc", "a"), "a stage goes with `mintage python build`"),
        (("freeze",), "from a lock already"),
        (("freeze", "--of", "python3", "-o", "uv.lock"), "a requirements file"),
    ],
)
def test_options_that_do_not_go_together_are_refused(project: Project, words: tuple[str, ...], message: str) -> None:
    assert message in project.said(*words, expect=2)[1]


TRAIN = """\
import joblib, pandas
from sklearn.linear_model import LogisticRegression
rows = pandas.read_csv("rows.csv")
joblib.dump(LogisticRegression().fit(rows[["a", "b"]], rows["y"]), "model.joblib")
"""


@pytest.mark.slow
def test_a_model_is_fitted_and_read_in_a_locked_environment_of_real_packages(tmp_path: Path) -> None:
    root = tmp_path / "a project"
    root.mkdir()
    about = f'[project]\nname = "p"\nversion = "0"\nrequires-python = ">={OWN}"\n'
    (root / "pyproject.toml").write_text(f'{about}dependencies = ["scikit-learn", "pandas", "joblib"]\n')
    locked = subprocess.run([str(program("uv")), "lock", "-q"], cwd=root, check=False, capture_output=True, text=True)
    if locked.returncode != 0:
        pytest.skip(f"needs a package index: {locked.stderr.strip()[:200]}")
    rows = "".join(f"{n % 7},{n % 5},{int(n % 7 > n % 5)}\n" for n in range(200))
    (root / "rows.csv").write_text(f"a,b,y\n{rows}")
    (root / "train.py").write_text(TRAIN)
    (root / "mintage.yaml").write_text(
        f'project: p\npython: {{lock: uv.lock, version: "{OWN}"}}\n'
        "stages:\n  train: {run: python train.py, in: [rows.csv], out: [model.joblib]}\n"
        "models: {m: {from: model.joblib, target: y}}\n"
    )
    for words in (("init", "-q"), ("config", "user.email", "t@e.org"), ("config", "user.name", "T")):
        subprocess.run(["git", *words], cwd=root, check=True)
    run = [sys.executable, "-m", "mintage"]
    done = subprocess.run([*run, "run"], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (root / "mintage.lock/model%3Am.json").is_file()
    lock = json.loads((root / "mintage.lock/train.json").read_text())
    listed = subprocess.run([*run, "python", "--json"], cwd=root, check=True, capture_output=True, text=True)
    (row,) = json.loads(listed.stdout)["environments"]
    assert (row["key"], row["stages"]) == (lock["parts"]["environment"], ["train"])
    assert "up to date" in subprocess.run([*run, "run"], cwd=root, check=True, capture_output=True, text=True).stdout
