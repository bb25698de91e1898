"""A page that compares experiments: parallel coordinates, learning curves, and tables of what differs.

``experiment_page`` takes what ``pipeline.experiment.compare`` found and the curves that were reported; it is pure but
for the drawing. Of many experiments the first hundred are drawn, of many axes the first eight: the tables have all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mintage.pipeline.experiment.compare import Comparison, Side
from mintage.report.chart import Chart, Key, drawn, nice_domain, scale_labels, thinned
from mintage.report.numbers import clean, number
from mintage.report.page import render_experiments
from mintage.report.palette import MODEL_TOKENS, light

__all__ = ["Line", "experiment_page", "learning_curves", "parallel_coordinates"]

_MOST_LINES: Final = 100
_MOST_AXES: Final = 8
_MOST_POINTS: Final = 400
_MOST_CURVES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Line:
    """One learning curve: whose, of which metric, (step, value) in order."""

    label: str
    metric: str
    points: tuple[tuple[int, float], ...]


def experiment_page(sides: Sequence[Side], found: Comparison, curves: Sequence[Line], *, project: str) -> str:
    """The page's text. Raises ExtraMissingError when Jinja2 or vl-convert is not installed."""
    charts = [parallel_coordinates([side.label for side in sides], found)]
    charts += learning_curves([side.label for side in sides], curves)
    rows = [
        (
            side.label,
            *(_text(values[index]) for values in found.params.values()),
            *(_text(values[index]) for values in found.metrics.values()),
        )
        for index, side in enumerate(sides)
    ]
    return render_experiments(
        project=project,
        charts=[chart for chart in charts if chart is not None],
        columns=("experiment", *found.params, *found.metrics),
        rows=rows,
        others=[(label, lines) for label, lines in found.others.items() if lines],
        first=sides[0].label if sides else "",
    )


def parallel_coordinates(labels: Sequence[str], found: Comparison) -> Chart | None:
    """One line an experiment over an axis for each parameter that differs and each metric; None if there is no axis."""
    moved = {key: values for key, values in found.metrics.items() if any(value != values[0] for value in values)}
    shown = dict(list({**found.params, **moved}.items())[-_MOST_AXES:])
    if not shown or len(labels) < 2:
        return None
    places = {name: _places(values) for name, values in shown.items()}
    tokens, said = _tokens(labels, moved)
    wide, narrow = drawn(lambda width: _parallel(tokens[:_MOST_LINES], places, width))
    ends = "; ".join(f"{clean(name, 40)}: {_ends(values)}" for name, values in shown.items())
    left_out = f" Drawn are the first {_MOST_LINES}." if len(labels) > _MOST_LINES else ""
    return Chart(
        name="parallel",
        title="Values and what they gave",
        alt=f"{len(labels)} lines over {len(shown)} axes.",
        wide=wide,
        narrow=narrow,
        keys=_keys(labels),
        note=f"From bottom to top: {ends}.{said}{left_out}",
        columns=("experiment", *shown),
        rows=tuple((label, *(_text(values[index]) for values in shown.values())) for index, label in enumerate(labels)),
    )


def learning_curves(labels: Sequence[str], curves: Sequence[Line]) -> list[Chart]:
    """A picture for each metric that was reported step by step."""
    charts = []
    for index, metric in enumerate(dict.fromkeys(line.metric for line in curves)):
        lines = [line for line in curves if line.metric == metric][:_MOST_CURVES]
        wide, narrow = drawn(functools.partial(_curves, labels, lines, metric))
        charts.append(
            Chart(
                name=f"curve-{index + 1}",
                title=f"{clean(metric, 60)} by step",
                alt=f"{len(lines)} curves.",
                wide=wide,
                narrow=narrow,
                keys=_keys([line.label for line in lines], among=labels),
                columns=("experiment", "step", clean(metric, 60)),
                rows=tuple(
                    (line.label, str(step), number(value)) for line in lines for step, value in thinned(line.points, 20)
                ),
            )
        )
    return charts


def _tokens(labels: Sequence[str], metrics: Mapping[str, Sequence[float | None]]) -> tuple[list[str], str]:
    """A colour for each line, and what colours mean: each its own while there are enough, else the upper quarter of
    the first metric stands out."""
    if len(labels) <= len(MODEL_TOKENS) or not metrics:
        return [_token(index) for index in range(len(labels))], ""
    name, values = next(iter(metrics.items()))
    ranked = sorted(value for value in values if value is not None)
    bound = ranked[len(ranked) * 3 // 4]
    tokens = ["model-2" if value is not None and value >= bound else "reference" for value in values]
    return tokens, f" Coloured is the upper quarter of {clean(name, 40)}."


def _parallel(tokens: Sequence[str], places: Mapping[str, Sequence[float | None]], width: int) -> dict[str, object]:
    names = list(places)
    cut = [clean(name, 24) for name in names]
    shown = [name if cut.count(name) == 1 else f"{index}: {name}" for index, name in enumerate(cut, 1)]
    values = [
        {"axis": axis, "place": place, "line": index, "colour": light(token)}
        for index, token in enumerate(tokens)
        for name, axis in zip(names, shown, strict=True)
        if (place := places[name][index]) is not None
    ]
    ends = {"type": "quantitative", "axis": None, "scale": {"domain": [-0.05, 1.05]}}
    x = {
        "field": "axis",
        "type": "nominal",
        "title": None,
        "sort": shown,
        "axis": {
            "labelAngle": 0 if width > 500 and len(names) < 7 else -60,
            "grid": True,
            "domain": False,
        },
    }
    return {
        "width": width - 40,
        "height": 300,
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 1.6, "opacity": 0.8, "point": len(tokens) <= 20},
        "encoding": {
            "x": x,
            "y": {"field": "place", **ends},
            "detail": {"field": "line", "type": "nominal"},
            "color": {"field": "colour", "type": "nominal", "scale": None},
        },
    }


def _curves(labels: Sequence[str], lines: Sequence[Line], metric: str, width: int) -> dict[str, object]:
    values = [
        {"step": step, "value": value, "line": index, "colour": light(_token(list(labels).index(line.label)))}
        for index, line in enumerate(lines)
        for step, value in thinned(line.points, _MOST_POINTS)
        if math.isfinite(value)
    ]
    shown = [value for line in lines for _, value in line.points if math.isfinite(value)]
    return {
        "width": width - 70,
        "height": 260,
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 1.8},
        "encoding": {
            "x": {
                "field": "step",
                "type": "quantitative",
                "title": "step",
                "axis": {"grid": False, "format": "~r", "tickMinStep": 1},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": clean(metric, 40),
                "axis": scale_labels(shown),
                "scale": {"domain": nice_domain(shown)},
            },
            "detail": {"field": "line", "type": "nominal"},
            "color": {"field": "colour", "type": "nominal", "scale": None},
        },
    }


def _places(values: Sequence[Any]) -> list[float | None]:
    """Where values stand on an axis from 0 to 1: numbers by size, other values in the order of their texts."""
    numbers = [float(value) for value in values if _is_number(value)]
    if numbers and all(value is None or _is_number(value) for value in values):
        low, high = min(numbers), max(numbers)
        width = high - low
        return [None if value is None else (float(value) - low) / width if width else 0.5 for value in values]
    texts = sorted({str(value) for value in values if value is not None})
    most = max(len(texts) - 1, 1)
    return [None if value is None else texts.index(str(value)) / most for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ends(values: Sequence[Any]) -> str:
    numbers = [float(value) for value in values if _is_number(value)]
    if numbers and all(value is None or _is_number(value) for value in values):
        return f"{number(min(numbers))} to {number(max(numbers))}"
    return ", ".join(sorted({clean(str(value), 20) for value in values if value is not None})[:6])


def _token(index: int) -> str:
    return MODEL_TOKENS[index % len(MODEL_TOKENS)]


def _keys(labels: Sequence[str], *, among: Sequence[str] = ()) -> tuple[Key, ...]:
    """A legend, while there is a colour for each."""
    order = list(among or labels)
    if len(order) > len(MODEL_TOKENS):
        return ()
    return tuple(
        Key(token=_token(order.index(label)), shape="line", label=clean(label, 60)) for label in dict.fromkeys(labels)
    )


def _text(value: object) -> str:
    return "" if value is None else number(value) if isinstance(value, float) else clean(str(value), 60)
