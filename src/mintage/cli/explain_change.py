"""``mintage explain-change A [B]``: what of a metric's change is due to code, data, parameters and environment."""

from __future__ import annotations

import argparse

import msgspec

from mintage.cli.console import emit, emit_json, plural, say, table
from mintage.cli.context import Context
from mintage.cli.run_lock import run_lock
from mintage.cli.trials import runner_of
from mintage.pipeline.change.attribute import Explained, MetricChange, explain_change
from mintage.pipeline.change.parts import PARTS

__all__ = ["configure", "run"]

_SHOWN = 4


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="A", help="a commit, branch, tag or experiment")
    parser.add_argument("new", metavar="B", nargs="?", help="another one (default: the work tree as it is)")
    parser.add_argument("--metric", metavar="NAME", help="explain this metric, or STAGE:METRIC (default: all changed)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    with run_lock(context.workspace, "mintage explain-change"):
        explained = explain_change(
            context.workspace,
            old=arguments.old,
            new=arguments.new,
            metric=arguments.metric,
            run=runner_of(context),
            on_event=lambda text: say(f"  {text}"),
        )
    if arguments.json:
        emit_json(msgspec.to_builtins(explained))
        return 0
    _show(explained, arguments.old, arguments.new or "the work tree")
    return 0


def _show(explained: Explained, old: str, new: str) -> None:
    if not explained.metrics:
        emit(f"no metric changed between {old} and {new}")
    for change in explained.metrics:
        emit(f"{change.metric} of {change.stage}: {change.old:.6g} at {old} -> {change.new:.6g} at {new}")
        emit(table(_rows(change, explained), head=("part", "share", "", "what differs"), indent="  "))
    if not explained.metrics and explained.differences:
        emit(table([(part, _differs(explained, (part,))) for part in explained.differences], indent="  "))
    known = f"{plural(explained.ran, 'command')} run, the rest was in the cache"
    say(f"{plural(explained.combinations, 'combination')} of {old} and {new}: {known}.")
    for failed in explained.failed:
        say(f"note: with {' and '.join(failed.swapped)} of {new} and all else of {old} it fails: {failed.why}")
    for remark in explained.remarks:
        say(f"note: {remark}")


def _rows(change: MetricChange, explained: Explained) -> list[tuple[str, str, str, str]]:
    """A row for each part, those that are the same too, and the total."""
    total = change.new - change.old
    shares = {share.parts: share.share for share in change.shares}
    named = {part for parts in shares for part in parts}
    rows = [
        (" and ".join(parts), f"{share:+.6g}", _percent(share, total), _differs(explained, parts))
        for parts, share in shares.items()
    ]
    rows += [(part, "0", "", "the same") for part in PARTS if part not in named]
    return [*rows, ("total", f"{total:+.6g}", "", "")]


def _percent(share: float, total: float) -> str:
    return f"{round(100 * share / total):d} %" if total else ""


def _differs(explained: Explained, parts: tuple[str, ...]) -> str:
    texts = [text for part in parts for text in explained.differences.get(part, ())]
    more = f", and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
