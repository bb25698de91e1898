"""What people bring that goes wrong, through ``init``, ``run`` and ``certify``: a clear word, nothing lost or leaked.

After every command the user's own files are what they were, byte for byte, and the secret values that lie about, in
variables, files and the output of scripts, are nowhere: not in what is said, not in what Mintage keeps, not in Git.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from foreign_projects import MINTAGE, Answer, Newcomer

from small_project import ended, wait_until

SECRETS = ("hunter2-of-the-variable", "hunter2-of-the-file", "hunter2-of-the-address")
DATA = "amount,age,churned\n" + "".join(f"{n % 17},{n % 23},{int(n % 17 > 8)}\n" for n in range(200))
TRAIN = """\
import joblib, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

rows = pd.read_csv("data.csv")
train, test = train_test_split(rows, test_size=0.3, random_state=1)
model = LogisticRegression().fit(train[["amount", "age"]], train["churned"])
joblib.dump(model, "model.joblib")
"""
HUGE = 1200 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@dataclass(kw_only=True)
class Careless(Newcomer):
    """Someone with secrets in variables and in files, whose own files must stay as they are."""

    variables: dict[str, str] = field(default_factory=dict)
    own: dict[str, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.variables}

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.own[name] = path.read_bytes()

    def ask(self, *words: str) -> Answer:
        """A command, after which nothing of the user's is changed and no secret is anywhere."""
        answer = super().ask(*words)
        self.said.append(answer.out + answer.err)
        self.look_around()
        return answer

    def look_around(self) -> None:
        changed = [name for name, data in self.own.items() if (self.root / name).read_bytes() != data]
        assert not changed, f"{changed} are not what they were"
        places = {f"what was said, {number}": text.encode() for number, text in enumerate(self.said)}
        places |= dict(self.kept())
        for secret in SECRETS:
            leaks = [place for place, data in places.items() if secret.encode() in data]
            assert not leaks, f"{secret} is in {leaks}"

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """All that Mintage and Git keep, by where it is."""
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if name in self.own or not path.is_file() or path.stat().st_size >= HUGE:
                continue
            if name.startswith(".git/objects/") and "/pack/" not in name and "/info/" not in name:
                yield name, zlib.decompress(path.read_bytes())
            else:
                yield name, path.read_bytes()


@pytest.fixture
def person(tmp_path: Path) -> Careless:
    """A folder with data, secrets in a file, and secrets in the variables; no Git, no script."""
    root = tmp_path / "my churn"
    root.mkdir()
    made = Careless(root=root, home=tmp_path / "home")
    made.variables = {"API_TOKEN": SECRETS[0], "DATABASE_URL": f"postgres://tess:{SECRETS[2]}@db.example.org/churn"}
    made.write("data.csv", DATA)
    made.write(".env", f"API_TOKEN={SECRETS[1]}\n")
    return made


def starts(person: Careless, script: str, *, declared: str = "") -> None:
    """``init`` with one script; it becomes the stage ``train``, to which ``declared`` is added."""
    person.write("train.py", script)
    person.type("init", "train.py")
    if declared:
        path = person.root / "mintage.yaml"
        path.write_text(path.read_text().replace("run: python train.py", f"run: python train.py\n{declared}"))


READS = "open('data.csv').read()\n"
STORY = {
    "fails half-way": (
        READS + "open('half.bin', 'w').write('half')\nraise ValueError('row 17 has no age')",
        ("error[pipeline.stage-failed]", "row 17 has no age", "the full output is in the log"),
    ),
    "is killed by the system": (
        READS + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        ("error[pipeline.stage-failed]", "signal 9"),
    ),
    "asks on the terminal": (
        READS + "input('Which learning rate? ')",
        ("error[pipeline.stage-failed]", "a stage has no terminal to ask on"),
    ),
    "changes its own input": (
        READS + "open('data.csv', 'a').write('1,2,3\\n')",
        ("error[pipeline.changes-input]", "data.csv", "yours was not changed"),
    ),
    "deletes its own input": (
        READS + "import os\nos.remove('data.csv')",
        ("error[pipeline.changes-input]", "data.csv", "yours was not changed"),
    ),
    "prints its secret and fails": (
        READS + "raise SystemExit('no access with ' + open('.env').read())",
        ("error[pipeline.stage-failed]", "no access with API_TOKEN=***"),
    ),
}


@pytest.mark.parametrize("what", STORY)
def test_a_script_that_cannot_be_kept_is_refused_with_a_word_and_leaves_nothing(person: Careless, what: str) -> None:
    script, words = STORY[what]
    starts(person, script)
    before = (person.root / "mintage.yaml").read_text()
    answer = person.type("run", expect=6)
    for word in words:
        assert word in answer.err, answer.err
    assert (person.root / "mintage.yaml").read_text() == before
    assert not (person.root / "half.bin").exists() and not list(person.root.glob("mintage.lock/*"))
    answer = person.type("certify", expect=3)
    assert "the project has no model yet" in answer.err and "mintage run" in answer.err


KEEPS = READS + "open('model.bin', 'w').write('a model')\n"
PICKLE = """\
import os, pickle
class Evil:
    def __reduce__(self):
        return os.system, ("cat .env ../../../../.env; touch {touched}; echo 1,2,3 >> {data}",)
pickle.dump(Evil(), open("model.pkl", "wb"))
"""
ODD = {
    "writes outside the project": (
        KEEPS + "open('{outside}/left.txt', 'w').write('left')\n",
        ("left.txt, outside the project: it is not kept",),
    ),
    "asks the network": (
        KEEPS + "import socket\nsocket.getaddrinfo('localhost', 80)\n",
        ("asks the network for localhost: what comes from there is not part of the key",),
    ),
    "prints what is secret": (
        KEEPS + "import os\nprint(dict(os.environ), open('.env').read())\n",
        ("out: [model.bin]",),
    ),
    "writes a model that is none": (
        KEEPS + "open('model.joblib', 'w').write('not a pickle at all')\n",
        ("model.joblib is not taken as a model",),
    ),
    "writes a model that runs a program when it is opened": (
        KEEPS + PICKLE,
        ("model.pkl is not taken as a model",),
    ),
}


@linux
@pytest.mark.parametrize("what", ODD)
def test_an_odd_script_is_kept_with_a_word(person: Careless, tmp_path: Path, what: str) -> None:
    script, words = ODD[what]
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    for name, value in {"outside": outside, "touched": outside / "evil", "data": person.root / "data.csv"}.items():
        script = script.replace(f"{{{name}}}", str(value))
    starts(person, script)
    answer = person.type("run")
    for word in words:
        assert word in answer.err, answer.err
    assert (person.root / "model.bin").read_text() == "a model"
    assert not (outside / "evil").exists()
    assert "the project has no model yet" in person.type("certify", expect=3).err
    assert "up to date" in person.type("run").out


@linux
def test_what_a_script_leaves_running_is_ended_and_said(person: Careless) -> None:
    leaves = "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\nprint('child', child.pid)\n"
    starts(person, f"import subprocess\n{KEEPS}{leaves}")
    assert "leaves sleep running: it was ended" in person.type("run").err
    log = next(person.root.glob(".mintage/logs/*/train.log")).read_text()
    assert not is_running(int(log.split()[1]))


def test_a_script_that_runs_over_its_time_is_ended_with_its_children(person: Careless) -> None:
    loops = "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nprint('child', child.pid)\nchild.wait()\n"
    starts(person, loops, declared="    timeout_s: 1")
    assert "still running after 1" in person.type("run", expect=6).err
    log = next(person.root.glob(".mintage/logs/*/train.log")).read_text()
    assert not is_running(int(log.split()[1]))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def notebook(*cells: str) -> str:
    """A notebook as Jupyter writes it, with an output of an earlier session that printed a secret."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell{place}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": cell,
        }
        for place, cell in enumerate(cells)
    ]
    made[0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [SECRETS[1]]}]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made})


def test_a_notebook_with_an_error_says_where_it_stopped_and_keeps_what_it_did(person: Careless) -> None:
    pytest.importorskip("IPython", reason="needs IPython: pip install 'mintage[dev]'")
    cells = (READS + "model = 1  # model.fit(rows)", "print(open('.env').read())", "print(rows[0])", "print('never')")
    person.write("Train it.ipynb", notebook(*cells))
    person.type("init", "Train it.ipynb")
    answer = person.type("run", expect=6)
    assert "error[pipeline.stage-failed]" in answer.err and "NameError" in answer.err, answer.err
    assert "the cells so far are in that notebook" in answer.err
    executed = next(person.root.glob(".mintage/logs/*/*.ipynb")).read_text()
    assert "API_TOKEN=***" in executed
    assert "the project has no model yet" in person.type("certify", expect=3).err


@linux
def test_ctrl_c_ends_everything_names_the_log_and_the_next_run_says_what_was_interrupted(person: Careless) -> None:
    waits = "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nprint('child', child.pid, flush=True)\n"
    starts(person, f"{READS}{waits}child.wait()\n")
    with ended(_started(person, "run")) as process:
        wait_until(lambda: _log_says(person, "child") or process.poll() is not None, "the script")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    log = next(person.root.glob(".mintage/logs/*/train.log"))
    assert (process.returncode, out) == (130, "")
    assert "nothing is lost" in err and str(log.relative_to(person.root)) in err and "Traceback" not in err, err
    assert not is_running(int(log.read_text().split()[1]))
    person.said.append(err)
    person.write("train.py", KEEPS)
    answer = person.type("run")
    said = f"train        was interrupted in run {log.parent.name}, and nothing of it was kept"
    assert said in answer.err, answer.err
    assert "was interrupted" not in person.type("run").err


@linux
@pytest.mark.slow
def test_data_that_takes_long_to_read_is_said_read_once_and_not_blown_up(person: Careless) -> None:
    starts(person, KEEPS + "open('huge.bin', 'rb').read(10)\n")
    huge = person.root / "huge.bin"
    with huge.open("wb") as stream:
        stream.truncate(HUGE)
    word = "huge.bin has 1.3 GB: it is read once, and copied into the store"
    assert word in person.type("run").err
    kept = [path for path in person.root.rglob("b3/*/*") if path.stat().st_size == HUGE]
    assert len(kept) == 1 and kept[0].stat().st_blocks * 512 < 1 << 20
    assert huge.stat().st_size == HUGE and huge.stat().st_blocks == 0


def _started(person: Careless, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MINTAGE, *words],
        cwd=person.root,
        env=person.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def _log_says(person: Careless, text: str) -> bool:
    return any(text in path.read_text() for path in person.root.glob(".mintage/logs/*/train.log"))


def test_a_model_that_a_stage_does_not_write_is_the_models_error_and_the_result_is_kept(person: Careless) -> None:
    starts(person, KEEPS)
    path = person.root / "mintage.yaml"
    path.write_text(path.read_text() + "models:\n  churn: {from: model.joblib}\n")
    answer = person.type("run", expect=3)
    assert "no stage writes model.joblib" in answer.err and "model.bin" in answer.err, answer.err
    assert (person.root / "model.bin").read_text() == "a model"
    assert (person.root / "mintage.lock/train.json").exists()
    path.write_text(path.read_text().replace("models:\n  churn: {from: model.joblib}\n", "models: {}\n"))
    assert "up to date" in person.type("run").out


@pytest.mark.slow
def test_without_git_and_with_a_dirty_tree_a_model_is_certified_and_the_users_work_stays(person: Careless) -> None:
    starts(person, TRAIN)
    git = ["git", "-c", "user.name=Tess", "-c", "user.email=tess@example.org"]
    person.write("notes.md", "half a thought")
    subprocess.run([*git, "add", "notes.md"], cwd=person.root, env=person.environment, check=True)
    person.write("notes.md", "half a thought, and another half")
    before = _git(person, "diff", "--cached", "notes.md")
    assert "models" in person.type("run").err
    assert person.ask("certify").code in (0, 1)
    assert _git(person, "diff", "--cached", "notes.md") == before
    assert _git(person, "for-each-ref", "refs/heads") == ""
    assert _git(person, "stash", "list") == ""


def _git(person: Careless, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=person.root, env=person.environment, capture_output=True, text=True, check=True
    ).stdout
