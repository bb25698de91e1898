"""``mintage init``: make this folder a project: Git repository, mintage.yaml, signing key, trust.yaml."""

from __future__ import annotations

import argparse
import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from mintage.attest.trust import Role, render_trust
from mintage.audit.keyfile import ensure_audit_key
from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.errors import ProjectError, UsageError
from mintage.record.names import check_name, name_from
from mintage.repo.workspace import PROJECT_FILE, Workspace

__all__ = ["configure", "copy_template", "run"]

_EXAMPLE = """\
project: {name}

# stages:                     # one command each, with what it reads and writes
#   train:
#     run: python train.py
#     in:  [data/customers.csv]
#     out: [model.joblib]
#     metrics: [metrics.json]
# models:
#   churn: {{from: model.joblib, target: churned}}   # the first run writes models/churn.yaml, what it takes and gives
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="the project's name (default: the folder's)")
    parser.add_argument("--template", help="start from a shipped project: flights")


def run(arguments: argparse.Namespace) -> int:
    root = Path.cwd()
    context = Context(Workspace(root))
    git = context.workspace.git
    wrote = []
    if not git.is_repository():
        git.init()
        wrote.append("a Git repository")
    if arguments.template:
        wrote += copy_template(arguments.template, root)
    if not (root / PROJECT_FILE).exists():
        name = check_name(arguments.name or name_from(root.name), what="project")
        (root / PROJECT_FILE).write_text(_EXAMPLE.format(name=name))
        wrote.append(PROJECT_FILE)
    context.workspace.project()
    context.workspace.prepare()
    signer = context.signer
    if not (root / "trust.yaml").exists():
        roles: tuple[Role, ...] = ("model", "certificate", "release")
        checkpoints = ensure_audit_key(context.workspace.keys_dir)
        text = render_trust(
            {"local": (signer.public_pem, roles), "local-log": (checkpoints.public_pem, ("checkpoint",))}
        )
        (root / "trust.yaml").write_text(text)
        wrote.append("trust.yaml")
    if arguments.json:
        emit_json({"root": str(root), "wrote": wrote, "key": signer.key_id})
        return 0
    emit(f"project {context.workspace.project().project} in {root}")
    for name in wrote:
        emit(f"  wrote {name}")
    say(f"Signing key {signer.key_id[:19]} is in .mintage/keys; trust.yaml says what it may sign.")
    if wrote:
        say("Version data with `mintage add` before the first commit, so that Git does not take it in; then:")
        say("  git add -A && git commit")
    return 0


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
