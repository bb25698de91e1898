"""``mintage bisect``: find the commit, or the version of one data path, since which a metric is bad."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from mintage.cli.console import emit, emit_json, plural, say
from mintage.cli.context import Context
from mintage.cli.run_lock import run_lock
from mintage.cli.trials import runner_of
from mintage.data.add import project_path
from mintage.pipeline.change.bisect import Bound, Found, Probe, bisect
from mintage.pipeline.change.versions import Version, commits_between, versions_of
from mintage.repo.git import Git

__all__ = ["configure", "run"]

_SHOWN = 6


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("good", nargs="?", metavar="GOOD", help="the oldest to look at (default: the project's first)")
    parser.add_argument("bad", nargs="?", metavar="BAD", default="HEAD", help="where the metric is bad (default: HEAD)")
    parser.add_argument("--metric", metavar="NAME", required=True, help="the metric, or STAGE:METRIC")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--below", type=float, metavar="X", help="it is bad below X")
    limit.add_argument("--above", type=float, metavar="X", help="it is bad above X")
    parser.add_argument("--data", metavar="PATH", help="search the versions of this data, all else being as in BAD")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace, git = context.workspace, context.workspace.git
    path = None if arguments.data is None else project_path(workspace, Path(arguments.data))
    bound = Bound(
        metric=arguments.metric,
        limit=arguments.above if arguments.below is None else arguments.below,
        below=arguments.below is not None,
    )
    if path is None:
        versions = commits_between(git, arguments.good, arguments.bad)
    else:
        versions = versions_of(git, path, arguments.good, arguments.bad)
    what = "commit" if path is None else f"version of {path}"
    say(f"{len(versions)} {what.replace(what.split(maxsplit=1)[0], what.split(maxsplit=1)[0] + 's', 1)}, bad: {bound}")
    with run_lock(workspace, "mintage bisect"):
        found = bisect(
            workspace,
            versions,
            bound,
            run=runner_of(context),
            path=path,
            base=None if path is None else arguments.bad,
            on_probe=lambda version, probe: say(f"  {_line(git, version)}: {_said(probe)}"),
        )
    if arguments.json:
        emit_json(_plain(found, len(versions), what))
        return 0
    _show(git, found, versions, what)
    return 0


def _line(git: Git, version: Version) -> str:
    commit = git.describe(version.commit)
    return f"{commit.id[:10]} {commit.when[:10]} {commit.subject[:60]}"


def _said(probe: Probe) -> str:
    if probe.value is None:
        return f"skipped, {probe.why}"
    return f"{probe.judgement}, {probe.value:.6g}" + ("" if probe.ran else " (from the cache)")


def _show(git: Git, found: Found, versions: list[Version], what: str) -> None:
    looked = f"{plural(len(found.probes), 'version')} looked at, {found.ran} of them run"
    if len(found.suspects) > 1:
        emit(f"one of these is the first bad {what}; those between were skipped:")
    elif found.good is None:
        emit(f"the metric is bad from the first {what} on:")
    else:
        emit(f"the first bad {what}:")
    for version in found.suspects:
        emit(f"  {_line(git, version)}, by {git.describe(version.commit).author}")
    for part, texts in found.differences.items():
        more = f"\n    and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
        emit(f"  {part} differs from the last good one:")
        emit("\n".join(f"    {text}" for text in texts[:_SHOWN]) + more)
    say(f"{looked}, of {len(versions)}.")
    if found.good is None and found.suspects[0] == versions[0]:
        say("hint: name an older commit as GOOD, or another limit")
    else:
        say(f"See it with `git show {found.suspects[-1].commit[:10]}`.")


def _plain(found: Found, count: int, what: str) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(found)
    return {"what": what, "versions": count, "ran": found.ran, **value}
