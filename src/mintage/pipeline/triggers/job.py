"""What a schedule does when its time comes, as shell lines, and which changed files mean that data changed. Pure.

>>> shell_lines(Job(project="churn", name="nightly", stages=("train",), shares=True))
['mintage pull', 'mintage run train', 'mintage push']
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from mintage.errors import ScheduleInvalidError
from mintage.pipeline.graph import order
from mintage.record.names import escape_name
from mintage.repo.locks import LOCK_FOLDER
from mintage.repo.project import Project
from mintage.repo.trigger import Trigger

__all__ = [
    "Job",
    "Place",
    "changed_paths",
    "checked_folder",
    "commit_line",
    "in_clone",
    "job_of",
    "mark",
    "names_taken",
    "shell_lines",
    "unit_name",
]

_FOLDER = re.compile(r"/[\w./@:+,=~ -]*")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where jobs run: the clone's ``folder`` on a machine, ``program`` there; the repository's address, the project's
    folder within it (``prefix``, with ``/`` at its end, or empty), a container ``image``; what a runner does to
    ``install`` what is needed."""

    folder: str
    program: tuple[str, ...] = ("mintage",)
    repository: str | None = None
    prefix: str = ""
    image: str | None = None
    install: str = "python -m pip install mintage"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One schedule of one project: the stages to run, the variables and secrets that they see, the data they read."""

    project: str
    name: str
    stages: tuple[str, ...]
    branch: str = "main"
    commit: bool = False
    shares: bool = False
    variables: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


def job_of(project: Project, trigger: Trigger) -> Job:
    """The job of ``trigger``; its data are those named, or what the stages read and no stage writes."""
    named = [member for stage in trigger.stages for member in project.families.get(stage, (stage,))]
    run = order(project.stages, target=named or None)
    stages = [project.stages[name] for name in run]
    made = [path.rstrip("/") for stage in project.stages.values() for path in stage.outputs]
    read = [path.rstrip("/") for stage in stages for path in stage.inputs]
    return Job(
        project=project.project,
        name=trigger.name,
        stages=trigger.stages,
        branch=trigger.branch,
        commit=trigger.commit,
        shares=project.remote is not None,
        variables=_each(name for stage in stages for name in stage.env),
        secrets=_each(name for stage in stages for name in stage.secrets),
        data=trigger.data or _each(path for path in read if not any(_overlap(path, other) for other in made)),
    )


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _overlap(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def shell_lines(job: Job, *, program: tuple[str, ...] = ("mintage",)) -> list[str]:
    """The commands of a job in the project's folder, with the branch in place; each is to end well."""
    own = shlex.join(program)
    lines = [f"{own} pull"] if job.shares else []
    lines.append(" ".join([f"{own} run", *map(shlex.quote, job.stages)]))
    return [*lines, f"{own} push"] if job.shares else lines


def commit_line(job: Job) -> str:
    """The command that commits what a run changed, if it changed something, and pushes it to the branch."""
    message = shlex.quote(f"mintage: {job.name}")
    commit = f"git add -A . && (git diff --cached --quiet || git commit -q -m {message})"
    return f"{commit} && git push -q origin HEAD:{job.branch}"


def in_clone(job: Job, *, program: tuple[str, ...]) -> str:
    """The whole job as one shell line, within a clone that is there already."""
    lines = [f"git switch -q {job.branch}", f"git pull -q --ff-only origin {job.branch}"]
    return " && ".join([*lines, *shell_lines(job, program=program), *([commit_line(job)] if job.commit else [])])


def changed_paths(job: Job, *, prefix: str) -> list[str]:
    """Globs, from the repository's top, of files of which a change means that the job's data changed: the lock of each
    path, of what lies in it and of what it lies in, and the path itself where Git holds the data."""
    if not job.data:
        raise ScheduleInvalidError(
            f"schedule {job.name} waits for data, and its stages read none",
            expected="`data: [PATH]`, or stages with `in`",
            where="mintage.yaml",
            hint="name the data, or give it `cron`",
        )
    found: dict[str, None] = {}
    for path in (each.rstrip("/") for each in job.data):
        around = [path, *(parent.as_posix() for parent in PurePosixPath(path).parents if parent.name)]
        locks = [f"{LOCK_FOLDER}/{escape_name(each)}.json" for each in around]
        within = f"{LOCK_FOLDER}/{escape_name(f'{path}/')}*.json"
        found |= dict.fromkeys([*locks, within, _literal(path), f"{_literal(path)}/**"])
    return [f"{_literal(prefix)}{pattern}" for pattern in found]


def _literal(path: str) -> str:
    """A path as a glob that means it alone."""
    return re.sub(r"([*?+\[\]!\\])", r"\\\1", path)


def mark(project: str, target: str) -> str:
    """The line by which a rendered file is known."""
    return f"# mintage schedule render --to {target}: of project {project}; change mintage.yaml, then render again"


def unit_name(job: Job, *, limit: int = 63) -> str:
    """A name of lower-case letters, digits and dashes; a long one is cut."""
    text = re.sub(r"[^a-z0-9]+", "-", f"mintage-{job.project}-{job.name}".lower()).strip("-")
    return text[:limit].rstrip("-")


def checked_folder(folder: str) -> str:
    """A folder that needs no care in any of the files; raises ScheduleInvalidError."""
    if not _FOLDER.fullmatch(folder):
        raise ScheduleInvalidError(
            "a folder's path has characters that schedulers read as their own",
            expected="an absolute path of letters, digits, spaces and . / @ : + , = ~ _ -",
            found=repr(folder[:200]),
            hint="clone the project elsewhere, or name another folder with --folder",
        )
    return folder


def names_taken(names: Mapping[str, str]) -> None:
    """Raise ScheduleInvalidError if two schedules got one file: ``names`` is schedule to name."""
    seen: dict[str, str] = {}
    for schedule, name in names.items():
        if name in seen:
            raise ScheduleInvalidError(
                "two schedules would have one name there",
                found=f"{seen[name]} and {schedule}, both {name}",
                where="mintage.yaml",
                hint="rename one of them",
            )
        seen[name] = schedule
