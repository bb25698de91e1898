"""``mintage.yaml``: the project's name, its stages, models and environments. See docs/spec/project.md.

Reading a project never runs code from the repository.

>>> project = parse_project(b"project: churn\\nstages:\\n  train: {run: python train.py}\\n", where="mintage.yaml")
>>> project.stages["train"].run
'python train.py'
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError, RecordInvalidError
from mintage.record.manifest import safe_path
from mintage.record.names import check_name
from mintage.repo.nearest import nearest_hint
from mintage.repo.stage import Program, Stage
from mintage.repo.stage_form import StageForm, members
from mintage.repo.trigger import Trigger, TriggerForm, plain_trigger
from mintage.repo.yamlfile import Marks, convert, load_yaml

__all__ = [
    "EnvironmentEntry",
    "ModelEntry",
    "Project",
    "ProjectForm",
    "Stage",
    "parse_project",
    "stage_place",
    "unmade_model",
]

_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model: ``source`` (key ``from``) is the stage output that holds the fitted estimator, ``target`` the column
    or columns that it predicts; without it models/<model>.yaml says so, or a run infers it."""

    source: str = msgspec.field(name="from")
    target: str | tuple[str, ...] | None = None


class EnvironmentEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One environment: where its gateway listens. Port 0 takes a free one and keeps it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0


class ProjectForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """mintage.yaml as it is written; its JSON Schema is what ``mintage schema`` prints."""

    project: Annotated[str, Meta(description="the project's name")]
    stages: Annotated[dict[str, StageForm], Meta(description="the stages by name")] = {}
    models: Annotated[dict[str, ModelEntry] | None, Meta(description="the models by name; {}: none")] = None
    environments: Annotated[dict[str, EnvironmentEntry], Meta(description="where models are served, by name")] = {}
    params: Annotated[dict[str, Any] | None, Meta(description="parameters, instead of params.yaml")] = None
    python: Annotated[Program | None, Meta(description="the interpreter of all stages")] = None
    remote: Annotated[Program | None, Meta(description="the folder that is shared by push and pull")] = None
    schedule: Annotated[dict[str, TriggerForm], Meta(description="when stages run by themselves, by name")] = {}


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parsed mintage.yaml: ``stages`` has each member of a matrix, ``families`` the members of what is written
    once; ``names_models`` says that there is a key ``models``, be it empty."""

    project: str
    stages: dict[str, Stage] = {}
    families: dict[str, tuple[str, ...]] = {}
    models: dict[str, ModelEntry] = {}
    names_models: bool = False
    environments: dict[str, EnvironmentEntry] = {}
    params: dict[str, object] | None = None
    python: Program | None = None
    remote: Program | None = None
    schedule: dict[str, Trigger] = {}


def parse_project(data: bytes, *, where: str, allow_unmade: bool = False) -> Project:
    """Parse and check mintage.yaml; raises FileMalformedError with file, line and column.

    With ``allow_unmade``, a model may be taken from a file that no stage writes: ``unmade_model`` tells of it.
    """
    project, marks = _parsed(data, where)
    for name in project.models:
        if not allow_unmade and (error := unmade_model(project, name, where=marks.at(("models", name)))):
            raise error
    return project


def stage_place(data: bytes, name: str, *keys: str | int, where: str) -> str:
    """Where ``keys`` of the stage, or the member of one, stand in the text of mintage.yaml."""
    _, marks = load_yaml(data, where=where)
    return marks.at(("stages", name.partition("@")[0], *keys))


def _plain(form: ProjectForm, marks: Marks) -> Project:
    stages: dict[str, Stage] = {}
    families: dict[str, tuple[str, ...]] = {}
    for name, written in form.stages.items():
        check_name(name, what="stage")
        found = members(name, written, place=lambda *keys, name=name: marks.at(("stages", name, *keys)))
        stages |= found
        if name not in found:
            families[name] = tuple(found)
    return Project(
        project=form.project,
        stages=stages,
        families=families,
        models=form.models or {},
        names_models=form.models is not None,
        environments=form.environments,
        params=form.params,
        python=form.python,
        remote=form.remote,
        schedule={
            name: plain_trigger(name, written, place=lambda *keys, name=name: marks.at(("schedule", name, *keys)))
            for name, written in form.schedule.items()
        },
    )


@functools.lru_cache(maxsize=4)
def _parsed(data: bytes, where: str) -> tuple[Project, Marks]:
    """A command asks for its project more than once; nobody changes what it is given."""
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a project file", expected="keys project, stages, models", where=where)
    _spell_off(value)
    project = _plain(convert(value, ProjectForm, marks, hint="see docs/spec/project.md"), marks)
    _check(project, marks)
    return project, marks


def _spell_off(value: dict[Any, Any]) -> None:
    """To YAML 1.1 the word ``off`` is false, and whoever writes `determinism: off` means the level."""
    stages = value.get("stages")
    for form in stages.values() if isinstance(stages, dict) else ():
        if isinstance(form, dict) and form.get("determinism") is False:
            form["determinism"] = "off"


def unmade_model(project: Project, name: str, *, where: str) -> FileMalformedError | None:
    """The error of a model that no stage writes; None while a stage has yet to be recorded, which may write it."""
    source, made = project.models[name].source, [path for stage in project.stages.values() for path in stage.outputs]
    recorded = any(stage.declares_nothing for stage in project.stages.values())
    if recorded or any(source == path or _holds(path, source) for path in made):
        return None
    return FileMalformedError(
        f"no stage writes {source}, which model {name} is taken from",
        expected="a path under `out` of a stage, or within a folder there",
        found=", ".join(made[:8]) or "no stage with `out`",
        where=where,
        hint=f"correct `from` of model {name}, or let a stage write that file",
    )


def _check_captured(name: str, stage: Stage, where: str) -> None:
    for path in stage.captured:
        if not re.fullmatch(rf"captured/{re.escape(name)}/([^/]+/)?(train|validation|holdout)\.parquet", path):
            raise FileMalformedError(
                f"{path} is no table that Mintage captures",
                expected=f"captured/{name}/train.parquet, or validation.parquet or holdout.parquet there",
                where=where,
                hint="what the command itself writes goes under `out`",
            )


def _check(project: Project, marks: Marks) -> None:
    check_name(project.project, what="project")
    for name in project.environments:
        check_name(name, what="environment")
    family = {member: name for name, made in project.families.items() for member in made}
    makers: dict[str, str] = {}
    for name, stage in project.stages.items():
        written = family.get(name, name)
        for option in stage.args:
            _check_option(option, where=marks.at(("stages", written, "args", option)))
        where = marks.at(("stages", written))
        for path in (*stage.inputs, *stage.outputs):
            _check_path(path, where=where)
        _check_captured(name, stage, where)
        if name in family and stage.declares_nothing:
            raise FileMalformedError(
                f"stage {written} has members, and declares nothing",
                expected="what each member reads and writes, under `in` and `out`",
                where=where,
                hint="record one of them without the matrix first, then put the names of the axes into its paths",
            )
        for path in stage.outputs:
            _check_maker(makers, path.rstrip("/"), name, where=where, is_member=name in family)
    _check_nested(makers, project.families, marks)
    for name in project.models:
        check_name(name, what="model")
    for trigger in project.schedule.values():
        _check_trigger(trigger, project, marks)


def _check_trigger(trigger: Trigger, project: Project, marks: Marks) -> None:
    known = {*project.stages, *project.families}
    for index, name in enumerate(trigger.stages):
        if name not in known:
            raise FileMalformedError(
                f"schedule {trigger.name} names a stage that is not there",
                expected=", ".join(sorted(known)) or "no stage yet",
                found=repr(name),
                where=marks.at(("schedule", trigger.name, "stages", index)),
                hint=nearest_hint(name, known, otherwise="correct it"),
            )
    for index, path in enumerate(trigger.data):
        _check_path(path, where=marks.at(("schedule", trigger.name, "data", index)))


def _check_path(path: str, *, where: str) -> None:
    try:
        safe_path(path.rstrip("/"))
    except RecordInvalidError as error:
        raise FileMalformedError(
            "a path leads out of the project", expected=error.expected, found=error.found, where=where
        ) from error


def _check_maker(makers: dict[str, str], path: str, name: str, *, where: str, is_member: bool) -> None:
    if path in makers:
        raise FileMalformedError(
            f"two stages write {path}" if makers[path] != name else f"stage {name} names {path} twice",
            found=f"{makers[path]} and {name}" if makers[path] != name else None,
            where=where,
            hint="once is enough"
            if makers[path] == name
            else "put ${matrix.AXIS} or ${item} into the path"
            if is_member
            else "give each output one stage",
        )
    makers[path] = name


def _check_nested(makers: Mapping[str, str], families: Mapping[str, tuple[str, ...]], marks: Marks) -> None:
    """No stage writes into a folder that another one writes."""
    family = {member: name for name, made in families.items() for member in made}
    for path, name in makers.items():
        for end in (index for index, char in enumerate(path) if char == "/"):
            other = makers.get(path[:end])
            if other is not None and other != name:
                raise FileMalformedError(
                    f"two stages write into {path[:end]}",
                    found=f"{other} writes all of it, {name} {path}",
                    where=marks.at(("stages", family.get(name, name))),
                    hint="give each output one stage",
                )


def _holds(folder: str, path: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")


def _check_option(name: str, *, where: str) -> None:
    if not _OPTION.fullmatch(name):
        raise FileMalformedError(
            f"{name!r} is not the name of an option",
            expected="a long name without its dashes, such as max-depth",
            where=where,
            hint="write other arguments into `run:`",
        )
