"""What a ``use`` stands for at its pinned commit: the stage there with its parameters, or files by digest.

Reads only what is here already and runs nothing; ``pin`` fetches, ``bring`` copies bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import FileMissingError, RecordInvalidError, UnknownNameError, UseError
from mintage.pipeline.graph import maker_of
from mintage.pipeline.params import read_params
from mintage.pipeline.uses.pipeline import Member, from_outside, needed, plain
from mintage.record.manifest import safe_path
from mintage.repo.foreign import Foreign
from mintage.repo.locks import Item, Lock, read_locks
from mintage.repo.nearest import nearest_hint
from mintage.repo.project import Project, Stage, parse_project
from mintage.repo.use import Pin, Use
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Used", "kept_use", "open_used", "pinned", "renamed", "used_part"]


@dataclass(frozen=True, kw_only=True)
class Used:
    """What is used: files of the repository at ``pin`` lie in ``root``; its ``stage``, or the stages of a ``pipeline``
    in their order (neither: only files), with ``params``; ``fixed`` are inputs that come from there, by their paths
    there. Who looks at a pipeline adds the ``members``: its stages with their commands and keys."""

    use: Use
    pin: Pin
    root: Path
    project: Project
    stage: Stage | None
    params: dict[str, Any]
    fixed: tuple[Item, ...]
    pipeline: dict[str, Stage] = field(default_factory=dict)
    members: tuple[Member, ...] = ()


def pinned(use: Use, lock: Lock | None) -> Pin | None:
    """The pin of the lock, if it is of this repository and revision."""
    pin = lock.use if lock is not None else None
    return pin if pin is not None and (pin.repo, pin.rev) == (use.repo, use.rev) else None


def open_used(workspace: Workspace, cache: StatCache, name: str, mine: Stage, pin: Pin | None) -> Used:
    """What stage ``name`` uses; raises FileMissingError while that is not pinned or not fetched, and UseError."""
    use = mine.use
    if use is None:
        raise UseError(f"stage {name} uses nothing")
    root = None if pin is None else Foreign(workspace, use).files_dir(pin.commit)
    if pin is None or root is None or not root.is_dir():
        raise FileMissingError(
            f"{use.repo} at {use.rev} is not {'pinned' if pin is None else 'fetched'} yet",
            where=PROJECT_FILE,
            hint="`mintage run` fetches it",
        )
    where = f"{use.repo}@{pin.commit[:12]}:{PROJECT_FILE}"
    try:
        project = parse_project((root / PROJECT_FILE).read_bytes(), where=where, allow_unmade=True)
    except FileNotFoundError:
        project = Project(project="none")
    stage = None if use.stage is None else _stage(project, use, mine, name, where=where)
    pipeline = _pipeline(project, use, mine, name, where=where) if use.pipeline else {}
    running = {use.stage or "": stage} if stage is not None else pipeline
    wanted = from_outside(running, use.inputs) if running else (use.path or "",)
    items = [_model(root, use)] if use.model else [_item(root, cache, plain(each), use, pin) for each in wanted]
    params = _overruled(read_params(root, project.params), use, name) if running else {}
    return Used(
        use=use,
        pin=pin,
        root=root,
        project=project,
        stage=stage,
        params=params,
        fixed=tuple(items),
        pipeline=pipeline,
    )


def renamed(use: Use, items: Sequence[Item]) -> list[Item]:
    """The inputs of the stage here under the paths that they have there."""
    there = zip(use.inputs, items, strict=True)
    return [msgspec.structs.replace(item, path=path.rstrip("/")) for path, item in there]


def used_part(used: Used) -> dict[str, Any]:
    """What enters the key beside what the stage there is: where its outputs come to. Not the commit: what changed
    elsewhere in the repository does not matter."""
    if not used.use.runs:
        return {"to": used.use.here[0]}
    return {"out": {path.rstrip("/"): here.rstrip("/") for path, here in used.use.out.items()}}


def kept_use(store: Store, used: Used, code: Iterable[str]) -> dict[str, Any]:
    """What a record keeps of a use: the pin, inputs that came from there, and the code files by the digests of their
    bytes, which go into the store: the other repository may be gone when they are looked at."""
    kept = {path: store.put_file(used.root / path) for path in code}
    there = [msgspec.structs.replace(item, path=f"{used.use.repo}@{used.use.rev}:{item.path}") for item in used.fixed]
    return {**msgspec.to_builtins(used.pin), "inputs": msgspec.to_builtins(there), "code": kept}


def _stage(project: Project, use: Use, mine: Stage, name: str, *, where: str) -> Stage:
    stage = project.stages.get(use.stage or "")
    if stage is None or stage.use is not None or stage.declares_nothing:
        plain = [each for each, found in project.stages.items() if found.use is None and not found.declares_nothing]
        raise UseError(
            f"there is no stage {use.stage} to use",
            expected=", ".join(plain[:12]) or "no stage that declares what it reads and writes",
            where=where,
            hint=nearest_hint(use.stage or "", plain, otherwise="correct `stage:`, or the revision"),
        )
    _check_paths(f"stage {use.stage} reads", use.inputs, stage.inputs, name, where=where)
    _check_paths(f"stage {use.stage} writes", use.out, stage.outputs, name, where=where)
    return _as_here(stage, use.stage or "", use, mine, name, where=where)


def _pipeline(project: Project, use: Use, mine: Stage, name: str, *, where: str) -> dict[str, Stage]:
    """The stages that make what is used, in order."""
    try:
        names = needed(project.stages, use.out, given=use.inputs)
    except UseError as error:
        error.where = where
        raise
    found = {}
    for each in names:
        stage = project.stages[each]
        if stage.use is not None or stage.declares_nothing:
            raise UseError(
                f"stage {each} of {use.repo} cannot be used",
                expected="stages that declare what they read and write, and use none themselves",
                found="another `use`" if stage.use is not None else "a stage that declares nothing",
                where=where,
                hint=f"give what it writes as `in` of stage {name}",
            )
        found[each] = _as_here(stage, each, use, mine, name, where=where)
    _check_paths(
        "the pipeline reads", use.inputs, [p for stage in found.values() for p in stage.inputs], name, where=where
    )
    return found


def _check_paths(does: str, ours: Iterable[str], theirs: Iterable[str], name: str, *, where: str) -> None:
    known = {plain(path) for path in theirs}
    for path in ours:
        if plain(path) not in known:
            raise UseError(
                f"{does} no {path}",
                expected=", ".join(sorted(known)) or "nothing",
                where=where,
                hint=nearest_hint(path, known, otherwise=f"correct `use:` of stage {name}"),
            )


def _as_here(stage: Stage, there: str, use: Use, mine: Stage, name: str, *, where: str) -> Stage:
    """The stage that is called ``there``, under the conditions of ``mine``, which is called ``name``."""
    if stage.captured:
        raise UseError(
            f"stage {there} captures rows, which only its own project can",
            where=where,
            hint="use the tables as files, with `path: captured/…`",
        )
    if stage.image is not None:
        raise UseError(
            f"stage {there} of {use.repo} runs in a container, which only its own project can",
            where=where,
            hint="use what it writes, with `path:`",
        )
    for key, what in (("env", "variables"), ("secrets", "variables"), ("reads", "files of this machine")):
        lacking = sorted(set(getattr(stage, key)) - set(getattr(mine, key)))
        if lacking:
            raise UseError(
                f"stage {there} of {use.repo} asks for {what} that stage {name} does not give it",
                expected=f"`{key}: [{', '.join(lacking)}]` beside `use`",
                where=PROJECT_FILE,
                hint="add them if its code may see them",
            )
    return msgspec.structs.replace(
        stage,
        network=stage.network and mine.network,
        timeout_s=mine.timeout_s or stage.timeout_s,
        python=mine.python,
    )


def _overruled(values: dict[str, Any], use: Use, name: str) -> dict[str, Any]:
    for key, value in use.params.items():
        *groups, last = key.split(".")
        here: Any = values
        for group in groups:
            here = here.get(group) if isinstance(here, Mapping) else None
        if not isinstance(here, dict) or last not in here or isinstance(here[last], dict):
            raise UnknownNameError(
                f"{use.repo} has no parameter {key!r}, which stage {name} overrules",
                expected=", ".join(values) or "no parameters",
                where=PROJECT_FILE,
            )
        here[last] = value
    return values


def _model(root: Path, use: Use) -> Item:
    lock = read_locks(root).get(f"model:{use.model}")
    if lock is None or not lock.outputs:
        raise UseError(
            f"{use.repo} has no built model {use.model} at {use.rev}", hint="its mintage.lock must be committed there"
        )
    return lock.outputs[0]


def _item(root: Path, cache: StatCache, path: str, use: Use, pin: Pin) -> Item:
    """A path there by digest: as a lock says, or as Git has it."""
    for lock in read_locks(root).values():
        for item in lock.outputs if lock.what in ("data", "stage") else ():
            if item.path == path:
                return item
    try:
        full = root / safe_path(path)
    except RecordInvalidError as error:
        raise UseError("a path leads out of the project", found=error.found) from error
    if full.exists():
        digest, size, folder = cache.digest(full)
        return Item(path=path, digest=digest, size=size, folder=folder)
    maker = maker_of(_stages(root), path)
    raise UseError(
        f"{use.repo} at {use.rev} has no {path}",
        expected="a path that a lock there names, or that Git has",
        found=pin.commit[:12],
        hint=f"stage {maker} writes it: its lock must be committed there" if maker else "correct the path",
    )


def _stages(root: Path) -> dict[str, Stage]:
    """The stages of the project there; none if there is no project."""
    path = root / PROJECT_FILE
    return parse_project(path.read_bytes(), where=PROJECT_FILE, allow_unmade=True).stages if path.is_file() else {}
