"""Notebooks as stages, driven as a person does: executed, recorded, kept, given parameters, kept out of Git."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks import make_notebook

from small_project import FILES, MINTAGE, SmallProject, ended, wait_until

TRAIN = (
    "# Train",
    ("depth = 3\nname = 'x'", "parameters"),
    "%matplotlib inline\nimport sys\nimport clean\nrows = clean.rows('../data/a.csv')",
    "!cat ../data/a.csv\nfiles = !ls ../data\nfiles",
    "from IPython.display import HTML, display\nshown = display(HTML('<b>bold</b>'), display_id=True)\n"
    "shown.update(HTML('<b>bolder</b>'))",
    "open('../model.txt', 'w').write(f'{depth} {name} {rows}')\nprint('written', file=sys.stderr)",
    "import atexit, mintage\natexit.register(lambda: open('../last.txt', 'w').write('at exit'))\n"
    "mintage.log_metrics({'rows': rows})",
)
CLEAN = "def rows(path):\n    return len(open(path).read().split()) - 1\n"


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    """A folder with one notebook beside a module that it imports, in Git; nothing is declared."""
    (tmp_path / "home").mkdir()
    made = SmallProject(tmp_path / "a project", tmp_path / "home")
    made.write("mintage.yaml", "project: p\nstages:\n  train:\n    run: notebooks/train.ipynb\n")
    made.write("notebooks/train.ipynb", make_notebook(*TRAIN))
    made.write("notebooks/clean.py", CLEAN)
    made.write("data/a.csv", "x\n1\n2\n")
    made.git("init", "-q")
    made.commit("mine")
    return made


def cells(project: SmallProject, *sources: str | tuple[str, ...]) -> None:
    project.write("notebooks/train.ipynb", make_notebook(*sources))


def said(project: SmallProject, *words: str, expect: int) -> str:
    """What a command prints, where the traceback of a cell may be part of it."""
    done = subprocess.run(
        [*MINTAGE, *words], cwd=project.root, env=project.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout if expect == 0 or "--json" in words else done.stderr


def failed(project: SmallProject) -> dict[str, str]:
    """The error of a run in which a cell fails."""
    error: dict[str, str] = json.loads(said(project, "run", "--json", expect=6))["error"]
    return error


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or is nothing but an entry that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_notebook_is_recorded_declared_and_locked_and_the_second_run_does_nothing(project: SmallProject) -> None:
    mine = project.read("notebooks/train.ipynb")
    answer = project.run("run")
    assert "in: [data/a.csv]\n    out: [last.txt, model.txt]" in project.read("mintage.yaml")
    assert (project.read("model.txt"), project.read("last.txt")) == ("3 x 2", "at exit")
    assert "depth = 3 (notebooks/train.ipynb cell 1:1), name = x (notebooks/train.ipynb cell 1:2)" in answer.err
    assert "note: it" not in answer.err, answer.err
    assert project.read("notebooks/train.ipynb") == mine
    assert project.run("run").out == "up to date: 1 stage\n"
    parts = project.lock("train")["parts"]
    assert sorted(parts["code"]) == ["notebooks/clean.py", "notebooks/train.ipynb"]
    entry = project.record(project.lock("train")["run"])["body"]["stages"]["train"]
    assert entry["metrics"] == {"rows": 2.0}

    again = project.run("run", "--force")  # in the sandbox now, with what is declared
    assert project.read("model.txt") == "3 x 2" and "done in" in again.err


def test_a_seed_is_placed_in_its_cell_by_the_notebooks_path_in_the_project(project: SmallProject) -> None:
    cells(project, "value = 7", "import random\nrandom.seed(value)\nopen('../model.txt', 'w').write('x')")
    assert "seeds set: random.seed(7) (notebooks/train.ipynb, cell 2:2)" in project.run("run").err


def test_the_executed_notebook_is_kept_and_shown(project: SmallProject) -> None:
    project.run("run")
    shown = project.run("notebook", "train").out
    assert "# Train\n\n--- cell 1\ndepth = 3\nname = 'x'\n\n--- cell 2\n%matplotlib inline" in shown
    assert "--- shows\nx\n1\n2\n['a.csv']\n" in shown and "an old output" not in shown
    assert shown.count("<b>bolder</b>") == 1  # in the cell, not in what it shows
    project.run("notebook", "train", "--output", "kept.ipynb")
    kept = json.loads(project.read("kept.ipynb"))
    assert kept == project.run("notebook", "train", "--json").json
    outputs = [cell["outputs"] for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert outputs[2][1]["data"]["text/plain"] == "['a.csv']" and outputs[2][1]["execution_count"] == 3
    assert [output["data"]["text/html"] for output in outputs[3]] == ["<b>bolder</b>"]
    assert outputs[4] == [{"output_type": "stream", "name": "stderr", "text": "written\n"}]
    assert project.run("notebook", "train", "--output", "kept.ipynb", expect=2).err.startswith("error[usage.invalid]")
    log = next((project.root / ".mintage/logs").rglob("train.log")).read_text()
    assert "['a.csv']\n" in log and "written\n" in log


def test_running_cells_in_jupyter_does_not_make_the_stage_stale_but_an_edit_does(project: SmallProject) -> None:
    project.run("run")
    cells(project, "# Other prose", *TRAIN[1:])
    value = json.loads(project.read("notebooks/train.ipynb"))
    value["cells"][1] |= {"execution_count": 900, "outputs": []}
    project.write("notebooks/train.ipynb", json.dumps(value))
    assert project.run("status").out == "everything is up to date\n"
    cells(project, *TRAIN[:-1], TRAIN[-1] + "\n")
    assert "code notebooks/train.ipynb changed" in project.run("why", "train").out
    cells(project, *TRAIN)
    project.write("notebooks/clean.py", CLEAN.replace("- 1", "- 0"))
    assert "code notebooks/clean.py changed" in project.run("why", "train").out


def test_git_takes_the_notebook_without_outputs_and_the_file_keeps_them(project: SmallProject) -> None:
    answer = project.run("run")
    assert "Git takes notebooks without outputs from now on (.gitattributes)" in answer.err
    assert project.read(".gitattributes") == "*.ipynb filter=mintage-notebook\n"
    mine = project.read("notebooks/train.ipynb")
    assert "an old output" in project.git("show", "HEAD:notebooks/train.ipynb")
    os.utime(project.root / "notebooks/train.ipynb", (1, 1))  # as when Jupyter saves it
    project.commit("with Mintage")
    assert "an old output" not in project.git("show", "HEAD:notebooks/train.ipynb")
    assert project.read("notebooks/train.ipynb") == mine
    assert project.git("status", "--porcelain") == ""
    assert "Git takes" not in project.run("run", "--force").err


def test_what_is_no_notebook_yet_goes_to_git_as_it_is(project: SmallProject) -> None:
    project.run("run")
    project.write("half.ipynb", "<<<<<<< ours\n{}\n")
    project.commit("half merged")
    assert project.git("show", "HEAD:half.ipynb") == "<<<<<<< ours\n{}"


def test_a_filter_that_the_project_has_already_stays(project: SmallProject) -> None:
    project.write(".gitattributes", "*.ipynb filter=nbstripout\n")
    assert "Git takes" not in project.run("run").err
    assert project.read(".gitattributes") == "*.ipynb filter=nbstripout\n"


@pytest.mark.slow
def test_parameters_come_from_the_command_and_from_params_yaml(project: SmallProject) -> None:
    project.write("params.yaml", "depth: 7\nother: 1\n")
    project.replace("mintage.yaml", "train.ipynb", "train.ipynb --name 'a b'")
    project.run("run")
    assert project.read("model.txt") == "7 a b 2"
    assert "params: [depth, other]" in project.read("mintage.yaml")
    assert "--- given parameters\ndepth = 7\nname = 'a b'\n" in project.run("notebook", "train").out
    project.write("params.yaml", "depth: 8\nother: 1\n")
    assert "params.depth changed: 7 -> 8" in project.run("why", "train").out
    project.run("run")
    assert project.read("model.txt") == "8 a b 2"
    project.replace("mintage.yaml", "--name", "--nme")
    assert "hint: did you mean 'name'?" in project.run("run", expect=3).err


def test_an_error_says_the_cell_and_the_notebook_so_far_is_kept(project: SmallProject) -> None:
    cells(project, "# One", "print('before')", "def f(x):\n    raise ValueError(f'bad {x}')\nf(1)", "print('after')")
    before = project.read("mintage.yaml")
    answer = failed(project)
    assert answer["message"].startswith("stage train failed in cell 2 of 3, `def f(x):`: exit code 1\nTraceback ")
    assert answer["message"].endswith("cell 2\", line 2, in f\n    raise ValueError(f'bad {x}')\nValueError: bad 1")
    executed = json.loads(Path(answer["where"]).read_text())
    outputs = [cell["outputs"] for cell in executed["cells"][1:]]
    assert outputs[0][0]["text"] == "before\n" and outputs[1][0]["ename"] == "ValueError" and outputs[2] == []
    assert project.read("mintage.yaml") == before


@pytest.mark.parametrize(
    ("cell", "says", "hint"),
    [
        ("input('?')", "EOFError", "a stage has no terminal to ask on"),
        ("x = = 1", "SyntaxError: invalid syntax", "see the last lines above; the cells so far are in that notebook"),
        ("%nothing", "Line magic function `%nothing` not found", "see the last lines"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9", "see the last lines"),
        ("import sys\nsys.exit('no luck')", "no luck", "see the last lines"),
        ("import no_such_thing", "No module named 'no_such_thing'", "install no_such_thing there"),
        ("open('../data/none.csv')", "No such file", "it saw the project's files"),
    ],
    ids=lambda value: value.split()[0],
)
def test_each_way_to_fail_says_which_cell_and_what_to_do(
    project: SmallProject, cell: str, says: str, hint: str
) -> None:
    cells(project, "a = 1", cell)
    error = failed(project)
    assert "failed in cell 2 of 2" in error["message"] and says in error["message"], error["message"]
    assert hint in error["hint"]
    assert "site-packages" not in error["message"]


def test_a_notebook_outside_the_project_is_refused(project: SmallProject) -> None:
    (project.home / "train.ipynb").write_text(make_notebook("a = 1"))
    project.replace("mintage.yaml", "notebooks/train.ipynb", str(project.home / "train.ipynb"))
    assert project.run("run", "--json", expect=4).json["error"]["code"] == "record.invalid"


def test_an_input_that_is_not_declared_is_named_from_the_project(project: SmallProject) -> None:
    project.run("run")
    project.write("data/b.csv", "1\n")
    cells(project, *TRAIN, "open('../data/b.csv')")
    assert "so: `in: [data/a.csv, data/b.csv]`" in said(project, "run", expect=6)


def test_exit_ends_a_notebook_as_it_ends_a_script_and_an_awaited_error_goes_on(project: SmallProject) -> None:
    cells(
        project, ("1 / 0", "raises-exception"), "import asyncio\nawait asyncio.sleep(0)\nexit()", "open('no.txt', 'w')"
    )
    project.run("run")
    assert not (project.root / "notebooks/no.txt").exists()
    shown = said(project, "notebook", "train", expect=0)
    assert "ZeroDivisionError" in shown and "--- cell 2, exited" in shown and "--- cell 3, not run" in shown


def test_a_run_installs_nothing(project: SmallProject) -> None:
    cells(project, "!pip install no-such-package\n%pip install no-such-package", "open('../made.txt', 'w').close()")
    project.run("run")
    shown = project.run("notebook", "train").out
    assert shown.count("left out: ") == 2 and "a stage runs in its environment as it is" in shown


@pytest.mark.slow
def test_a_time_limit_ends_the_notebook_and_all_that_it_started(project: SmallProject) -> None:
    project.replace("mintage.yaml", "train.ipynb\n", "train.ipynb\n    timeout_s: 8\n")
    pid = project.home / "pid"
    cells(project, "print('here')", f"!sh -c 'echo $$ > {pid}; exec sleep 1000'")
    answer = failed(project)
    assert "failed in cell 2 of 2" in answer["message"] and "still running after 8 s" in answer["message"]
    wait_until(lambda: has_ended(int(pid.read_text())), "the end of what the cell started")
    assert json.loads(Path(answer["where"]).read_text())["cells"][0]["outputs"][0]["text"] == "here\n"


def test_an_interrupt_ends_it_and_keeps_the_notebook_so_far(project: SmallProject) -> None:
    pid = project.home / "pid"
    cells(project, "print('here')", f"!sh -c 'echo $$ > {pid}; exec sleep 1000'")
    with ended(project.start("run")) as process:
        wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"), "the second cell")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    wait_until(lambda: has_ended(int(pid.read_text())), "the end of what the cell started")
    kept = json.loads(next((project.root / ".mintage/logs").rglob("train.ipynb")).read_text())
    assert kept["cells"][0]["outputs"][0]["text"] == "here\n"


def test_an_interpreter_of_its_own_needs_ipython_and_is_told_so(project: SmallProject) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project.root / ".venv")], check=True)
    project.write(".gitignore", ".venv\n")
    project.replace("mintage.yaml", "train.ipynb\n", "train.ipynb\n    python: .venv/bin/python\n")
    error = project.run("run", "--json", expect=5).json["error"]
    assert error["message"] == "the interpreter .venv/bin/python cannot execute a notebook"
    assert error["hint"] == "`.venv/bin/python -m pip install ipykernel`"


@pytest.mark.slow
def test_a_model_from_a_notebook_is_built_and_its_chain_verifies(fresh: SmallProject) -> None:
    fresh.write("train.ipynb", make_notebook("# Train", FILES["train.py"]))
    fresh.replace("mintage.yaml", "python train.py", "train.ipynb")
    fresh.run("run")
    fresh.commit("from a notebook")
    chain = fresh.run("verify", "buys").out
    assert "code files match" in chain and "NO" not in chain
