"""Traffic by period, and under it the realised loss of each model with its interval.

A model keeps one colour all over the page, whatever its role; the role is the shape of its mark.
"""

from __future__ import annotations

import math
from typing import Final

from mintage.report.chart import MOST_PERIODS, Chart, Key, drawn, finite, interval_values, nice_domain, rule, time_axis
from mintage.report.estimate import Estimate
from mintage.report.numbers import clean, count, interval, number, short
from mintage.report.palette import MODEL_TOKENS, light
from mintage.report.story import LossPoint, ModelStory, Period, Served

__all__ = ["colours_of", "traffic_chart"]

Spec = dict[str, object]


_AXIS_WIDTH: Final = 62
_SHAPES: Final = {"champion": "circle", "challenger": "diamond", "shadow": "square", "candidate": "triangle-up"}
_KEY_SHAPES: Final = {"champion": "dot", "challenger": "diamond", "shadow": "square", "candidate": "triangle"}


def colours_of(model: ModelStory) -> dict[str, str]:
    """Root digest of each model to its colour token, in the order in which they appear; the sixth is grey."""
    roots = [change.root for change in model.releases]
    roots += [served.root for period in model.periods for served in period.served]
    roots += [point.root for period in model.periods for point in period.losses]
    names = list(dict.fromkeys(roots))
    return {root: MODEL_TOKENS[i] if i < len(MODEL_TOKENS) else "reference" for i, root in enumerate(names)}


def traffic_chart(model: ModelStory, *, prefix: str) -> Chart | None:
    periods = [one for one in model.periods[-MOST_PERIODS:] if one.served or one.losses]
    if not periods:
        return None
    colours = colours_of(model)
    has_rows, has_loss = any(one.served for one in periods), any(one.losses for one in periods)

    def spec(width: int) -> Spec:
        parts = [_rows_part(periods, colours, width)] if has_rows else []
        parts += [_loss_part(periods, colours, model, width)] if has_loss else []
        return {"vconcat": parts, "spacing": 22}

    wide, narrow = drawn(spec)
    return Chart(
        name=f"{prefix}traffic",
        title=f"Predictions, and the realised {clean(model.loss, 30)}" if has_loss else "Predictions",
        alt=_traffic_words(periods, model),
        wide=wide,
        narrow=narrow,
        keys=_traffic_keys(periods, colours, model),
        note=None if has_loss else "The labels of these predictions have not come yet, so no loss is shown.",
        columns=("period", "model", "role", "predictions", model.loss, "interval", "labelled rows"),
        rows=tuple(row for period in periods for row in _traffic_rows(period)),
    )


def _rows_part(periods: list[Period], colours: dict[str, str], width: int) -> Spec:
    labels = [clean(one.label, 20) for one in periods]
    values = [
        {"period": clean(one.label, 20), "model": short(served.root), "rows": served.rows, "role": served.role}
        for one in periods
        for served in one.served
    ]
    axis = {"minExtent": _AXIS_WIDTH, "maxExtent": _AXIS_WIDTH, "tickCount": 3, "format": "~s"}
    return {
        "data": {"values": values},
        "width": width - _AXIS_WIDTH - 20,
        "height": 90,
        "mark": {"type": "bar", "opacity": 0.85},
        "encoding": {
            "x": {"field": "period", "type": "ordinal", "sort": None, "scale": {"domain": labels, "paddingInner": 0.35}}
            | {"axis": {"labels": False, "title": None, "domain": True}},
            "y": {"field": "rows", "type": "quantitative", "title": "predictions", "axis": axis},
            "color": _model_colour([s.root for p in periods for s in p.served], colours),
        },
    }


def _loss_part(periods: list[Period], colours: dict[str, str], model: ModelStory, width: int) -> Spec:
    labels = [clean(one.label, 20) for one in periods]
    points = [(one, point) for one in periods for point in one.losses if math.isfinite(point.loss.value)]
    most = max(len(one.losses) for one in periods)
    values = [
        interval_values(point.loss, period=clean(one.label, 20)) | _who(point) | {"slot": _slot(one, point, most)}
        for one, point in points
    ]
    reach = [value for _, point in points for value in (point.loss.value, point.loss.low, point.loss.high)]
    if model.reference is not None:
        reach += [model.reference.value, model.reference.low, model.reference.high]
    axis = {"minExtent": _AXIS_WIDTH, "maxExtent": _AXIS_WIDTH, "tickCount": 5}
    scale = {"domain": nice_domain(reach), "nice": False, "zero": False}
    x: Spec = {"field": "period", "type": "ordinal", "sort": None, "scale": {"domain": labels, "paddingInner": 0.35}}
    x["axis"] = time_axis(labels, width - _AXIS_WIDTH)
    y = {"field": "value", "type": "quantitative", "title": clean(model.loss, 30), "scale": scale, "axis": axis}
    colour = _model_colour([point.root for _, point in points], colours)
    roles = [role for role in _SHAPES if any(point.role == role for _, point in points)]
    shape: Spec = {"field": "role", "type": "nominal", "legend": None}
    shape["scale"] = {"domain": roles, "range": [_SHAPES[role] for role in roles]}
    slots = {"field": "slot", "type": "ordinal", "scale": {"domain": list(range(2 * most - 1))}}
    common = {"x": x, "color": colour, "xOffset": slots}
    spread = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    layers: list[Spec] = _reference_band(model.reference)
    layers.append({"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45}, "encoding": common | spread})
    dot = {"type": "point", "filled": True, "size": 80, "opacity": 1}
    layers.append({"mark": dot, "encoding": common | {"y": y, "shape": shape}})
    return {"data": {"values": values}, "width": width - _AXIS_WIDTH - 20, "height": 210, "layer": layers}


def _reference_band(reference: Estimate | None) -> list[Spec]:
    if reference is None or not math.isfinite(reference.value):
        return []
    layers: list[Spec] = [rule("y", reference.value, token="reference")]
    if len(finite([reference.low, reference.high])) == 2:
        band = {"type": "rect", "color": light("heat-1"), "opacity": 0.75}
        across = {"y": {"datum": reference.low, "type": "quantitative"}, "y2": {"datum": reference.high}}
        layers.insert(0, {"data": {"values": [{}]}, "mark": band, "encoding": across})
    return layers


def _model_colour(roots: list[str], colours: dict[str, str]) -> Spec:
    names = {short(root): light(colours[root]) for root in colours if root in roots}
    scale = {"domain": list(names), "range": list(names.values())}
    return {"field": "model", "type": "nominal", "scale": scale, "legend": None}


def _slot(period: Period, point: LossPoint, most: int) -> int:
    """Where a point stands among those of its period: all of a period are centred on its label."""
    return most - len(period.losses) + 2 * period.losses.index(point)


def _who(point: LossPoint | Served) -> dict[str, object]:
    return {"model": short(point.root), "role": point.role}


def _traffic_words(periods: list[Period], model: ModelStory) -> str:
    rows = sum(served.rows for one in periods for served in one.served)
    words = [f"{count(rows)} predictions from {clean(periods[0].label, 20)} to {clean(periods[-1].label, 20)}."]
    if any(one.losses for one in periods):
        words.append(f"Below, the realised {clean(model.loss, 30)} of each model with its interval.")
    return " ".join(words)


def _traffic_keys(periods: list[Period], colours: dict[str, str], model: ModelStory) -> tuple[Key, ...]:
    roles: dict[str, dict[str, None]] = {}
    for period in periods:
        pairs = [(one.root, one.role) for one in period.served] + [(one.root, one.role) for one in period.losses]
        for root, role in pairs:
            roles.setdefault(root, {})[role] = None
    keys = [
        Key(token=colours[root], shape="bar", label=f"{short(root)}, {' then '.join(of_it)}")
        for root, of_it in roles.items()
    ]
    drawn_roles = {point.role for one in periods for point in one.losses}
    keys += [Key(token="muted", shape=_KEY_SHAPES[role], label=role) for role in _KEY_SHAPES if role in drawn_roles]
    if model.reference is not None and drawn_roles:
        keys.append(Key(token="reference", shape="dashes", label="validation reference"))
    return tuple(keys)


def _traffic_rows(period: Period) -> list[tuple[str, ...]]:
    rows = {(one.root, one.role): one for one in period.served}
    losses = {(one.root, one.role): one for one in period.losses}
    table: list[tuple[str, ...]] = []
    for key in dict.fromkeys((*rows, *losses)):
        served, loss = rows.get(key), losses.get(key)
        numbers = (count(served.rows) if served else "–", number(loss.loss.value if loss else None))
        spread = interval(loss.loss.low, loss.loss.high) if loss else "–"
        table.append((period.label, short(key[0]), key[1], *numbers, spread, count(loss.rows if loss else None)))
    return table
