"""What the walls kept a stage from, as an error of one that failed for it, or a remark of one that went on.

Python processes name the file and the line that asked (``recording.missed``). What native libraries and other programs
were denied is taken from the last lines of the log, if they say it there: pyarrow, polars, LightGBM, XGBoost, SQLite,
DuckDB and the common commands do. Each file comes with the line of mintage.yaml that opens it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import StageFailedError, UndeclaredReadError
from mintage.pipeline.closure import _resolve, scripts_of
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.places import place_in
from mintage.pipeline.recording.insert import key_lines
from mintage.pipeline.recording.missed import Missed
from mintage.pipeline.recording.outside import is_data
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.sandbox import tail_of
from mintage.pipeline.walls.close import way
from mintage.pipeline.walls.opened import projects
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["explained", "went_on"]

_REFUSED = re.compile(
    r"no such file|filenotfound|permission ?(denied|error)|errno 13|errno 2\b|os error (2|13)\b|is not readable|"
    r"(can ?not|could ?n[o']t|unable to|failed to) (be )?(open|read|load|access)|not (be )?found|does( not|n't) exist",
    re.IGNORECASE,
)
_PLAINLY = re.compile(r"permission denied|no such file|can ?not open", re.IGNORECASE)
_MODULE = re.compile(r"(?:ModuleNotFoundError: No module named|ImportError: .* from) '([\w.]+)'")
_STARTS = re.compile(r"file://|(?:^|[\s'\"`(\[=:,<])(?=[^\s'\"`(\[=:,<])")
_ENDS = re.compile(r"[\s'\"`)\],;:?>]|\.(?=\s|$)")
_WIDTH, _LONGEST = 2000, 1000
_PACKAGE = "/__init__.py"
_MOST, _SHOWN, _LINES = 12, 6, 60


@dataclass(frozen=True, kw_only=True)
class _Named:
    """Files by what is to be written for them."""

    inputs: tuple[str, ...]
    code: tuple[str, ...]
    by_own_path: tuple[str, ...]
    outside: tuple[str, ...]


def explained(
    error: StageFailedError, facts: StageFacts, recording: Recording, *, root: Path, work: Path, log: Path
) -> StageFailedError:
    """``error``, or if the walls are the reason of it, one that names the files, where they were asked for, and what to
    write into mintage.yaml."""
    if not facts.sandbox or way() == "none" or recording.finished.timed_out:
        return error
    said = error.message.partition("\n")[2]
    tail = f"{tail_of(log, lines=_LINES)}\n{said}"
    denied = _denied(facts, _at_home(recording.missed, root), tail, root=root, work=work)
    if not denied:
        return error
    paths = ", ".join(one.path for one in denied[:3]) + (f" and {len(denied) - 3} more" if len(denied) > 3 else "")
    place = next((f" ({one.place})" for one in denied if one.place), "")
    return UndeclaredReadError(
        f"stage {facts.name} reads {paths}, which it does not declare{place}" + (f"\n{said}" if said else ""),
        expected="only what it declares: it runs in the sandbox",
        found=error.found,
        where=error.where,
        hint="\n".join(
            [*_what_to_write(facts, _sorted_out(facts, denied), root), *(error.hint or "").splitlines()[1:]]
        ),
    )


def went_on(
    facts: StageFacts, recording: Recording, *, root: Path, work: Path, log: Path
) -> tuple[Recording, tuple[str, ...]]:
    """Remarks of what a sandboxed command that ended well had asked for in vain, and the recording without that.

    What other programs than Python asked for is known if they said so in the log.
    """
    if not facts.sandbox or way() == "none":
        return recording, ()
    own = {path.rstrip("/") for path in facts.stage.outputs}  # of an earlier run
    lines = [line for line in tail_of(log, lines=_LINES).splitlines() if _PLAINLY.search(line)]
    asked = _with_said(facts, _at_home(recording.missed, root), lines, root=root, work=work)
    named = _sorted_out(facts, [one for one in asked if not _holds(own, one.path)])
    places = {one.path: f"{one.path} ({one.place})" if one.place else one.path for one in asked}
    remarks = []
    for name, paths in (("in", named.inputs), ("code", named.code)):
        if paths:
            line = _line(facts, name, paths)
            remarks.append(f"asks for {_some(paths, places)}, which `{name}` does not name: write `{line}`")
    remarks += [
        f"asks for {places[path]} by an absolute path, and was denied: say {path} instead" for path in named.by_own_path
    ]
    if named.outside:
        line = _line(facts, "reads", named.outside)
        remarks.append(f"asks for {_some(named.outside, places)}, outside the project, and was denied: write `{line}`")
    return dataclasses.replace(recording, asked=(), outside_reads=()), tuple(remarks)


def _some(paths: Sequence[str], places: Mapping[str, str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(places[path] for path in paths[:_SHOWN]) + more


def _line(facts: StageFacts, name: str, paths: Sequence[str]) -> str:
    """The line of mintage.yaml that has ``paths`` too."""
    known = {"in": facts.stage.inputs, "code": facts.stage.code, "reads": facts.stage.reads}[name]
    return key_lines({name: tuple(dict.fromkeys((*known, *paths)))}, indent="", width=None)[0]


def _denied(facts: StageFacts, missed: Iterable[Missed], tail: str, *, root: Path, work: Path) -> tuple[Missed, ...]:
    """Of what a failed command asked for, what its last lines name as the reason; all, where they name no file."""
    opens = [one for one in missed if one.opened]
    lines = [line for line in tail.splitlines() if _REFUSED.search(line)]
    named = [one for one in opens if any(Path(one.path).name in line for line in lines)]
    named = _with_said(facts, named, lines, root=root, work=work)
    module = _MODULE.search(tail)
    if module is not None:
        named += [Missed(path=path) for path in _module_files(facts, module[1], root)]
    return tuple((named or (opens if lines else []))[:_MOST])


def _with_said(
    facts: StageFacts, known: Sequence[Missed], lines: Iterable[str], *, root: Path, work: Path
) -> list[Missed]:
    """``known``, and what the lines of a log name beside them."""
    libraries = (*facts.environment.folders, *facts.environment.prefixes)
    said = {path for line in lines for path in _paths(line, root=root, work=work, libraries=libraries)}
    more = _at_home([Missed(path=path) for path in sorted(said)], root)
    paths = {one.path for one in known}
    return [*known, *(one for one in more if one.path not in paths)]


def _at_home(missed: Iterable[Missed], root: Path) -> list[Missed]:
    """In a work tree, a file of the project around it goes by its path in the project."""
    found = []
    for one in missed:
        around = next((project for project in projects(root) if one.path.startswith(f"{project}/")), None)
        own = one.path if around is None else one.path[len(str(around)) + 1 :]
        found.append(dataclasses.replace(one, path=own))
    return found


def _what_to_write(facts: StageFacts, named: _Named, root: Path) -> list[str]:
    hints = []
    for name, paths in (("in", named.inputs), ("code", named.code)):
        if paths:
            where = f" at {place_in(root, facts.name, name)}" if (root / PROJECT_FILE).is_file() else ""
            hints.append(f"write `{_line(facts, name, paths)}` for stage {facts.name}{where}")
    hints += [
        f"open {path} by that path, from the project's folder: absolute ones are closed" for path in named.by_own_path
    ]
    if named.outside:
        one = named.outside[0]
        copy, line = shlex.quote(f"data/{Path(one).name}"), _line(facts, "reads", named.outside)
        hints.append(
            f"bring it into the project (`cp {shlex.quote(one)} {copy}`, `mintage add {copy}`)"
            f" and name {copy} under `in`; or let stage {facts.name} read it where it is: `{line}`"
        )
    return hints


def _sorted_out(facts: StageFacts, denied: Sequence[Missed]) -> _Named:
    inside = [one.path for one in denied if one.inside]
    declared = [path for path in inside if _holds(_declared(facts) | set(facts.parts["code"]), path)]
    code = [path for path in inside if path.endswith(".py") and path not in declared]
    return _Named(
        inputs=tuple(path for path in inside if path not in declared and path not in code),
        code=tuple(code),
        by_own_path=tuple(declared),
        outside=tuple(one.path for one in denied if not one.inside),
    )


def _declared(facts: StageFacts) -> set[str]:
    return {path.rstrip("/") for path in (*facts.stage.inputs, *(item.path for item in facts.inputs))}


def _holds(folders: set[str], path: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _paths(line: str, *, root: Path, work: Path, libraries: Sequence[str]) -> set[str]:
    """Files that a line names and that are there: of the project by their path in it, others by an absolute one."""

    def elsewhere(path: str) -> bool:
        ours = path.startswith((f"{work.parent}/", f"{root}/"))
        return not ours and is_data(path, libraries=libraries) and os.path.isfile(path)  # noqa: PTH113 it may be no path

    def missing(path: str) -> bool:
        if path.startswith(("/", "..", ".git", ".mintage")) or not path.strip("./") or os.path.exists(work / path):  # noqa: PTH110 as above
            return False
        full = root / path
        return os.path.exists(full) if "/" in path or "." in path else os.path.isfile(full)  # noqa: PTH110, PTH113 as above

    def inside(path: str) -> bool:
        return os.path.exists(root / path)  # noqa: PTH110 as above

    found = set()
    for match in _STARTS.finditer(line[:_WIDTH]):
        text = line[match.end() : match.end() + _LONGEST]
        if text.startswith(f"{root}/") and not text.startswith(f"{work}/"):
            found.add(_longest(text[len(str(root)) + 1 :], inside))
        elif text.startswith(("...", "…")):
            found.add(_shortened(text.lstrip(".…"), root, inside))
        elif text.startswith("/") and not text.startswith(f"{work}/"):
            found.add(_longest(text, elsewhere))
        else:
            found.add(_longest(text.removeprefix(f"{work}/").removeprefix("./"), missing))
    return found - {""}


def _shortened(text: str, root: Path, is_one: Callable[[str], bool]) -> str:
    """A file of the project by the end of its path, as libraries tell of a long one; empty if it is none."""
    name = f"/{root.name}/"
    before, _, after = text.partition(name)
    path = _longest(after, is_one)
    return path if path and f"{root}/{path}".endswith(f"{before}{name}{path}") else ""


def _longest(text: str, is_one: Callable[[str], bool]) -> str:
    """The longest beginning of ``text`` that is a file, as a path may have spaces in it; empty if there is none."""
    ends = [len(text), *(match.start() for match in reversed(list(_ENDS.finditer(text))))]
    return next((text[:end] for end in ends if end and is_one(text[:end])), "")


def _module_files(facts: StageFacts, module: str, root: Path) -> list[str]:
    """Files of the project that hold a module which could not be imported, and are no part of the stage; for a package
    the glob of all that is in it."""
    bases = [Path(script).parent for script in scripts_of(facts.command, root)] or [Path()]
    found = [path for path in _resolve(module, bases, root) if path not in facts.parts["code"]]
    return [f"{path[: -len(_PACKAGE)]}/**/*.py" if path.endswith(_PACKAGE) else path for path in found]
