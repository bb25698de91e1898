"""The script that executes cells, started as the pipeline starts it, without the pipeline around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from notebooks import make_notebook

import mintage.pipeline.notebook

DRIVER = Path(mintage.pipeline.notebook.__file__).with_name("driver.py")


def drive(folder: Path, *cells: str | tuple[str, ...], **variables: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Exit code, what was printed, and the executed cells."""
    notebook = json.loads(make_notebook(*cells))
    for cell in notebook["cells"]:
        cell["outputs"] = []
    executed = folder / "executed.ipynb"
    job = {
        "name": "n.ipynb",
        "folder": str(folder),
        "notebook": notebook,
        "executed": str(executed),
        "reads_params": False,
    }
    (folder / "job.json").write_text(json.dumps(job))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(folder / "job.json")],
        cwd=folder,
        env=environment | {"HOME": str(folder / "home"), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, json.loads(executed.read_text())["cells"]


def test_what_runs_at_exit_finds_the_variables_of_the_cells(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    hook = "import atexit, sys\natexit.register(lambda: print('at exit', sys.modules['__main__'].found))\n"
    (tmp_path / "site/sitecustomize.py").write_text(hook)
    code, said, _ = drive(tmp_path, "found = 'it'", PYTHONPATH=str(tmp_path / "site"))
    assert (code, said) == (0, "at exit it\n")
    assert not (tmp_path / "home").exists()


def test_cells_stand_where_a_script_of_that_name_would(tmp_path: Path) -> None:
    (tmp_path / "strip.py").write_text("which = 'mine'\n")
    cells = ("import os, sys\nprint(sys.argv, sys.path[0] == os.getcwd(), __name__)", "import start")
    code, said, _ = drive(tmp_path, *cells)
    assert code == 1 and said.startswith("['n.ipynb'] True __main__\n")
    assert "No module named 'start'" in said  # the driver's neighbours are not in the way


def test_outputs_are_kept_as_jupyter_keeps_them(tmp_path: Path) -> None:
    cells = (
        "class Shown:\n    _repr_png_ = lambda self: b'\\x89PNG'\n    __repr__ = lambda self: 'shown'\nShown()",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('more')\n3;",
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('here')",
        "print('x' * 3_000_000)\nprint('last')",
        "%%capture kept\nprint('caught')",
        "kept.stdout, _",
    )
    code, said, executed = drive(tmp_path, *cells)
    assert code == 0, said
    outputs = [cell["outputs"] for cell in executed]
    assert outputs[0][0]["data"] == {"image/png": "iVBORw==", "text/plain": "shown"}
    assert [(output["name"], output["text"]) for output in outputs[1]] == [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("stdout", "more\n"),
    ]
    assert [output["text"] for output in outputs[2]] == ["here\n"]
    assert len(outputs[3][0]["text"]) < 100 and "all of it is in the log" in outputs[3][0]["text"]
    assert "x" * 3_000_000 in said and "last\n" in said
    assert outputs[4] == [] and outputs[5][0]["data"]["text/plain"].startswith("('caught\\n', ")
    assert [cell["execution_count"] for cell in executed] == [1, 2, 3, 4, 5, 6]
    assert {cell["metadata"]["mintage"]["status"] for cell in executed} == {"done"}


def test_an_error_of_several_causes_is_told_from_the_cell_on(tmp_path: Path) -> None:
    cell = "def f():\n    return {}['x']\ntry:\n    f()\nexcept KeyError as e:\n    raise ValueError('no x') from e"
    code, said, executed = drive(tmp_path, cell, "never = 1")
    assert code == 1 and "IPython" not in said
    assert said.startswith('Traceback (most recent call last):\n  File "n.ipynb, cell 1", line 4, in <module>\n')
    assert said.endswith("ValueError: no x\n")
    error = executed[0]["outputs"][0]
    assert (error["ename"], error["evalue"], error["traceback"]) == (
        "ValueError",
        "no x",
        said.rstrip("\n").split("\n"),
    )
    assert [cell["metadata"].get("mintage", {}).get("status") for cell in executed] == ["failed", None]
