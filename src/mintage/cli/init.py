"""``mintage init [SCRIPT...]``: make this folder a project: Git repository, stages, .gitignore, signing key, trust.

It finds the scripts or notebooks that train, shows what it writes as a diff, and offers to commit them. In a
project it changes nothing and says what is there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from mintage.attest.trust import Role, render_trust
from mintage.audit.keyfile import ensure_audit_key
from mintage.cli.ask import ask_which, can_ask
from mintage.cli.commit_offer import offer_commit
from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.cli.init_story import tell
from mintage.cli.new_file import show_change
from mintage.errors import ProjectError, ScriptUndecidedError, UsageError
from mintage.pipeline.discover.choose import Choice
from mintage.pipeline.discover.first_lines import first_lines
from mintage.pipeline.discover.ignorable import Ignorable
from mintage.pipeline.discover.survey import Survey, keep_out, survey
from mintage.record.names import check_name, name_from
from mintage.repo.ignore import IGNORE_FILE, ignore_text
from mintage.repo.remote import REMOTES
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.publish import publish_bytes

__all__ = ["configure", "copy_template", "run"]

_TRUST = "trust.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help="scripts or notebooks to take, in this order")
    parser.add_argument("--name", help="the project's name (default: the folder's)")
    parser.add_argument("--template", help="start from a shipped project: flights")
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: take the likeliest, and commit what is written"
    )


def run(arguments: argparse.Namespace) -> int:
    root = Path.cwd()
    context = Context(Workspace(root))
    if (root / PROJECT_FILE).exists() or arguments.template:
        return _without_a_look(context, arguments)
    name = check_name(arguments.name or name_from(root.name), what="project")
    git = context.workspace.git
    has_git = git.is_repository() and not _is_ignored(context.workspace)
    if not has_git:
        _refuse_home(root)
    found = survey(
        root,
        git if has_git else None,
        named=arguments.scripts,
        variables=os.environ,
        decide=lambda choice: _decide(choice, yes=arguments.yes, quiet=arguments.json),
    )
    wrote = [] if has_git else [_start_repository(context.workspace)]
    before = set(git.dirty_paths(IGNORE_FILE))
    out = keep_out(found.folder, git)
    text = first_lines(name, found.choice.steps, python=found.environment.named, remote=f"{REMOTES}/{name}")
    diffs = [*_write_ignore(root, out), (PROJECT_FILE, "", text)]
    publish_bytes(root / PROJECT_FILE, text.encode())
    context.workspace.project()
    diffs += _write_trust(context)
    wrote += [path for path, _, _ in diffs]
    if arguments.json:
        commit = _commit(context, [path for path, _, _ in diffs], before, yes=True) if arguments.yes else None
        emit_json({**_basics(context, wrote), **_findings(found, out), "commit": commit})
        return 0
    emit(f"project {name} in {root}")
    for line in (*_place(context.workspace), *tell(found, out)):
        emit(line)
    for path, old, new in diffs:
        if path != _TRUST:
            show_change(path, old, new)
    _tell_key(wrote)
    _commit(context, [path for path, _, _ in diffs], before, yes=arguments.yes)
    say("Next: mintage run" if found.choice.steps else "Next: write a stage into mintage.yaml, then mintage run")
    return 0


def _without_a_look(context: Context, arguments: argparse.Namespace) -> int:
    """A project is there already, or a template brings one: nothing is searched for, and nothing is changed."""
    root = context.workspace.root
    there = (root / PROJECT_FILE).exists()
    if arguments.scripts:
        raise ProjectError(
            f"{PROJECT_FILE} is there already" if there else "a template brings its own scripts",
            where=str(root),
            hint=f"write under `stages:`: {{train: {{run: python {arguments.scripts[0]}}}}}" if there else None,
        )
    copied = copy_template(arguments.template, root) if arguments.template else []
    has_git = context.workspace.git.is_repository()
    wrote = [*([] if has_git else [_start_repository(context.workspace)]), *copied]
    project = context.workspace.project()
    diffs = _write_trust(context)
    wrote += [path for path, _, _ in diffs]
    if arguments.json:
        emit_json(_basics(context, wrote))
        return 0
    emit(f"project {project.project} in {root}" + (", as it was" if there else ""))
    for path in wrote:
        emit(f"  wrote {path}")
    if there:
        emit(f"  stages: {', '.join(project.stages) or 'none'}; models: {', '.join(project.models) or 'none'}")
    _tell_key(wrote)
    written = [path for path in wrote if (root / path).is_file()]
    if written:
        offer_commit(
            context.workspace.git, written, f"Start {project.project} with Mintage", yes=arguments.yes, ask=True
        )
    say("Next: mintage status" if there else "Next: mintage run")
    return 0


def _refuse_home(root: Path) -> None:
    """All of a person's files are no project; whoever means it makes the repository first."""
    if root in (Path.home(), Path(root.anchor)):
        raise UsageError(
            "this is the home folder" if root == Path.home() else "this is the top of the file system",
            expected="a project's folder",
            found=str(root),
            hint="change into the folder that has your script; or `git init` here first, if you mean all of it",
        )


def _is_ignored(workspace: Workspace) -> bool:
    """Whether the folder is one that the repository around it keeps out: then it needs one of its own."""
    prefix = workspace.git.prefix().rstrip("/")
    return bool(prefix) and bool(Workspace(workspace.git.top()).git.ignored([prefix]))


def _start_repository(workspace: Workspace) -> str:
    workspace.git.init()
    return "a Git repository"


def _decide(choice: Choice, *, yes: bool, quiet: bool) -> str | None:
    """The script that is meant among several; None for all of them. Raises ScriptUndecidedError."""
    rivals = list(choice.rivals)
    if yes or (not choice.tied and (quiet or not can_ask())):
        return rivals[0]
    if not quiet and can_ask():
        options = [*rivals, "all of them, each as a stage"]
        place = ask_which("Several scripts fit a model, and nothing connects them:", options)
        if place is not None:
            return rivals[place] if place < len(rivals) else None
    raise ScriptUndecidedError(
        "several scripts fit a model, and nothing says which is meant",
        expected="one, or some in a row",
        found=", ".join(rivals[:8]),
        where=str(Path.cwd()),
        hint=f"name it: mintage init {rivals[0]} (several names become stages in that order); --yes takes the first",
    )


def _write_ignore(root: Path, out: Ignorable) -> list[tuple[str, str, str]]:
    """Add lines to .gitignore; returns its name, old and new text if that changed it."""
    file = root / IGNORE_FILE
    old = file.read_text() if file.is_file() else ""
    new = ignore_text(old, [*out.own, *out.data, *out.secrets])
    if new == old:
        return []
    publish_bytes(file, new.encode())
    return [(IGNORE_FILE, old, new)]


def _write_trust(context: Context) -> list[tuple[str, str, str]]:
    """Make the keys, and trust.yaml if it is not there; returns its name, old and new text if it was written."""
    context.workspace.prepare()
    signer = context.signer
    path = context.workspace.root / _TRUST
    if path.exists():
        return []
    roles: tuple[Role, ...] = ("model", "certificate", "release", "result")
    checkpoints = ensure_audit_key(context.workspace.keys_dir)
    text = render_trust({"local": (signer.public_pem, roles), "local-log": (checkpoints.public_pem, ("checkpoint",))})
    publish_bytes(path, text.encode())
    return [(_TRUST, "", text)]


def _commit(context: Context, paths: Sequence[str], theirs: set[str], *, yes: bool) -> str | None:
    name = context.workspace.project().project
    return offer_commit(context.workspace.git, paths, f"Start {name} with Mintage", yes=yes, ask=True, theirs=theirs)


def _place(workspace: Workspace) -> list[str]:
    """Where this is, if it lies in another project or is not the top of a repository."""
    prefix = workspace.git.prefix().rstrip("/")
    around = next((folder for folder in workspace.root.parents if (folder / PROJECT_FILE).is_file()), None)
    return [
        *(
            [f"  in the repository {workspace.git.top()}, whose history it shares; this folder is {prefix}"]
            * bool(prefix)
        ),
        *([f"note: {around} is a project too; commands in this folder mean this one"] if around else []),
    ]


def _tell_key(wrote: Sequence[str]) -> None:
    """Of trust.yaml a line is said: a diff of nothing but keys would frighten, and hide the lines above it."""
    if _TRUST in wrote:
        say(f"{_TRUST} names two new keys and what each may sign; their private halves stay in .mintage/keys.")


def _basics(context: Context, wrote: Sequence[str]) -> dict[str, Any]:
    return {"root": str(context.workspace.root), "wrote": list(wrote), "key": context.signer.key_id}


def _findings(found: Survey, out: Ignorable) -> dict[str, Any]:
    """The part of ``--json`` that says what was found and decided."""
    return {
        "stages": [
            {"name": step.name, "run": step.command, "because": step.reason, "needs": list(step.needs)}
            for step in found.choice.steps
        ],
        "rivals": list(found.choice.rivals),
        "left": dict(found.choice.left),
        "interpreter": {
            "named": found.environment.named,
            "python": found.environment.version,
            "missing": list(found.environment.missing),
        },
        "ignored": [*out.own, *out.data, *out.secrets],
    }


def copy_template(name: str, root: Path) -> list[str]:
    """Copy a shipped project into ``root``; refuses to overwrite. Returns the paths written."""
    folder = files("mintage.templates") / name
    if not re.fullmatch(r"[a-z]+", name) or not folder.is_dir():
        raise UsageError(f"there is no template {name!r}", expected="flights")
    with as_file(folder) as source:
        sources = [path for path in sorted(source.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
        paths = [path.relative_to(source).as_posix() for path in sources]
        taken = [path for path in paths if (root / path).exists()]
        if taken:
            raise ProjectError(
                "the template would overwrite files",
                found=", ".join(taken[:5]),
                where=str(root),
                hint="use an empty folder",
            )
        for path in paths:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, target)
    return paths
