"""``mintage schedule``: when stages run by themselves; ``render`` writes that for the scheduler that a team has."""

from __future__ import annotations

import argparse
import datetime
import sys
from itertools import islice
from pathlib import Path

from mintage.cli.console import emit, emit_json, plural, say, table
from mintage.cli.context import Context
from mintage.errors import FileMalformedError, UsageError
from mintage.pipeline.triggers.job import Place, checked_folder, job_of
from mintage.pipeline.triggers.render import SCHEDULERS, differences, render, stale
from mintage.repo.cron import check_zone, coming
from mintage.repo.workspace import Workspace
from mintage.store.publish import publish_bytes

__all__ = ["configure", "run"]

_WORKFLOWS = ".github/workflows"
_ON_MACHINE = ("cron", "systemd", "airflow")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("list", "render"), default="list", help="list: when each comes next; render: write"
    )
    parser.add_argument("--to", choices=SCHEDULERS, help="the scheduler to render for")
    parser.add_argument(
        "--output", metavar="DIR", help=f"write the files there and show what changed (github: {_WORKFLOWS} fits)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if DIR is not in step")
    parser.add_argument("--folder", metavar="DIR", help="cron, systemd, airflow: the clone to run in (this one)")
    parser.add_argument("--image", metavar="NAME@DIGEST", help="kubernetes: the container to run in")
    parser.add_argument("--repository", metavar="URL", help="kubernetes: what to clone (the remote `origin`)")
    parser.add_argument(
        "--install", metavar="COMMAND", help="github: how to install mintage and what the stages import"
    )


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    if arguments.what == "list":
        return _list(workspace, as_json=arguments.json)
    if arguments.to is None:
        raise UsageError("for which scheduler?", expected=f"--to {' | '.join(SCHEDULERS)}")
    project = workspace.project(allow_unmade=True)
    rendered = render(project, _place(workspace, arguments), target=arguments.to)
    folder = _output(workspace, arguments)
    if folder is None:
        return _show(rendered, as_json=arguments.json)
    found = _read(folder, list(rendered))
    gone = stale(found, rendered, project=project.project, target=arguments.to)
    diff = differences(found, rendered, gone=gone)
    if not arguments.check:
        _write(folder, rendered, found, gone)
    if arguments.json:
        emit_json({"folder": str(folder), "files": sorted(rendered), "in_step": not diff, "gone": gone, "diff": diff})
    else:
        _tell(diff, folder, rendered, arguments)
    return 1 if diff and arguments.check else 0


def _list(workspace: Workspace, *, as_json: bool) -> int:
    project = workspace.project(allow_unmade=True)
    now = datetime.datetime.now(datetime.UTC)
    rows = []
    for trigger in project.schedule.values():
        zone = check_zone(trigger.timezone)
        rows.append(
            {
                "name": trigger.name,
                "stages": list(trigger.stages),
                "cron": trigger.cron.text,
                "timezone": trigger.timezone,
                "on": "data" if trigger.on_data else "time",
                "data": list(job_of(project, trigger).data) if trigger.on_data else [],
                "next": [when.isoformat() for when in islice(coming(trigger.cron, after=now, zone=zone), 3)],
            }
        )
    if as_json:
        emit_json(rows)
        return 0
    if not rows:
        say("No schedule: write one under `schedule:` in mintage.yaml, such as `nightly: {cron: 0 3 * * *}`")
        return 0
    cells = [
        (
            row["name"],
            " ".join(row["stages"]) or "all",
            f"when {', '.join(row['data']) or 'data'} changes" if row["on"] == "data" else row["cron"],
            row["timezone"],
            row["next"][0] if row["on"] == "time" else "",
        )
        for row in rows
    ]
    emit(table(cells, head=("schedule", "stages", "when", "zone", "next")))
    say(f"`mintage schedule render --to {'|'.join(SCHEDULERS)}` writes them for a scheduler: Mintage has none")
    return 0


def _place(workspace: Workspace, arguments: argparse.Namespace) -> Place:
    on_machine = arguments.to in _ON_MACHINE
    in_git = workspace.git.is_repository()
    prefix = workspace.git.prefix() if in_git else ""
    checked_folder(f"/{prefix}")
    install = "python -m pip install mintage"
    if (workspace.root / "requirements.txt").is_file():
        install += " -r requirements.txt"
    folder = Path(arguments.folder).absolute() if arguments.folder else workspace.root
    return Place(
        folder=str(folder),
        program=(sys.executable, "-m", "mintage") if on_machine else ("mintage",),
        repository=arguments.repository or (_origin(workspace) if in_git else None),
        prefix=prefix,
        image=arguments.image,
        install=arguments.install or install,
    )


def _origin(workspace: Workspace) -> str | None:
    return workspace.git.local_setting("remote.origin.url")


def _output(workspace: Workspace, arguments: argparse.Namespace) -> Path | None:
    if arguments.output:
        return Path(arguments.output)
    if arguments.check and arguments.to == "github":
        return workspace.git.top() / _WORKFLOWS
    if arguments.check:
        raise UsageError("which folder is to be checked?", expected="--output DIR")
    return None


def _show(rendered: dict[str, str], *, as_json: bool) -> int:
    if as_json:
        emit_json(rendered)
        return 0
    for name, text in rendered.items():
        if len(rendered) > 1:
            emit(f"# --- {name}")
        emit(text.rstrip("\n"))
    say("Nothing is written; `--output DIR` writes it")
    return 0


def _read(folder: Path, rendered: list[str]) -> dict[str, str]:
    """The files of the folder that are, or could be, of an earlier rendering."""
    suffixes = {Path(name).suffix for name in rendered}
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and path.suffix in suffixes:
            try:
                found[path.name] = path.read_text()
            except UnicodeDecodeError:
                if path.name in rendered:
                    raise FileMalformedError("a file in the way is no text", where=str(path)) from None
    return found


def _write(folder: Path, rendered: dict[str, str], found: dict[str, str], gone: list[str]) -> None:
    for name, text in rendered.items():
        if found.get(name) != text:
            publish_bytes(folder / name, text.encode())
    for name in gone:
        (folder / name).unlink()


def _tell(diff: str, folder: Path, rendered: dict[str, str], arguments: argparse.Namespace) -> None:
    if diff:
        emit(diff.rstrip("\n"))
    files = plural(len(rendered), "file")
    if not diff:
        say(f"{folder} is in step: {files}")
    elif arguments.check:
        say(f"{folder} is not in step with mintage.yaml; `--output {folder}` without --check writes it")
    else:
        say(f"Wrote {folder}; {_NEXT[arguments.to].format(folder=folder)}")


_NEXT = {
    "github": "commit it to the default branch: GitHub starts from there",
    "cron": "`crontab {folder}/mintage.crontab` replaces your crontab by it; append it instead if you have one",
    "systemd": "`systemctl --user link` the files, then `systemctl --user enable --now` each timer",
    "kubernetes": "`kubectl apply -f {folder}`",
    "airflow": "put it where Airflow looks for DAGs",
}
