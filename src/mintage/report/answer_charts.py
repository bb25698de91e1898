"""The charts of what a model answers where it is no two-class score: confusion, predicted numbers, residuals.

As ``certificate_charts``: functions from views, None where there is nothing to draw. Names of classes are data only.
"""

from __future__ import annotations

from mintage.report.certificate_view import Confusion, Predicted, Residuals
from mintage.report.chart import Chart, Key, nice_domain, rule, scale_labels, thinned
from mintage.report.numbers import clean, count, number, percent
from mintage.report.palette import light
from mintage.report.svg import draw

__all__ = ["confusion_chart", "predicted_chart", "residuals_chart"]

Spec = dict[str, object]
_SMALL, _HALF_HEIGHT = 320, 240
_MOST_POINTS = 400


def confusion_chart(confusion: Confusion) -> Chart | None:
    """Each true class as a row, shaded by the share that was answered as which."""
    totals = [sum(row) for row in confusion.counts]
    if not sum(totals):
        return None
    names = _distinct([clean(name, 16) for name in confusion.classes])
    cells = [
        {"true": names[i], "said": names[j], "share": rows / totals[i], "text": _share(rows, totals[i])}
        for i, row in enumerate(confusion.counts)
        for j, rows in enumerate(row)
        if totals[i]
    ]
    axis = {"labelLimit": 90, "domain": False}
    x = {"field": "said", "type": "nominal", "sort": names, "title": "answered", "axis": {**axis, "labelAngle": -35}}
    y = {"field": "true", "type": "nominal", "sort": names, "title": "true", "axis": axis}
    shade = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.03, 0.5]},
    }
    layers: list[Spec] = [
        {"mark": {"type": "rect", "color": light("model-1")}, "encoding": {"x": x, "y": y, "opacity": shade}}
    ]
    if len(names) <= 8:
        text = {"text": {"field": "text", "type": "nominal"}}
        words = {"type": "text", "color": light("ink"), "fontSize": 12}
        layers.append({"mark": words, "encoding": {"x": x, "y": y, **text}})
    size = _SMALL - 40
    picture = draw({"data": {"values": cells}, "width": size, "height": size, "layer": layers})
    right = sum(row[place] for place, row in enumerate(confusion.counts))
    return Chart(
        name="confusion",
        title="Confusion on the hold-out",
        alt=f"{count(right)} of {count(sum(totals))} hold-out rows are answered as what they are. Each row of the "
        "picture is a true class; the diagonal is right.",
        wide=picture,
        narrow=picture,
        keys=(Key(token="model-1", shape="band", label="share of the true class's rows"),),
        columns=("true class", "rows", *names),
        rows=tuple(
            (names[place], count(totals[place]), *(count(rows) for rows in row))
            for place, row in enumerate(confusion.counts)
        ),
    )


def predicted_chart(predicted: Predicted) -> Chart | None:
    """True against predicted numbers, with the diagonal of perfect ones."""
    points = thinned(predicted.points, _MOST_POINTS)
    if not points:
        return None
    ends = [value for point in points for value in point]
    domain = nice_domain(ends, margin=0.04)
    axis = {"tickCount": 5, **scale_labels(ends)}
    scale = {"domain": domain, "nice": False, "zero": False}
    name = clean(predicted.target, 30)
    x = {"field": "x", "type": "quantitative", "title": f"predicted {name}", "axis": axis, "scale": scale}
    y = {"field": "y", "type": "quantitative", "title": f"true {name}", "axis": axis, "scale": scale}
    diagonal: Spec = {
        "data": {"values": [{"x": end, "y": end} for end in domain]},
        "mark": {"type": "line", "color": light("ink"), "strokeDash": [4, 3], "strokeWidth": 1.2},
        "encoding": {"x": x, "y": y},
    }
    dot = {"type": "point", "filled": True, "size": 22, "opacity": 0.35, "color": light("model-1")}
    cloud: Spec = {
        "data": {"values": [{"x": said, "y": true} for true, said in points]},
        "mark": dot,
        "encoding": {"x": x, "y": y},
    }
    picture = draw({"width": _SMALL, "height": _SMALL, "layer": [cloud, diagonal]})
    some = "" if len(points) == predicted.rows else f"{count(len(points))} of "
    return Chart(
        name="predicted",
        title="True against predicted on the hold-out",
        alt=f"{some}{count(predicted.rows)} hold-out rows, each with its predicted and its true number. The nearer to "
        "the diagonal, the better.",
        wide=picture,
        narrow=picture,
        keys=(
            Key(token="model-1", shape="dot", label=f"{some}{count(predicted.rows)} rows"),
            Key(token="ink", shape="dashes", label="perfect"),
        ),
        columns=("mean predicted", "mean true", "rows"),
        rows=tuple((number(said), number(true), count(rows)) for true, said, rows in predicted.means),
    )


def residuals_chart(residuals: Residuals) -> Chart | None:
    """The histogram of true less predicted, against none."""
    total = sum(one.rows for one in residuals.bins)
    if not total:
        return None
    values = [{"low": one.low, "high": one.high, "share": one.rows / total} for one in residuals.bins]
    ends = [residuals.bins[0].low, residuals.bins[-1].high]
    encoding = {
        "x": {
            "field": "low",
            "type": "quantitative",
            "title": "true less predicted",
            "axis": {"tickCount": 6, "grid": False, **scale_labels(ends)},
            "scale": {"nice": False, "zero": False},
        },
        "x2": {"field": "high"},
        "y": {"field": "share", "type": "quantitative", "title": "share of rows"}
        | {"axis": {"format": "~%", "tickCount": 4}},
        "y2": {"datum": 0},
    }
    bars = {"type": "bar", "color": light("model-1"), "opacity": 0.6, "binSpacing": 1}
    layers: list[Spec] = [{"data": {"values": values}, "mark": bars, "encoding": encoding}, rule("x", 0.0)]
    picture = draw({"width": _SMALL, "height": _HALF_HEIGHT, "layer": layers})
    return Chart(
        name="residuals",
        title="Residuals on the hold-out",
        alt=f"Histogram of true less predicted of {count(total)} rows. {residuals.summary or ''}".strip(),
        wide=picture,
        narrow=picture,
        keys=(
            Key(token="model-1", shape="bar", label=f"{count(total)} rows"),
            Key(token="ink", shape="dashes", label="no error"),
        ),
        note=residuals.summary,
        columns=("from", "to", "rows", "share"),
        rows=tuple((number(b.low), number(b.high), count(b.rows), percent(b.rows / total)) for b in residuals.bins),
    )


def _share(rows: int, total: int) -> str:
    return percent(rows / total) if rows else "–"


def _distinct(names: list[str]) -> list[str]:
    """The names, numbered where two became the same when they were cut."""
    return [name if names.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(names)]
