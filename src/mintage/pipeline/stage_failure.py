"""Say why a stage failed: how it ended, the last lines of its output, and what to do about it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from mintage.errors import DataError, StageChangesInputError, StageFailedError
from mintage.pipeline.environment import Environment
from mintage.pipeline.environment_change import explained
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.notebook.executed import Stopped, stopped_at
from mintage.pipeline.notebook.start import executed_beside, is_notebook
from mintage.pipeline.sandbox import Finished
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["changes_input", "failure"]

_LINES = 20
_CHANGES = 6


def changes_input(facts: StageFacts, paths: Sequence[str], *, root: Path) -> StageChangesInputError:
    """The error of a stage that changed ``paths``, which it reads, in its scratch folder."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return StageChangesInputError(
        f"stage {facts.name} changes what it reads: {', '.join(paths[:3])}{more}",
        expected="outputs under names of their own",
        where=str(root / paths[0]),
        hint="write to another file, so that it can run again from the same input; yours was not changed",
    )


def changed_meanwhile(facts: StageFacts, paths: Sequence[str], *, root: Path) -> DataError:
    """The error of inputs that somebody else changed in the project while the stage read them."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return DataError(
        f"{', '.join(paths[:3])}{more} changed while stage {facts.name} read it",
        where=str(root / paths[0]),
        hint="run again when nothing writes to it",
    )


def failure(
    facts: StageFacts, finished: Finished, *, log: Path, root: Path, asked: Sequence[str] = (), here: bool = True
) -> StageFailedError:
    """The error of a command that did not end with exit code 0; ``asked`` are files of the project that it looked for
    and that were not in its folder. ``here``: it ran in the work tree that the user stands in."""
    stopped = _stopped(executed_beside(log))
    said = stopped.said if stopped is not None and stopped.said else log.read_text(errors="replace")
    tail = "\n".join(said.splitlines()[-_LINES:])
    if finished.timed_out:
        found = f"still running after {facts.stage.timeout_s} s"
    elif finished.exit_code < 0:
        found = f"ended by signal {-finished.exit_code}"
    else:
        found = f"exit code {finished.exit_code}"
    place = f" in {stopped.place}" if stopped is not None else ""
    error = StageFailedError(
        f"stage {facts.name} failed{place}: {found}" + (f"\n{tail}" if tail else ""),
        expected="exit code 0",
        found=found,
        where=str(log if stopped is None else executed_beside(log)),
        hint="\n".join([_hint(tail, facts, root, asked), *(what_to_look_at(facts, root) if here else [])]),
    )
    error.ended = "timeout" if finished.timed_out else finished.exit_code
    return error


def what_to_look_at(facts: StageFacts, root: Path) -> list[str]:
    """What changed since the stage last succeeded, and the commands that show more."""
    name = shlex.quote(facts.name)
    shell = "" if facts.stage.declares_nothing else f"; `mintage shell {name}` opens a shell where it ran"
    return [*_since(facts, root), f"`mintage logs {name}` prints all that it said{shell}"]


def _since(facts: StageFacts, root: Path) -> list[str]:
    if facts.lock is None:
        return []
    store = Store(Workspace(root).store_dir)
    changes = explained(store, facts.lock, facts.parts, frozen=facts.environment.frozen)
    if not changes:
        return ["nothing that it declares has changed since it last succeeded"]
    more = f"; and {len(changes) - _CHANGES} more" if len(changes) > _CHANGES else ""
    return [f"changed since it last succeeded: {'; '.join(changes[:_CHANGES])}{more}"]


def _stopped(executed: Path) -> Stopped | None:
    """Where a notebook stopped; None for a stage that is none."""
    return stopped_at(json.loads(executed.read_bytes())) if executed.is_file() else None


def _hint(tail: str, facts: StageFacts, root: Path, asked: Sequence[str]) -> str:
    module = re.search(r"(?:ModuleNotFoundError: No module named|ImportError: .* from) '([\w.]+)", tail)
    if module is not None:
        if (path := _module_file(module[1], root)) is not None and path not in facts.around:
            return f"{path} is no code that Git tracks or would track: name it under `code:`, or let Git have it"
        return _import_hint(module[1], facts.environment, root)
    if "No space left on device" in tail or "Errno 28" in tail:
        return "the disk is full: free some space and run again; nothing of this stage was kept, and nothing was lost"
    if "EOFError" in tail or tail.rstrip().endswith(("Aborted!", "click.exceptions.Abort")):
        return "a stage has no terminal to ask on: give the answer as an argument in `run:`, or as a parameter"
    missing = asked or _missing_files(tail, facts, root)
    if missing and not facts.stage.declares_nothing:
        from mintage.pipeline.recording.compare import declared_line

        line = declared_line(facts.stage, "in", missing)
        return f"a stage sees only its declared inputs and code; name it under `in:`, so: `{line}`"
    if "MlflowException" in tail and "not found" in tail:
        return (
            "each stage begins with an empty MLflow folder: hand a model on as a file under `out:`, "
            "or let the script name a tracking server"
        )
    if "FileNotFoundError" in tail or "No such file" in tail:
        return _file_hint(facts)
    if is_notebook(facts.command):
        return "see the last lines above; the cells so far are in that notebook, the full output in the log beside it"
    return "see the last lines above; the full output is in the log"


def _file_hint(facts: StageFacts) -> str:
    if facts.stage.declares_nothing:
        return (
            "it saw the project's files and those of the stages above it in mintage.yaml: "
            "bring what it needs into the project, or move the stage that writes it up"
        )
    return "a stage sees only its declared inputs and code: if it reads another file, name it under `in:`"


def _missing_files(tail: str, facts: StageFacts, root: Path) -> list[str]:
    """Files of the project that lines about a missing file name, as libraries that are not Python say it."""
    found = set()
    for line in tail.splitlines():
        if not re.search(r"no such file|FileNotFoundError|unable to open|cannot open|not found", line, re.IGNORECASE):
            continue
        words = re.findall(r"'([^']+)'|\"([^\"]+)\"|([^\s'\",;:]+(?=[\s,;:]|$))", line)
        tails = re.split(r": ", line)[1:]
        found |= {_in_project(word) for word in (*map("".join, words), *tails)}
    declared = {path.rstrip("/") for path in facts.stage.inputs}
    return sorted(path for path in found - {""} - declared if (root / path).exists())


def _in_project(path: str) -> str:
    """A path as the project has it; empty if it can be none."""
    path = re.sub(r"^.*/\.mintage/tmp/[0-9a-f]+/work/", "", path.rstrip(".")).removeprefix("./")
    hidden = path.startswith(("/", "..", ".git", ".mintage"))
    return "" if hidden or not path.strip("./") else path


def _module_file(module: str, root: Path) -> str | None:
    """The file of the project that a module's name stands for."""
    stem = module.replace(".", "/")
    options = [f"{base}{stem}{tail}" for base in ("", "src/") for tail in (".py", "/__init__.py")]
    return next((path for path in options if (root / path).is_file()), None)


def _import_hint(module: str, environment: Environment, root: Path) -> str:
    """Where a module that could not be imported is looked for, and how to name another interpreter."""
    if "image" in environment.frozen:
        return f"the stage runs in {environment.named}, which has no {module}: name an image that has it"
    if environment.locked is not None:
        return f"the stage runs with what {environment.named} pins: add what brings {module}, and lock again"
    if environment.named is not None:
        if module.partition(".")[0] == "mintage":
            return f"install mintage for {environment.named}, or read the JSON file at $MINTAGE_PARAMS instead"
        return f"the stage runs with {environment.named}: install {module} there, or correct `python:`"
    if (root / ".venv/bin/python").exists():
        return f"the stage runs with {environment.python}; for the project's own, say `python: .venv/bin/python`"
    return f"the stage runs with {environment.python}: install {module} there, or name another with `python:`"
