"""``mintage exp compare A B``: values, metrics, and what else differs; ``--html`` draws them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from mintage.cli.console import emit, emit_json, say, table
from mintage.cli.context import Context
from mintage.cli.exp_list import printable
from mintage.errors import UsageError
from mintage.pipeline.experiment.collection import list_experiments
from mintage.pipeline.experiment.compare import Comparison, Side, compare
from mintage.pipeline.experiment.sides import read_side, runs_of
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    known = list_experiments(workspace)
    names = arguments.names
    if arguments.html and not names:
        names = [found.ref for found in known if found.experiment.state == "done"][: arguments.limit]
    if len(names) < 2 and not (names and arguments.html):
        raise UsageError(
            "name what is to be compared",
            expected="two experiments or more; a revision such as HEAD does, too",
            hint="`mintage exp list` shows their names",
        )
    store = Store(workspace.store_dir)
    sides = [read_side(workspace, known, name, store) for name in dict.fromkeys(names)]
    found = compare(sides)
    if arguments.html:
        _write_page(context, arguments.html, sides, found)
    if arguments.json:
        emit_json({"compared": [side.label for side in sides], **asdict(found)})
    elif not arguments.html:
        _show(sides, found)
    return 0


def _show(sides: list[Side], found: Comparison) -> None:
    labels = [side.label for side in sides]
    for title, rows in (("parameters", found.params), ("metrics", found.metrics)):
        if rows:
            emit(table([[printable(key), *map(_text, values)] for key, values in rows.items()], head=(title, *labels)))
            emit()
    if not found.params:
        emit("parameters: the same")
    for label, lines in found.others.items():
        against = f"{label} against {labels[0]}" if len(labels) > 2 else "all else"
        emit(f"{against}: the same code, data and environment" if not lines else f"{against}:")
        for line in lines:
            emit(f"  {printable(line)}")


def _text(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else printable(str(value))


def _write_page(context: Context, target: str, sides: list[Side], found: Comparison) -> None:
    from mintage.report.experiment_page import Line, experiment_page

    store, curves = Store(context.workspace.store_dir), []
    for side in sides:
        for run_id in runs_of(store, dict(side.locks)):
            for (_, key), points in context.runs.series_of(run_id).items():
                curves.append(Line(label=side.label, metric=key, points=tuple(points)))
    page = experiment_page(sides, found, curves, project=context.workspace.project().project)
    publish_bytes(Path(target), page.encode())
    say(f"Wrote {target}")
