"""Drift by feature and period, as a heat map whose colours turn warm where a change is material."""

from __future__ import annotations

import math
from typing import Final

from mintage.report.chart import MOST_PERIODS, NARROW, Chart, Key, drawn, thinned, time_axis
from mintage.report.numbers import clean, number
from mintage.report.palette import HEAT_STEPS, light
from mintage.report.story import Drift, DriftCell

__all__ = ["drift_chart"]

Spec = dict[str, object]


_MOST_FEATURES: Final = 30
_STEPS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Ends of the steps of the heat map, in units of the material size."""


def drift_chart(drift: Drift, *, prefix: str) -> Chart | None:
    cells = [cell for cell in drift.cells if math.isfinite(cell.effect)]
    if not cells or not drift.material > 0:
        return None
    labels = list(dict.fromkeys(cell.period for cell in cells))[-MOST_PERIODS:]
    cells = [cell for cell in cells if cell.period in labels]
    worst: dict[str, float] = {}
    for cell in cells:
        worst[cell.feature] = max(worst.get(cell.feature, 0.0), abs(cell.effect))
    ranked = sorted(worst, key=lambda name: (-worst[name], name))
    kept = ranked[:_MOST_FEATURES]
    shown = [cell for cell in cells if cell.feature in kept]
    wide, narrow = drawn(lambda width: _heat_map(drift, shown, kept, labels, width))
    alarms = sum(cell.alarm for cell in cells)
    left_out = (
        f" The {len(ranked) - len(kept)} features that moved least are left out." if len(ranked) > len(kept) else ""
    )
    return Chart(
        name=f"{prefix}drift",
        title="Which features moved, and when",
        alt=f"Heat map of {len(kept)} features over {len(labels)} periods; {clean(kept[0], 60)} moved most. "
        f"{alarms} cells carry an alarm.",
        wide=wide,
        narrow=narrow,
        keys=(*_heat_keys(drift.material), Key(token="ink", shape="dot", label="alarm within the false-alarm budget")),
        note=f"Colour: {clean(drift.effect, 200)}; warm from {number(drift.material)}, where it matters.{left_out}",
        columns=("feature", "period", clean(drift.effect, 60), "alarm"),
        rows=tuple(
            (c.feature, c.period, number(c.effect), "yes" if c.alarm else "no") for c in thinned(tuple(shown), 400)
        ),
    )


def _heat_map(drift: Drift, cells: list[DriftCell], features: list[str], labels: list[str], width: int) -> Spec:
    names = {name: f"{clean(name, 40)}" for name in features}
    values = [
        {
            "feature": features.index(cell.feature),
            "name": names[cell.feature],
            "period": clean(cell.period, 20),
            "step": sum(abs(cell.effect) >= end * drift.material for end in _STEPS),
            "alarm": cell.alarm,
        }
        for cell in cells
    ]
    extent = 120 if width == NARROW else 170
    axis = {"minExtent": extent, "maxExtent": extent, "labelLimit": extent - 10, "domain": False, "title": None}
    x: Spec = {"field": "period", "type": "ordinal", "sort": None}
    x |= {"scale": {"domain": [clean(label, 20) for label in labels], "paddingInner": 0.06, "paddingOuter": 0}}
    x["axis"] = time_axis(labels, width - extent) | {"domain": False}
    y: Spec = {"field": "name", "type": "ordinal", "sort": {"field": "feature"}, "axis": axis}
    y["scale"] = {"paddingInner": 0.08, "paddingOuter": 0}
    steps = {"domain": list(range(len(HEAT_STEPS))), "range": [light(token) for token in HEAT_STEPS]}
    colour = {"field": "step", "type": "ordinal", "scale": steps, "legend": None}
    alarm = {"type": "point", "filled": True, "size": 34, "opacity": 1, "color": light("ink")}
    alarm |= {"stroke": light("surface"), "strokeWidth": 1}
    return {
        "data": {"values": values},
        "width": width - extent - 14,
        "height": {"step": 26},
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 3}, "encoding": {"x": x, "y": y, "color": colour}},
            {"transform": [{"filter": "datum.alarm"}], "mark": alarm, "encoding": {"x": x, "y": y}},
        ],
    }


def _heat_keys(material: float) -> list[Key]:
    ends = [number(end * material) for end in _STEPS]
    words = [f"below {ends[0]}", *(f"from {end}" for end in ends)]
    return [Key(token=token, shape="bar", label=label) for token, label in zip(HEAT_STEPS, words, strict=True)]
