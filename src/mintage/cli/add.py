"""``mintage add PATH...``: version data files and folders by content."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from mintage.cli.console import emit, emit_json, human_size, progress, say
from mintage.cli.context import Context
from mintage.data.add import add_path, project_path
from mintage.database.connection import transaction
from mintage.store.local import files_under

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder inside the project")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    names = [project_path(workspace, path) for path in arguments.paths]
    context.open_audit_log()
    results = []
    with workspace.lock("data"):
        workspace.prepare()
        for name in names:
            path = workspace.root / name
            total = sum(file.stat().st_size for file in files_under(path)) if path.exists() else None
            with progress(f"adding {name}", total) as advance:
                added = add_path(workspace, name, progress=advance)
            results.append(added)
            with transaction(context.connection):
                context.record_access("data.add", name, {"digest": added.item.digest, "size": added.item.size})
    if arguments.json:
        emit_json([msgspec.to_builtins(added.item) for added in results])
        return 0
    for added in results:
        state = "added" if added.changed else "unchanged"
        emit(f"{state}  {added.item.path}  {human_size(added.item.size)}  {added.item.digest[:15]}")
    if any(added.wrote for added in results):
        say("The digests are in mintage.lock/, the bytes in .mintage/store. Commit to tie them to the code:")
        say("  git add mintage.lock .gitignore && git commit")
    return 0
