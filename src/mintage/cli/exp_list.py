"""``mintage exp list``: the experiments with what they tried and measured, newest first."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import msgspec

from mintage.cli.console import emit, emit_json, say, table
from mintage.cli.context import Context
from mintage.errors import UnknownNameError
from mintage.pipeline.experiment.collection import find, list_experiments
from mintage.pipeline.experiment.experiment import Experiment, Found
from mintage.repo.nearest import nearest_hint

__all__ = ["age_text", "experiment_table", "printable", "run"]

_MOST_COLUMNS = 6
_WIDEST = 24


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    all_of_them = bool(arguments.sort or arguments.names or arguments.reverse)
    known = list_experiments(workspace, limit=None if all_of_them else arguments.limit + 1)
    chosen = [find(known, name) for name in arguments.names] or known
    if arguments.sort:
        chosen = _sorted(chosen, arguments.sort, smallest_first=arguments.reverse)
    elif arguments.reverse:
        chosen = chosen[::-1]
    shown = chosen[: arguments.limit]
    if arguments.json:
        emit_json([{"commit": each.commit, "at": each.at, **msgspec.to_builtins(each.experiment)} for each in shown])
        return 0
    if not shown:
        say("No experiment yet: `mintage exp run -S PARAM=VALUE,VALUE` makes some.")
        return 0
    emit(experiment_table(shown, now_s=time.time()))
    if len(chosen) > len(shown):
        say(f"There are more: `-n {10 * arguments.limit}` shows older ones.")
    return 0


def experiment_table(found: Sequence[Found], *, now_s: float | None = None) -> str:
    """Name, state, age, values and metrics; of many parameters or metrics those that most have."""
    params = _common([_tried(each.experiment) for each in found])
    metrics = _common([each.experiment.metrics for each in found])
    head = ["name", "state", *(["age"] if now_s is not None else []), *params, *metrics]
    rows = [
        [
            each.experiment.name,
            each.experiment.state,
            *([age_text(now_s - each.at)] if now_s is not None else []),
            *(_cut(_tried(each.experiment).get(key, "")) for key in params),
            *(_number(each.experiment.metrics.get(key)) for key in metrics),
        ]
        for each in found
    ]
    return table([[printable(cell) for cell in row] for row in rows], head=[printable(cell) for cell in head])


def age_text(seconds: float) -> str:
    """How long ago, in one unit.

    >>> age_text(3), age_text(7300), age_text(200000)
    ('now', '2 h', '2 d')
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def _tried(one: Experiment) -> dict[str, str]:
    return dict(sorted({**{key: str(value) for key, value in one.params.items()}, **one.set}.items()))


def _common(values: Sequence[dict[str, str]] | Sequence[dict[str, float]]) -> list[str]:
    count: dict[str, int] = {}
    for each in values:
        for key in each:
            count[key] = count.get(key, 0) + 1
    most = sorted(count, key=lambda key: -count[key])[:_MOST_COLUMNS]
    return sorted(most)


def _sorted(found: Sequence[Found], name: str, *, smallest_first: bool) -> list[Found]:
    """By a metric; those without it last."""
    sign = 1 if smallest_first else -1
    names = list(dict.fromkeys(key for each in found for key in each.experiment.metrics))
    if names and name not in names:
        raise UnknownNameError(
            f"no experiment has the metric {name!r}",
            expected=", ".join(names[:8]),
            hint=nearest_hint(name, names, otherwise="name one of these"),
        )
    with_it = [each for each in found if name in each.experiment.metrics]
    without = [each for each in found if name not in each.experiment.metrics]
    return sorted(with_it, key=lambda each: sign * each.experiment.metrics[name]) + without


def printable(text: str) -> str:
    """Without what would steer the terminal: an experiment may be somebody else's."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
