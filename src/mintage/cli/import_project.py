"""``mintage import dvc``: take a DVC project with its history into Mintage, in place."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, human_size, plural, progress, say
from mintage.cli.context import Context, now
from mintage.data.dvc.bring import Imported
from mintage.data.dvc.config import find_dvc
from mintage.database.connection import transaction
from mintage.pipeline.import_dvc import DvcImport, Outcome
from mintage.repo.workspace import Workspace

__all__ = ["configure", "run"]

_SHOWN = 20
_PATHS = 6


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", choices=["dvc"], help="what the project was made with")
    parser.add_argument("--remote", metavar="NAME", help="DVC remote to read objects from (default: DVC's default)")
    parser.add_argument(
        "--history",
        choices=["none", "tags", "all"],
        default="all",
        help="revisions whose data are brought in too: none, tags or all (default)",
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context(Workspace(find_dvc(Path.cwd())))
    importer = DvcImport(context.workspace, remote=arguments.remote, history=arguments.history)
    text = importer.read()
    with context.workspace.lock("data"):
        with progress("objects of DVC", 1.0) as advance:
            imported = importer.bring(lambda done, total: advance(done / total))
        wrote = importer.write_project(text)
        context.open_audit_log()
        outcome = importer.write_locks(at=now(), actor=context.actor)
        with transaction(context.connection):
            facts = {"objects": len(imported.index.objects), "commit": imported.index.commit}
            context.record_access("data.import", "dvc", facts)
    if arguments.json:
        emit_json(_as_json(imported, outcome, importer.unread))
    else:
        _show(imported, outcome, importer.unread)
        if wrote:
            files = [
                "mintage.yaml",
                "mintage.lock",
                *([".gitignore"] if (importer.root / ".gitignore").exists() else []),
            ]
            say("DVC's own files stay as they are. Look at mintage.yaml, then:")
            say(f"  git add {' '.join(files)} && git commit")
            say("  mintage status && mintage run")
    return 1 if imported.lost_now else 0


def _as_json(imported: Imported, outcome: Outcome, unread: list[str]) -> dict[str, object]:
    return {
        "commit": imported.index.commit,
        "revisions": imported.commits,
        "objects": len(imported.index.objects),
        "data": outcome.data,
        "adopted": outcome.adopted,
        "stale": outcome.stale,
        "missing": list(imported.lost_now.values()),
        "missing_before": list(imported.lost_before.values()),
        "problems": [list(problem) for problem in imported.problems],
        "notes": [[note.where, note.text] for note in outcome.notes],
        "unread": unread,
    }


def _show(imported: Imported, outcome: Outcome, unread: list[str]) -> None:
    index = imported.index
    size = human_size(sum(found.size for found in index.objects.values()))
    emit(f"{plural(len(index.objects), 'object')} ({size}) of {plural(imported.commits, 'revision')}, each checked")
    emit(f"data      {_some(outcome.data)}")
    if outcome.placed:
        emit(f"restored  {_some(outcome.placed)}")
    for name in outcome.adopted:
        emit(f"stage     {name}: up to date, as dvc.lock says")
    for name, why in outcome.stale.items():
        emit(f"stage     {name}: will run; {why}")
    _list("Not as it was in DVC", [f"{note.where}: {note.text}" for note in outcome.notes])
    _list("Not read", [*unread, *(f"{where}: {why}" for where, why in imported.problems)])
    _list("Missing now", list(imported.lost_now.values()))
    _list("Missing in earlier revisions", list(imported.lost_before.values()))
    if imported.lost_now or imported.lost_before:
        say("`dvc fetch --all-commits` may bring them into DVC's cache; then run this command again.")


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _PATHS} more" if len(paths) > _PATHS else ""
    return ", ".join(paths[:_PATHS]) + more if paths else "none"


def _list(title: str, lines: list[str]) -> None:
    if lines:
        emit(f"{title}:")
        for line in lines[:_SHOWN]:
            emit(f"  {line}")
        if len(lines) > _SHOWN:
            emit(f"  and {len(lines) - _SHOWN} more (--json lists all)")
