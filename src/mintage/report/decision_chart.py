"""The expected gain of retraining, with its interval, against its cost, decision by decision."""

from __future__ import annotations

import math
from typing import Final

from mintage.report.chart import MOST_PERIODS, Chart, Key, drawn, interval_values, nice_domain, rule, time_axis
from mintage.report.estimate import Estimate
from mintage.report.numbers import clean, estimated, interval, number, signed
from mintage.report.palette import light
from mintage.report.story import Decision

__all__ = ["decision_chart"]

Spec = dict[str, object]


_AXIS_WIDTH: Final = 62
_ACTION_TOKENS: Final = {"none": "muted", "warn": "attention", "retrain": "bad"}


def decision_chart(decisions: tuple[Decision, ...], *, prefix: str) -> Chart | None:
    shown = [one for one in decisions if one.gain is not None and math.isfinite(one.gain.value)][-MOST_PERIODS:]
    if not shown:
        return None
    wide, narrow = drawn(lambda width: _gain_chart(shown, width))
    actions = [action for action in _ACTION_TOKENS if any(one.action == action for one in shown)]
    keys = [Key(token=_ACTION_TOKENS[action], shape="dot", label=action) for action in actions]
    return Chart(
        name=f"{prefix}decisions",
        title="Expected gain of retraining against its cost",
        alt="; ".join(f"{clean(one.period, 20)}: {one.action}, gain {_gain_words(one)}" for one in shown),
        wide=wide,
        narrow=narrow,
        keys=(*keys, Key(token="ink", shape="rule", label="cost: above it, retraining pays")),
        columns=("period", "decision", "gain a prediction", "interval", "cost a prediction"),
        rows=tuple(
            (
                one.period,
                one.action,
                signed(_gain(one).value),
                interval(_gain(one).low, _gain(one).high),
                number(one.cost),
            )
            for one in shown
        ),
    )


def _gain(one: Decision) -> Estimate:
    assert one.gain is not None
    return one.gain


def _gain_words(one: Decision) -> str:
    return estimated(_gain(one).value, _gain(one).low, _gain(one).high)


def _gain_chart(shown: list[Decision], width: int) -> Spec:
    labels = [clean(one.period, 20) for one in shown]
    values = [
        interval_values(_gain(one), period=label) | {"action": one.action, "cost": one.cost}
        for one, label in zip(shown, labels, strict=True)
    ]
    reach = [value for row in values for value in (row["value"], row["low"], row["high"], row["cost"])]
    domain = nice_domain([*(value for value in reach if isinstance(value, float)), 0.0])
    x: Spec = {"field": "period", "type": "ordinal", "sort": None}
    x |= {"scale": {"domain": list(dict.fromkeys(labels))}, "axis": time_axis(labels, width - _AXIS_WIDTH)}
    y: Spec = {"field": "value", "type": "quantitative", "title": "gain in loss a prediction"}
    y["scale"] = {"domain": domain, "nice": False, "zero": False}
    y["axis"] = {"minExtent": _AXIS_WIDTH, "maxExtent": _AXIS_WIDTH, "tickCount": 5}
    scale = {"domain": list(_ACTION_TOKENS), "range": [light(token) for token in _ACTION_TOKENS.values()]}
    colour = {"field": "action", "type": "nominal", "scale": scale, "legend": None}
    cost = {
        "type": "tick",
        "color": light("ink"),
        "thickness": 1.5,
        "bandSize": (width - _AXIS_WIDTH) / len(shown) * 0.7,
    }
    spread = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}
    dot = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    word = {"type": "text", "baseline": "bottom", "dy": -6, "fontSize": 12}
    above = {"x": x, "y": {**y, "field": "high"}, "text": {"field": "action"}, "color": colour}
    layers: list[Spec] = [
        rule("y", 0.0, token="line", dashed=False),
        {
            "transform": [{"filter": "isValid(datum.cost)"}],
            "mark": cost,
            "encoding": {"x": x, "y": {**y, "field": "cost"}},
        },
        {"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45}, "encoding": spread},
        {"mark": dot, "encoding": {"x": x, "y": y, "color": colour}},
        {"mark": word, "encoding": above},
    ]
    return {"data": {"values": values}, "width": width - _AXIS_WIDTH - 20, "height": 230, "layer": layers}
