"""Say why a stage failed: how it ended, the last lines of its output, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

from mintage.errors import StageFailedError
from mintage.pipeline.environment import Environment
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.sandbox import Finished

__all__ = ["failure"]

_LINES = 20


def failure(facts: StageFacts, finished: Finished, *, log: Path, root: Path) -> StageFailedError:
    """The error of a command that did not end with exit code 0."""
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LINES:])
    if finished.timed_out:
        found = f"still running after {facts.stage.timeout_s} s"
    elif finished.exit_code < 0:
        found = f"ended by signal {-finished.exit_code}"
    else:
        found = f"exit code {finished.exit_code}"
    return StageFailedError(
        f"stage {facts.name} failed: {found}" + (f"\n{tail}" if tail else ""),
        expected="exit code 0",
        found=found,
        where=str(log),
        hint=_hint(tail, facts, root),
    )


def _hint(tail: str, facts: StageFacts, root: Path) -> str:
    module = re.search(r"(?:ModuleNotFoundError: No module named|ImportError: .* from) '([\w.]+)", tail)
    if module is not None:
        return _import_hint(module[1], facts.environment, root)
    if "EOFError" in tail:
        return "a stage has no terminal to ask on: give the answer as an argument in `run:`, or as a parameter"
    if "MlflowException" in tail and "not found" in tail:
        return (
            "each stage begins with an empty MLflow folder: hand a model on as a file under `out:`, "
            "or let the script name a tracking server"
        )
    if "FileNotFoundError" in tail or "No such file" in tail:
        return _file_hint(tail, facts, root)
    return "see the last lines above; the full output is in the log"


def _file_hint(tail: str, facts: StageFacts, root: Path) -> str:
    stage = facts.stage
    if stage.declares_nothing:
        return (
            "it saw the project's files and those of the stages above it in mintage.yaml: "
            "bring what it needs into the project, or move the stage that writes it up"
        )
    lines = [line for line in tail.splitlines() if "No such file" in line or "FileNotFoundError" in line]
    named = {path for line in lines for path in re.findall(r"[\w./-]+", line) if not path.startswith((".", "/"))}
    there = sorted(path for path in named if (root / path).exists())
    if there:
        line = ", ".join((*stage.inputs, *there))
        return f"a stage sees only its declared inputs and code; name it under `in:`, so: `in: [{line}]`"
    return "a stage sees only its declared inputs and code: if it reads another file, name it under `in:`"


def _import_hint(module: str, environment: Environment, root: Path) -> str:
    """Where a module that could not be imported is looked for, and how to name another interpreter."""
    if environment.named is not None:
        if module.partition(".")[0] == "mintage":
            return f"install mintage for {environment.named}, or read the JSON file at $MINTAGE_PARAMS instead"
        return f"the stage runs with {environment.named}: install {module} there, or correct `python:`"
    if (root / ".venv/bin/python").exists():
        return f"the stage runs with {environment.python}; for the project's own, say `python: .venv/bin/python`"
    return f"the stage runs with {environment.python}: install {module} there, or name another with `python:`"
