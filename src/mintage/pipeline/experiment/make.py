"""Make experiments: the work tree as it is, with values set, as commits that are to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import FileMalformedError, RefusedError
from mintage.pipeline.experiment.collection import experiments_like
from mintage.pipeline.experiment.experiment import Experiment, Found, message_of, ref_of
from mintage.pipeline.experiment.naming import name_of
from mintage.pipeline.experiment.values import VALUE_FILES, set_values, values_in
from mintage.pipeline.secret import looks_secret
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.repo.refs import NewCommit, write_commits
from mintage.repo.workspace import Workspace

__all__ = ["make"]

_MOST_BYTES = 50_000_000


def make(
    workspace: Workspace,
    settings: Sequence[Mapping[str, str]],
    *,
    stages: Sequence[str] = (),
    name: str | None = None,
    now_s: float | None = None,
) -> tuple[list[Found], list[Found]]:
    """Make an experiment for each of ``settings``, from the work tree as it is; returns those to run, and those that
    were done before with just this tree and these values.

    The same few Git processes make one or thousands. Raises RefusedError for what should not get into Git.
    """
    start = _start(workspace)
    names = [name_of(each, prefix=name) if each else (name or name_of(each)) for each in settings]
    known = {found.ref: found for found in experiments_like(workspace, start.base, names)}
    commits, new, done = [], [], []
    for each, own_name in zip(settings, names, strict=True):
        texts = set_values(start.texts, each)
        experiment, before = _named(_planned(start, each, texts, name=own_name, stages=stages), known)
        if before is not None and before.experiment.state == "done":
            done.append(before)
            continue
        if before in new:  # the same values twice
            continue
        found = Found(ref=ref_of(experiment), commit="", at=0, experiment=experiment)
        known[found.ref] = found
        files = {f"{start.prefix}{path}": text.encode() for path, text in texts.items()}
        commits.append(
            NewCommit(ref=found.ref, message=message_of(experiment), parent=start.base, tree=start.tree, files=files)
        )
        new.append(found)
    ids = write_commits(workspace.git, commits, now_s=now_s)
    return [msgspec.structs.replace(found, commit=commit) for found, commit in zip(new, ids, strict=True)], done


def _planned(
    start: _Start, settings: Mapping[str, str], texts: Mapping[str, str], *, name: str, stages: Sequence[str]
) -> Experiment:
    return Experiment(
        name=name,
        state="planned",
        base=start.base,
        start=blake3_bytes(canonical_bytes({"tree": start.tree, "set": dict(settings), "stages": list(stages)})),
        tree=start.tree,
        set=dict(settings),
        stages=tuple(stages),
        params=_differing(values_in({**start.texts, **texts}), start.values),
    )


def _named(experiment: Experiment, known: Mapping[str, Found]) -> tuple[Experiment, Found | None]:
    """The experiment under a free name, or under that of the same one, which is returned too."""
    plain, number = experiment.name, 1
    while (before := known.get(ref_of(experiment))) is not None and before.experiment.start != experiment.start:
        number += 1
        experiment = msgspec.structs.replace(experiment, name=f"{plain}-{number}")
    return experiment, before


@dataclass(frozen=True, kw_only=True)
class _Start:
    """What experiments begin with: HEAD's commit, the tree of the work tree, where the project lies in the repository;
    the files that have values, and the values that HEAD has."""

    base: str
    tree: str
    prefix: str
    texts: dict[str, str]
    values: dict[str, Any]


def _start(workspace: Workspace) -> _Start:
    git = workspace.git
    if (base := git.head()) is None:
        raise RefusedError("there is no commit yet", hint="commit your files first: an experiment rests on a commit")
    tree, _, prefix = git.run("rev-parse", "HEAD^{tree}", "--show-prefix").partition("\n")
    dirty = [name.removeprefix(prefix) for name in git.dirty_paths()]
    if dirty:
        _check_new_files(workspace, dirty)
        tree = git.work_tree()
    texts = {path: _text(full) for path in VALUE_FILES if (full := workspace.root / path).is_file()}
    before = {
        path: (git.show(base, path) or b"").decode(errors="replace") if path in dirty else text
        for path, text in texts.items()
    }
    return _Start(base=base, tree=tree, prefix=prefix, texts=texts, values=values_in(before))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise FileMalformedError("not a text in UTF-8", found=str(error), where=str(path)) from error


def _check_new_files(workspace: Workspace, dirty: Sequence[str]) -> None:
    """Refuse files that would make the repository large, or that passwords are kept in."""
    for path in dirty:
        full = workspace.root / path
        if full.is_file() and full.stat().st_size > _MOST_BYTES:
            raise RefusedError(
                f"{path} is too large for a commit",
                expected="at most 50 MB",
                found=f"{full.stat().st_size / 1e6:.0f} MB",
                hint=f"`mintage add {path}` versions it, or put it into .gitignore",
            )
        if looks_secret(path) and full.is_file():
            raise RefusedError(
                f"{path} looks like a file of passwords or keys, and would be committed",
                where=str(full),
                hint="put it into .gitignore: an experiment is a commit, which may be pushed",
            )


def _differing(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in own.items() if key not in base or base[key] != value}
