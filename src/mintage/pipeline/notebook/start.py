"""A stage whose command begins with a notebook: the command that executes it, and where the executed one is kept.

``stage_command`` returns any other command as it is. Of ``run: notebooks/train.ipynb --depth 5`` it makes a start of
``driver.py`` by the stage's interpreter: in the notebook's own folder, as Jupyter does, with a cell after the one
tagged ``parameters`` that assigns what the command and params.yaml give. The notebook in the project is not written.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mintage.errors import ExtraMissingError, FileMissingError, InterpreterError
from mintage.pipeline.environment import Environment
from mintage.pipeline.notebook.given import given_cell, given_values
from mintage.pipeline.notebook.notebook_source import PARAMETERS, parameters_in
from mintage.pipeline.sandbox import Scratch
from mintage.record.manifest import safe_path
from mintage.repo.notebook import NOTEBOOK, code_cells, parse_notebook, strip_notebook

__all__ = ["executed_beside", "is_inside", "is_notebook", "keeping_executed", "stage_command"]

_FOLDER, _EXECUTED = "notebook", "executed.ipynb"


def is_notebook(command: Sequence[str]) -> bool:
    """Whether the command is a notebook to execute.

    >>> is_notebook(["train.ipynb", "--depth", "5"]), is_notebook(["jupyter", "nbconvert", "train.ipynb"])
    (True, False)
    """
    return command[0].endswith(NOTEBOOK)


def is_inside(path: str) -> bool:
    """Whether a path leads nowhere else than into the project.

    >>> is_inside("a/../train.ipynb"), is_inside("../train.ipynb"), is_inside("/train.ipynb")
    (True, False, False)
    """
    return not posixpath.normpath(path).startswith(("/", "../"))


def stage_command(
    command: Sequence[str], *, root: Path, scratch: Scratch, environment: Environment, params: Mapping[str, Any]
) -> list[str]:
    """The words to start; writes the job into the scratch folder if it is a notebook.

    Raises RecordInvalidError for a notebook outside the project, ExtraMissingError or InterpreterError if the
    interpreter lacks IPython, and what reading a notebook and giving it parameters raises.
    """
    if not is_notebook(command):
        return list(command)
    path = safe_path(Path(command[0]).as_posix())
    if not (root / path).is_file():
        raise FileMissingError(f"the notebook {path} is not there", where=path, hint="correct `run:` of the stage")
    _need_ipython(environment)
    notebook = parse_notebook(strip_notebook((root / path).read_bytes(), where=path), where=path)
    cells = code_cells(notebook)
    defaults = {name: value for name, (value, _, _) in parameters_in(cells).items()}
    values = given_values(command[1:], defaults, params, where=path)
    if values:
        place = max(cell.place for cell in cells if PARAMETERS in cell.tags)
        notebook["cells"].insert(place + 1, given_cell(values))
        if notebook.get("nbformat_minor", 0) < 5:
            del notebook["cells"][place + 1]["id"]  # which cells have from 4.5 on
    for cell in notebook["cells"]:
        cell.setdefault("metadata", {})
    folder = scratch.private / _FOLDER
    folder.mkdir()
    job = {
        "name": path,
        "folder": str((scratch.work / path).parent),
        "notebook": notebook,
        "executed": str(folder / _EXECUTED),
        "reads_params": bool(defaults.keys() & params.keys()),
    }
    (folder / "job.json").write_text(json.dumps(job))
    return ["python", str(Path(__file__).with_name("driver.py")), str(folder / "job.json")]


def _need_ipython(environment: Environment) -> None:
    if any(package["name"] == "ipython" for package in environment.frozen["packages"]):
        return
    if environment.named is None:
        raise ExtraMissingError(
            "IPython is not installed, which executes the cells of a notebook",
            where=environment.python,
            hint="`pip install 'mintage[notebook]'`, or name the interpreter that Jupyter uses with `python:`",
        )
    raise InterpreterError(
        f"the interpreter {environment.named} cannot execute a notebook",
        expected="the package ipython, which ipykernel brings",
        where=environment.python,
        hint=f"`{environment.named} -m pip install ipykernel`" if environment.locked is None else "lock ipykernel too",
    )


def executed_beside(log: Path) -> Path:
    """Where the executed notebook of a stage lies, by the path of its log."""
    return log.with_suffix(NOTEBOOK)


@contextlib.contextmanager
def keeping_executed(scratch: Scratch, log: Path) -> Iterator[None]:
    """Copy the executed notebook beside the log when the block ends, however it ends."""
    try:
        yield
    finally:
        made = scratch.private / _FOLDER / _EXECUTED
        if made.is_file():
            log.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, executed_beside(log))
