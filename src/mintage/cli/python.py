"""``mintage python``: the environments that are built from locks: list, build, freeze, and delete those of no use."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mintage.cli.console import emit, emit_json, human_size, plural, say, table
from mintage.cli.context import Context
from mintage.cli.run_lock import run_lock
from mintage.errors import UnknownNameError, UsageError
from mintage.pipeline.declared_pythons import declared_pythons
from mintage.pipeline.environment import ready_environment
from mintage.pipeline.locked.built import Built, delete, list_built, place_of
from mintage.pipeline.locked.resolve import resolve
from mintage.repo.locked_python import LockedPython
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]

_ACTIONS = {
    "list": "what was built from locks, for which stages",
    "build": "build what stages (all, without) name",
    "freeze": "write a lock with hashes of what is installed",
    "gc": "delete what no stage names any more",
}


def configure(parser: argparse.ArgumentParser) -> None:
    words = "; ".join(f"{name}: {what}" for name, what in _ACTIONS.items())
    parser.add_argument("what", nargs="?", choices=tuple(_ACTIONS), default="list", help=words)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="build: these stages' alone")
    parser.add_argument("--of", metavar="PYTHON", help="freeze: another interpreter than the project's")
    parser.add_argument("-o", "--output", metavar="FILE", help="freeze: write it there, and not to stdout")
    parser.add_argument("--all", action="store_true", help="gc: delete all of them; runs build what they need again")


def run(arguments: argparse.Namespace) -> int:
    given = (
        ("a stage", arguments.stages, "build"),
        ("--of", arguments.of, "freeze"),
        ("--output", arguments.output, "freeze"),
        ("--all", arguments.all, "gc"),
    )
    for option, value, action in given:
        if value and arguments.what != action:
            raise UsageError(f"{option} goes with `mintage python {action}`", hint="see `mintage python --help`")
    workspace = Context.here().workspace
    if arguments.what == "freeze":
        module = importlib.import_module("mintage.cli.python_freeze")
        code: int = module.run(workspace, arguments)
        return code
    workspace.prepare()
    {"list": _list, "build": _build, "gc": _gc}[arguments.what](workspace, arguments)
    return 0


def _list(workspace: Workspace, arguments: argparse.Namespace) -> None:
    built = {each.key: each for each in list_built(workspace)}
    with StatCache(workspace.cache_database) as cache:
        declared: dict[str, tuple[LockedPython, tuple[str, ...]]] = {}
        for locked, stages in declared_pythons(workspace.project(allow_unmade=True)).items():
            key = resolve(workspace, cache, locked).key
            first, others = declared.get(key, (locked, ()))  # two locks may pin the same here
            declared[key] = (first, (*others, *stages))
    keys = [*declared, *(key for key in built if key not in declared)]
    rows = [_about(workspace, key, declared, built.get(key)) for key in keys]
    if arguments.json:
        emit_json({"environments": rows})
        return
    if not rows:
        say("No stage names a lock. `python: {lock: uv.lock}` in mintage.yaml does; so runs are built from it.")
        return
    shown = [
        (
            row["named"],
            row["python"] or "-",
            "-" if row["packages"] is None else row["packages"],
            "not built" if row["bytes"] is None else human_size(row["bytes"]),
            ", ".join(row["stages"]) or ("no stage" if row["declared"] else "nothing: `mintage python gc`"),
        )
        for row in rows
    ]
    emit(table(shown, head=("lock", "python", "packages", "size", "used by")))


def _about(
    workspace: Workspace,
    key: str,
    declared: Mapping[str, tuple[LockedPython, tuple[str, ...]]],
    built: Built | None,
) -> dict[str, Any]:
    locked, stages = declared.get(key, (None, ()))
    frozen = built.described["frozen"] if built is not None else None
    return {
        "named": str(locked) if locked is not None else built.lock if built is not None else None,
        "key": key,
        "declared": locked is not None,
        "stages": list(stages),
        "folder": str(place_of(workspace, key)) if built is not None else None,
        "python": frozen["python"] if frozen is not None else None,
        "packages": len(frozen["packages"]) if frozen is not None else None,
        "bytes": _size(place_of(workspace, key)) if built is not None else None,
        "built_by": built.built_by if built is not None else None,
    }


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _build(workspace: Workspace, arguments: argparse.Namespace) -> None:
    project = workspace.project(allow_unmade=True)
    known = {*project.stages, *project.families}
    for name in arguments.stages:
        if name not in known:
            raise UnknownNameError(
                f"there is no stage {name!r}",
                expected=", ".join(sorted(known)[:20]) or "none declared",
                where="mintage.yaml",
                hint=nearest_hint(name, known, otherwise="see `mintage status`"),
            )
    wanted = {member for name in arguments.stages for member in project.families.get(name, (name,))}
    rows = []
    with StatCache(workspace.cache_database) as cache:
        for locked, stages in declared_pythons(project).items():
            if wanted and not wanted.intersection(stages):
                continue
            environment = ready_environment(workspace, cache, locked, tell=say)
            rows.append({"named": str(locked), "key": environment.key, "python": environment.python})
    if arguments.json:
        emit_json({"environments": rows})
        return
    for row in rows:
        emit(f"{row['named']}  {row['python']}")
    if not rows:
        say("Nothing to build: no stage names a lock.")


def _gc(workspace: Workspace, arguments: argparse.Namespace) -> None:
    with run_lock(workspace, "mintage python gc"), StatCache(workspace.cache_database) as cache:
        declared = () if arguments.all else declared_pythons(workspace.project(allow_unmade=True))
        keep = [resolve(workspace, cache, locked).key for locked in declared]
        gone = delete(workspace, keep=keep, tell=say)
    if arguments.json:
        emit_json({"deleted": gone})
        return
    for name in gone:
        emit(f"deleted  {name}")
    say(f"{plural(len(list_built(workspace)), 'environment')} kept.")
