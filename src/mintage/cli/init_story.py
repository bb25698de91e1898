"""What ``mintage init`` says of the folder that it found: stages and why, interpreter, what Git is kept from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mintage.cli.console import human_size, plural, table
from mintage.pipeline.discover.environment import Found, packages_of
from mintage.pipeline.discover.folder import Folder
from mintage.pipeline.discover.ignorable import LARGE, Ignorable
from mintage.pipeline.discover.survey import Survey
from mintage.repo.locked_python import kind_of

__all__ = ["tell"]

_SHOWN = 8


def tell(found: Survey, out_of_git: Ignorable) -> Iterator[str]:
    """The lines."""
    yield from _stages(found)
    yield from _environment(found.environment, found.locks, needed=bool(found.choice.steps))
    yield from _ignored(out_of_git, found.folder)
    if found.folder.cut:
        yield f"note: the folder has more than {len(found.folder.files)} files; only these were looked at"


def _stages(found: Survey) -> Iterator[str]:
    choice = found.choice
    if found.dvc and not choice.steps:
        yield "This is a project of DVC: `mintage import dvc` takes its stages and data over."
        return
    if not choice.steps:
        yield "No script was found that fits a model. Name yours: mintage init SCRIPT, or write it under `stages:`."
    rows = [(step.path, f"stage {step.name}", step.reason) for step in choice.steps]
    if len(choice.rivals) > 1:
        taken = {step.path for step in choice.steps}
        others = [path for path in choice.rivals if path not in taken]
        if others:
            yield f"TAKEN AS THE LIKELIEST: {', '.join(sorted(taken))}. Also possible: {', '.join(others)}."
            yield f"  If another is meant: delete mintage.yaml, then mintage init {others[0]}"
    left = [(path, "no stage", reason) for path, reason in choice.left]
    if rows or left:
        yield table([*rows, *left[:_SHOWN]], indent="  ")
    if len(left) > _SHOWN:
        yield f"  and {len(left) - _SHOWN} more that are no stages"
    for step in choice.steps:
        if step.needs:
            yield f"note: {step.path} needs {', '.join(step.needs)}: write what it is to get into `run:` of {step.name}"


def _environment(found: Found, locks: Sequence[str], *, needed: bool) -> Iterator[str]:
    yield f"  interpreter: {found.named + ', ' if found.named else ''}Python {found.version}, {found.why}"
    if found.passed_over:
        yield f"note: {found.passed_over}, so it is not used; install it there and write `python:` to change that"
    if locks:
        yield f"  {locks[0]} says what to install; each run records what the interpreter has, with a hash a package"
        if kind_of(locks[0]) in ("uv", "pylock"):
            minor = ".".join(found.version.split(".")[:2])
            written = f'python: {{lock: {locks[0]}, version: "{minor}"}}'
            yield f"hint: `{written}` in mintage.yaml has the stages run in just that"
    else:
        yield "  no file says what to install: each run records the packages that this interpreter has"
    if needed and found.missing:
        packages = " ".join(packages_of(found.missing))
        yield f"note: the scripts import what it lacks: {', '.join(found.missing)}"
        if found.named:
            yield f"hint: {found.named} -m pip install {packages}"
        else:
            yield f"hint: install {packages} beside mintage, or name an interpreter that has them: `python: PATH`"


def _ignored(out: Ignorable, folder: Folder) -> Iterator[str]:
    if out.data:
        yield f"  kept out of Git: {_some(out.data, folder)}; what a run reads of it, Mintage keeps by content"
    if out.secrets:
        yield f"  kept out of Git and out of Mintage's store, by their names secrets: {_some(out.secrets, folder)}"
    large = [path for path in out.tracked if folder.files.get(path, 0) >= LARGE]
    if out.tracked:
        size = f", {plural(len(large), 'large one')} among them" if large else ""
        yield f"note: Git holds {_some(out.tracked, folder)} already{size}; that stays so"


def _some(paths: Sequence[str], folder: Folder) -> str:
    shown = [f"{path} ({human_size(folder.files[path])})" if path in folder.files else path for path in paths[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
