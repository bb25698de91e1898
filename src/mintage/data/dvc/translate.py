"""DVC's stages as Mintage's: what is carried over, and for what has no equal the reason. Nothing is dropped in silence.

Decides from what it is given: the definitions, the files that Git tracks, the parameters, and a function that finds the
code of a command. It touches no file itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mintage.data.dvc.command import command_words, stage_command
from mintage.data.dvc.definitions import PARAMS_FILE, Definition
from mintage.data.dvc.outs import path_in
from mintage.data.dvc.revision import declared
from mintage.repo.project import Stage

__all__ = ["Note", "Translated", "Translation", "data_notes", "top_level_notes", "translate"]

FindCode = Callable[[Sequence[str], str], tuple[list[str], str | None]]
_KNOWN = frozenset(
    ["cmd", "wdir", "deps", "outs", "metrics", "plots", "params", "frozen", "desc", "always_changed", "meta"]
)
_FLAGS = frozenset(["cache", "persist", "desc"])
_CODE = (".py", ".pyi", ".sh", ".bash", ".r", ".R", ".jl", ".ipynb", ".sql", ".js", ".pl")


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that a reader should know: which stage or file, and what of it is otherwise or left out."""

    where: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Translated:
    """One stage under its new name, with what DVC calls it and its description."""

    name: str
    origin: Definition
    stage: Stage
    description: str = ""


@dataclass(kw_only=True)
class Translation:
    """The stages in order; ``frozen`` ones became data; the notes."""

    stages: list[Translated] = field(default_factory=list)
    frozen: list[Definition] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def translate(
    definitions: Sequence[Definition],
    *,
    in_git: frozenset[str],
    params: Mapping[str, Any],
    find_code: FindCode,
    data: Iterable[str] = (),
) -> Translation:
    """Translate all stages. ``params`` is the root's params.yaml; ``find_code`` gives the code files of a command's
    words in a folder, and why it could not; ``data`` are versioned paths, whose locks no stage may share."""
    result = Translation()
    outs = {path for one in definitions for path, _ in declared(one) if path is not None}
    names = {path.lower() for path in (*data, *outs)}
    for one in definitions:
        if one.base is None:
            result.notes.append(Note(where=one.name, text="left out: it runs in a folder outside the project"))
        elif not isinstance(one.fields.get("cmd"), str | list) or not one.fields["cmd"]:
            result.notes.append(Note(where=one.name, text="left out: it has no command"))
        elif any(path is None for path, _ in declared(one)):
            result.notes.append(Note(where=one.name, text="left out: it writes outside the project"))
        elif one.fields.get("frozen"):
            result.frozen.append(one)
            text = f"frozen, so its outputs are versioned data now; its command was: {one.fields['cmd']}"
            result.notes.append(Note(where=one.name, text=text))
        else:
            writer = _Writer(one, in_git, params, find_code, outs)
            name = _new_name(one, names)
            stage = writer.stage()
            if name != one.name:
                writer.note(f"is called {name} here")
            description = str(one.fields.get("desc") or "")
            result.stages.append(Translated(name=name, origin=one, stage=stage, description=description))
            result.notes += writer.notes
    return result


def top_level_notes(pipeline: Mapping[str, Any], where: str) -> list[Note]:
    """Notes on the keys of a dvc.yaml beside its stages."""
    reasons = {
        "metrics": "metrics are declared by the stage that writes them",
        "params": "parameters are declared by the stage that takes them",
        "plots": "what a plot looks like has no equal",
        "artifacts": "declare a model under `models:`",
        "datasets": "bring the data in with `mintage add`",
    }
    others = sorted(set(pipeline) - {"stages", "vars", "schema"})
    return [
        Note(
            where=where,
            text=f"left out: {key}: {reasons[key]}" if key in reasons else f"left out: the unknown key {key!r}",
        )
        for key in others
    ]


def data_notes(value: Mapping[str, Any], where: str) -> list[Note]:
    """Notes on the keys of a ``.dvc`` file beside its outputs."""
    notes = []
    if "cmd" in value:
        notes.append(f"left out: the stage in it, of DVC before 1; its command was: {value['cmd']}")
    elif value.get("deps"):
        notes.append("its data stay as they are: where they were imported from is not followed")
    known = {"outs", "md5", "wdir", "deps", "cmd", "frozen", "locked", "desc", "meta", "always_changed"}
    notes += [f"left out: the unknown key {key!r}" for key in sorted(set(value) - known)]
    return [Note(where=where, text=text) for text in notes]


def _new_name(one: Definition, taken: set[str]) -> str:
    folder = posixpath.dirname(one.where).replace("/", ".")
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{folder}.{one.name}" if folder else one.name)
    base = text.strip("-._")[:60] or "stage"
    name, count = base, 1
    while name.lower() in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name.lower())
    return name


class _Writer:
    """Makes one stage; collects notes and what it reads on the way."""

    def __init__(
        self,
        one: Definition,
        in_git: frozenset[str],
        params: Mapping[str, Any],
        find_code: FindCode,
        outs: set[str],
    ) -> None:
        self.one = one
        self.base = one.base or ""
        self.in_git = in_git
        self.params = params
        self.find_code = find_code
        self.outs = outs
        self.notes: list[Note] = []
        self.inputs: list[str] = []
        self.code: list[str] = []
        self.keys: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(Note(where=self.one.name, text=text))

    def stage(self) -> Stage:
        fields = self.one.fields
        command = fields["cmd"] if isinstance(fields["cmd"], str) else [str(step) for step in fields["cmd"]]
        run = stage_command(command, base=self.base)
        found, trouble = self.find_code(command_words(command), self.base)
        if trouble:
            self.note(f"its code was not followed: {trouble}")
        if self.base:
            self.code += found  # scripts are looked for from the root: what another folder has is named
        for dep in fields.get("deps") or []:
            self._dep(str(dep), found)
        for entry in fields.get("params") or []:
            self._params(entry)
        out, metrics = self._outputs()
        self._rest(fields)
        return Stage(
            run=run,
            inputs=tuple(dict.fromkeys(self.inputs)),
            out=tuple(dict.fromkeys(out)),
            metrics=tuple(dict.fromkeys(metrics)),
            params=tuple(dict.fromkeys(self.keys)),
            code=tuple(dict.fromkeys(self.code)),
        )

    def _dep(self, written: str, followed: Sequence[str]) -> None:
        path = path_in(self.base, written)
        if path is None:
            self.note(f"left out of `in`: {written} lies outside the project; changes of it go unseen")
            return
        inner = sorted(out for out in self.outs if out.startswith(path + "/"))
        below = [file for file in self.in_git if file.startswith(path + "/")]
        if path in self.in_git:
            if path not in followed:
                (self.code if path.endswith(_CODE) else self.inputs).append(path)
        elif inner:
            self.inputs += inner
            self.note(f"{path} stands for the outputs in it: {', '.join(inner)}")
        elif below:
            suffixes = sorted({posixpath.splitext(file)[1] for file in below})
            self.code += [f"{path}/**/*{suffix}" for suffix in suffixes if suffix]
            self.code += sorted(file for file in below if not posixpath.splitext(file)[1])
        else:
            self.inputs.append(path)

    def _params(self, entry: Any) -> None:
        wanted = entry if isinstance(entry, dict) else {PARAMS_FILE: [str(entry)]}
        for written, keys in wanted.items():
            path = path_in(self.base, str(written))
            if path is None:
                self.note(f"left out: parameters of {written}, outside the project")
            elif path.endswith(".py"):
                self.code.append(path)
                self.note(f"{path} is not read as values, being Python: all of it counts, as code")
            elif path == PARAMS_FILE and keys:
                for key in keys:
                    self._param(str(key))
            else:
                self.inputs.append(path)
                if keys:
                    self.note(f"all of {path} counts, not only {', '.join(map(str, keys))}: it is an input here")

    def _param(self, key: str) -> None:
        here: Any = self.params
        for part in key.split("."):
            if not isinstance(here, Mapping) or part not in here:
                self.inputs.append(PARAMS_FILE)
                self.note(f"all of {PARAMS_FILE} counts: the parameter {key} is not to be found in it by name")
                return
            here = here[part]
        self.keys.append(key)

    def _outputs(self) -> tuple[list[str], list[str]]:
        out, metrics = [], []
        for key in ("outs", "metrics", "plots"):
            for path, flags in declared(self.one, [key]):
                assert path is not None  # such stages were left out
                if key == "metrics" and path.endswith(".json"):
                    metrics.append(path)
                else:
                    out.append(path)
                    if key == "metrics":
                        self.note(f"{path} is a plain output: only JSON metrics are tracked")
                if flags.get("persist") or flags.get("checkpoint"):
                    self.note(f"{path} does not persist: each run starts without it")
                others = sorted(set(flags) - _FLAGS - {"checkpoint"})
                if others:
                    self.note(f"left out of {path}: {', '.join(others)}")
        return out, metrics

    def _rest(self, fields: Mapping[str, Any]) -> None:
        if fields.get("always_changed"):
            self.note("always_changed has no equal: `mintage run --force` runs it again")
        if "meta" in fields:
            self.note("left out: meta")
        for key in sorted(set(fields) - _KNOWN):
            self.note(f"left out: the unknown key {key!r}")
