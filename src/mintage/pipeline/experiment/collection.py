"""The experiments of a repository: list them, find one by its name, make new ones, keep a result, delete old ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mintage.errors import FileMissingError, RefusedError, UnknownNameError
from mintage.pipeline.experiment.experiment import PREFIX, Experiment, Found, message_of, read_message, ref_of
from mintage.pipeline.experiment.naming import name_of
from mintage.pipeline.facts import flat_params
from mintage.pipeline.params import PARAMS_FILE, set_param_text
from mintage.pipeline.secret import looks_secret
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.repo.nearest import nearest_hint
from mintage.repo.refs import NewCommit, Ref, delete_refs, list_refs, write_commits
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.repo.yamlfile import load_yaml

__all__ = ["delete", "find", "keep_result", "list_experiments", "make"]

_MOST_BYTES = 50_000_000
_FEW = 200


def list_experiments(workspace: Workspace, *, limit: int | None = None) -> list[Found]:
    """All experiments, or the newest, newest first; nothing is started for each of them."""
    return [_found(ref) for ref in list_refs(workspace.git, PREFIX, limit=limit)]


def _found(ref: Ref) -> Found:
    return Found(ref=ref.name, commit=ref.commit, at=ref.at, experiment=read_message(ref.body))


def _like(workspace: Workspace, base: str, names: Sequence[str]) -> list[Found]:
    """The experiments on ``base`` that have one of the names, be it with a number at its end."""
    below = f"{PREFIX}{base[:12]}"
    few = [f"{below}/{name}{end}" for name in names for end in ("", "-*")]
    return [_found(ref) for ref in list_refs(workspace.git, *(few if len(few) <= _FEW else [below]))]


def find(known: Sequence[Found], name: str) -> Found:
    """The experiment of that name, or ``BASE/NAME``; the newest of several. Raises UnknownNameError."""
    for found in known:
        if name in (found.experiment.name, found.ref.removeprefix(PREFIX), found.ref, found.commit):
            return found
    names = [found.experiment.name for found in known]
    raise UnknownNameError(
        f"there is no experiment {name!r}",
        expected=", ".join(names[:8]) or "none was run",
        hint=nearest_hint(name, names, otherwise="`mintage exp list` shows them"),
    )


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
    known = {found.ref: found for found in _like(workspace, start.base, names)}
    commits, new, done = [], [], []
    for each, own_name in zip(settings, names, strict=True):
        text = _with(start, each)
        experiment = Experiment(
            name=own_name,
            state="planned",
            base=start.base,
            start=blake3_bytes(canonical_bytes({"tree": start.tree, "set": dict(each), "stages": list(stages)})),
            tree=start.tree,
            set=dict(each),
            stages=tuple(stages),
            params=_differing(_params(text, start.path), start.params),
        )
        experiment, before = _named(experiment, known)
        if before is not None and before.experiment.state == "done":
            done.append(before)
            continue
        if before in new:  # the same values twice
            continue
        found = Found(ref=ref_of(experiment), commit="", at=0, experiment=experiment)
        known[found.ref] = found
        files = {f"{start.prefix}{start.path}": text.encode()} if each else {}
        commits.append(
            NewCommit(ref=found.ref, message=message_of(experiment), parent=start.base, tree=start.tree, files=files)
        )
        new.append(found)
    ids = write_commits(workspace.git, commits, now_s=now_s)
    return [msgspec.structs.replace(found, commit=commit) for found, commit in zip(new, ids, strict=True)], done


def keep_result(workspace: Workspace, planned: Found, result: Experiment, *, tree: str) -> None:
    """Put the result's commit on top of that of the plan, which the record of its run names."""
    write_commits(
        workspace.git, [NewCommit(ref=planned.ref, message=message_of(result), parent=planned.commit, tree=tree)]
    )


def delete(workspace: Workspace, found: Iterable[Found]) -> None:
    """Delete experiments: their refs; data in the store stay."""
    delete_refs(workspace.git, (each.ref for each in found))


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
    the file of parameters with its text, and the parameters that HEAD has."""

    base: str
    tree: str
    prefix: str
    path: str
    text: str | None
    params: dict[str, Any]


def _start(workspace: Workspace) -> _Start:
    git = workspace.git
    if (base := git.head()) is None:
        raise RefusedError("there is no commit yet", hint="commit your files first: an experiment rests on a commit")
    tree, _, prefix = git.run("rev-parse", "HEAD^{tree}", "--show-prefix").partition("\n")
    dirty = [name.removeprefix(prefix) for name in git.dirty_paths()]
    if dirty:
        _check_new_files(workspace, dirty)
        tree = git.work_tree()
    path = _parameter_file(workspace)
    full = workspace.root / path
    text = full.read_bytes().decode() if full.is_file() else None
    before = (git.show(base, path) or b"").decode(errors="replace") if path in dirty else text or ""
    return _Start(base=base, tree=tree, prefix=prefix, path=path, text=text, params=_params(before, path))


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


def _parameter_file(workspace: Workspace) -> str:
    inline = not (workspace.root / PARAMS_FILE).is_file() and workspace.project(allow_unmade=True).params is not None
    return PROJECT_FILE if inline else PARAMS_FILE


def _with(start: _Start, settings: Mapping[str, str]) -> str:
    """The text of the file of parameters with the settings in it. Raises UnknownNameError for an unknown one."""
    if start.text is None:
        if settings:
            raise FileMissingError("there are no parameters to set", where=PARAMS_FILE, hint="write params.yaml first")
        return ""
    text = start.text
    for key, value in settings.items():
        text = set_param_text(text, f"params.{key}" if start.path == PROJECT_FILE else key, value)
    return text


def _params(text: str, path: str) -> dict[str, Any]:
    """The parameters in the text; raises FileMalformedError, so a value that breaks the file makes no experiment."""
    value = load_yaml(text.encode(), where=path)[0] if text.strip() else {}
    found = value.get("params") if path == PROJECT_FILE and isinstance(value, dict) else value
    return flat_params(found) if isinstance(found, dict) else {}


def _differing(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in own.items() if key not in base or base[key] != value}
