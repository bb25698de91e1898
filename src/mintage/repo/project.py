"""``mintage.yaml``: the project's name, its stages, models and environments. See docs/spec/project.md.

Reading a project never runs code from the repository.

>>> project = parse_project(b"project: churn\\nstages:\\n  train: {run: python train.py}\\n", where="mintage.yaml")
>>> project.stages["train"].run
'python train.py'
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError
from mintage.record.manifest import safe_path
from mintage.record.names import check_name
from mintage.repo.yamlfile import Marks, convert, load_yaml

__all__ = ["EnvironmentEntry", "ModelEntry", "Project", "Stage", "parse_project", "unmade_model"]

_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
Positive = Annotated[int, Meta(ge=1)]
Program = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a project file: frozen, strict."""


class Stage(_Part, frozen=True, kw_only=True):
    """One command with its declared inputs and outputs.

    ``params`` names keys of params.yaml (dotted) that the command takes; ``code`` adds files to those found by
    following imports; ``env`` names environment variables that count; ``metrics`` are JSON outputs to track;
    ``captured`` are tables that Mintage makes of the rows that the command split and fitted; ``python`` is its
    interpreter, a path or a command; ``args`` are options that are appended to the command, by name.
    """

    run: str
    inputs: tuple[str, ...] = msgspec.field(name="in", default=())
    out: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    seed: int | None = None
    threads: Positive | None = None
    timeout_s: Positive | None = None
    python: Program | None = None
    args: dict[str, int | float | str] = {}

    @property
    def outputs(self) -> tuple[str, ...]:
        """All that is there after it ran."""
        return (*self.out, *self.captured, *self.metrics)

    @property
    def declares_nothing(self) -> bool:
        """Whether its first run is to be recorded."""
        return not (self.inputs or self.out or self.metrics)


class ModelEntry(_Part, frozen=True, kw_only=True):
    """One model: ``source`` (key ``from``) is the stage output that holds the fitted estimator, ``target`` the column
    or columns that it predicts; without it models/<model>.yaml says so, or a run infers it."""

    source: str = msgspec.field(name="from")
    target: str | tuple[str, ...] | None = None


class EnvironmentEntry(_Part, frozen=True, kw_only=True):
    """One environment: where its gateway listens. Port 0 takes a free one and keeps it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 0


class Project(_Part, frozen=True, kw_only=True):
    """The parsed mintage.yaml."""

    project: str
    stages: dict[str, Stage] = {}
    models: dict[str, ModelEntry] = {}
    environments: dict[str, EnvironmentEntry] = {}
    params: dict[str, object] | None = None
    python: Program | None = None
    remote: Program | None = None


def parse_project(data: bytes, *, where: str, allow_unmade: bool = False) -> Project:
    """Parse and check mintage.yaml; raises FileMalformedError with file, line and column.

    With ``allow_unmade``, a model may be taken from a file that no stage writes: ``unmade_model`` tells of it.
    """
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a project file", expected="keys project, stages, models", where=where)
    project = convert(value, Project, marks, hint="see docs/spec/project.md")
    _check(project, marks)
    for name in project.models:
        if not allow_unmade and (error := unmade_model(project, name, where=marks.at(("models", name)))):
            raise error
    return project


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


def _check_captured(name: str, stage: Stage, marks: Marks) -> None:
    for path in stage.captured:
        if not re.fullmatch(rf"captured/{re.escape(name)}/([^/]+/)?(train|validation|holdout)\.parquet", path):
            raise FileMalformedError(
                f"{path} is no table that Mintage captures",
                expected=f"captured/{name}/train.parquet, or validation.parquet or holdout.parquet there",
                where=marks.at(("stages", name)),
                hint="what the command itself writes goes under `out`",
            )


def _check(project: Project, marks: Marks) -> None:
    check_name(project.project, what="project")
    for name in project.environments:
        check_name(name, what="environment")
    makers: dict[str, str] = {}
    for name, stage in project.stages.items():
        check_name(name, what="stage")
        for option in stage.args:
            _check_option(option, where=marks.at(("stages", name, "args", option)))
        for path in (*stage.inputs, *stage.outputs):
            safe_path(path.rstrip("/"))
        _check_captured(name, stage, marks)
        for path in stage.outputs:
            if path in makers:
                raise FileMalformedError(
                    f"two stages write {path}",
                    found=f"{makers[path]} and {name}",
                    where=marks.at(("stages", name)),
                    hint="give each output one stage",
                )
            makers[path] = name
    for name in project.models:
        check_name(name, what="model")


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
