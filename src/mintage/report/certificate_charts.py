"""The charts of a certificate page, as functions from its view: None where there is nothing to draw.

Every chart that shows an estimate shows its interval, and every chart that decides something shows its threshold.
"""

from __future__ import annotations

import math

from mintage.report.answer_charts import confusion_chart, predicted_chart, residuals_chart
from mintage.report.certificate_view import Calibration, CertificateView, Latency, Requirement, Roc, Scores
from mintage.report.chart import NARROW, Chart, Key, drawn, finite, nice_domain, rule, scale_labels, thinned
from mintage.report.numbers import clean, count, estimated, interval, number, percent
from mintage.report.palette import light
from mintage.report.svg import draw

__all__ = ["certificate_charts"]

Spec = dict[str, object]

_VERDICT_TOKEN = {"PASS": "good", "FAIL": "bad"}
_SMALL = 320
"""Width in pixels of the plotting area of a chart that fits a phone as it is."""
_HALF_HEIGHT = 240


def certificate_charts(view: CertificateView) -> dict[str, Chart]:
    """The charts that the view has data for, by name: intervals, roc, calibration, scores, confusion,
    predicted, residuals, latency."""
    found = {
        "intervals": _intervals(view.requirements),
        "roc": _roc(view.roc),
        "calibration": _calibration(view.calibration) if view.calibration else None,
        "scores": _scores(view.scores) if view.scores else None,
        "confusion": confusion_chart(view.confusion) if view.confusion else None,
        "predicted": predicted_chart(view.predicted) if view.predicted else None,
        "residuals": residuals_chart(view.residuals) if view.residuals else None,
        "latency": _latency(view.latency) if view.latency else None,
    }
    return {name: chart for name, chart in found.items() if chart is not None}


# -- intervals -------------------------------------------------------------------------------------


def _intervals(requirements: tuple[Requirement, ...]) -> Chart | None:
    shown = [r for r in requirements if r.measured and math.isfinite(r.measured.value)][:40]
    if not shown:
        return None
    wide, narrow = drawn(lambda width: {"vconcat": [_interval_row(r, width) for r in shown], "spacing": 14})
    settled = sum(r.verdict == "PASS" for r in shown)
    return Chart(
        name="intervals",
        title="Measured against threshold",
        alt=f"{len(shown)} measured intervals, each against its threshold; {settled} lie on the good side.",
        wide=wide,
        narrow=narrow,
        keys=(
            Key(token="good", shape="line", label="PASS"),
            Key(token="attention", shape="line", label="INCONCLUSIVE"),
            Key(token="bad", shape="line", label="FAIL"),
            Key(token="ink", shape="dashes", label="threshold"),
            Key(token="good-soft", shape="band", label="the side that is good"),
        ),
        columns=("requirement", "measured", "interval", "threshold", "verdict"),
        rows=tuple((r.title, *_measured(r), r.verdict) for r in shown),
    )


def _measured(row: Requirement) -> tuple[str, str, str]:
    """Measured, interval and threshold of a requirement as text."""
    threshold = f"{row.direction} {number(row.threshold, row.unit)}" if row.threshold is not None else "–"
    if row.measured is None:
        return "–", "–", threshold
    return number(row.measured.value, row.unit), interval(row.measured.low, row.measured.high), threshold


def _interval_row(row: Requirement, width: int) -> Spec:
    """One requirement on a scale of its own: the good side, the threshold, the interval, the estimate."""
    assert row.measured is not None
    narrow = width == NARROW
    ends = (row.measured.low, row.measured.high)
    whole = (row.measured.value, *ends, row.threshold)
    domain = nice_domain(whole, margin=0.14)
    floor = max(0.0, domain[0]) if row.measured.value >= 0 else domain[0]
    low, high = finite([row.measured.low]) or [floor], finite([row.measured.high]) or [domain[1]]
    text = estimated(row.measured.value, *ends, row.unit)
    label = clean(row.title, 60)
    token = _VERDICT_TOKEN.get(row.verdict, "attention")
    values = {"value": row.measured.value, "low": low[0], "high": high[0], "row": label, "text": text}
    axis = {"tickCount": 4, "grid": False, "title": None, "labelFontSize": 11, **scale_labels(whole)}
    x: Spec = {
        "field": "value",
        "type": "quantitative",
        "axis": axis,
        "scale": {"domain": domain, "nice": False, "zero": False},
    }
    y: Spec = {"field": "row", "type": "nominal", "title": None}
    y["axis"] = (
        None if narrow else {"minExtent": 250, "maxExtent": 250, "labelLimit": 205, "labelPadding": 12, "domain": False}
    )
    layers: list[Spec] = _good_side(row, domain)
    if ends != (None, None):
        across = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y}
        mark = {"type": "bar", "height": 9, "cornerRadius": 4.5, "color": light(token), "opacity": 0.5}
        layers.append({"mark": mark, "encoding": across})
    dot = {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": light(token)}
    layers.append({"mark": dot, "encoding": {"x": x, "y": y}})
    spec: Spec = {
        "data": {"values": [values]},
        "width": width - (12 if narrow else 250 + 200),
        "height": 30,
        "layer": layers,
        "resolve": {"axis": {"x": "shared"}},
    }
    if narrow:
        spec["title"] = {"text": label, "subtitle": text, "subtitleColor": light("muted"), "limit": 330}
    else:
        words = {"type": "text", "align": "left", "dx": 14, "color": light("muted")}
        layers.append({"mark": words, "encoding": {"x": {"value": "width"}, "y": y, "text": {"field": "text"}}})
    return spec


def _good_side(row: Requirement, domain: list[float]) -> list[Spec]:
    if row.threshold is None or not math.isfinite(row.threshold):
        return []
    other = domain[0] if row.direction == "at most" else domain[1]
    band = {"type": "rect", "color": light("good-soft"), "opacity": 1}
    across = {"x": {"datum": row.threshold, "type": "quantitative"}, "x2": {"datum": other}}
    return [{"mark": band, "encoding": across}, rule("x", row.threshold)]


# -- curves on the unit square ---------------------------------------------------------------------


def _unit(title: str) -> Spec:
    return {
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, 1]},
        "axis": {"tickCount": 5, "format": ".1f"},
    }


_DIAGONAL: Spec = {
    "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
    "mark": {"type": "line", "color": light("reference"), "strokeDash": [2, 4], "strokeWidth": 1},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def _roc(curves: tuple[Roc, ...]) -> Chart | None:
    curves = tuple(curve for curve in curves if len(curve.points) > 1)
    if not curves:
        return None
    tokens = {"hold-out": "model-1", "train": "reference"}
    layers: list[Spec] = [_DIAGONAL]
    for curve in sorted(curves, key=lambda curve: curve.sample == "hold-out"):
        values = [{"x": x, "y": y, "order": i} for i, (x, y) in enumerate(thinned(curve.points, 200))]
        mark: Spec = {"type": "line", "color": light(tokens[curve.sample]), "strokeWidth": 2.2}
        if curve.sample == "train":
            mark |= {"strokeDash": [6, 3], "strokeWidth": 1.6}
        encoding = {
            "x": {"field": "x", **_unit("false positive rate")},
            "y": {"field": "y", **_unit("true positive rate")},
            "order": {"field": "order"},
        }
        layers.append({"data": {"values": values}, "mark": mark, "encoding": encoding})
    picture = draw({"width": _SMALL, "height": _SMALL, "layer": layers})
    words = {curve.sample: f"{curve.sample}{_auc(curve)}" for curve in curves}
    return Chart(
        name="roc",
        title="ROC, hold-out against train",
        alt="ROC curves: " + "; ".join(words.values()) + ". The further apart the two, the more the model overfits.",
        wide=picture,
        narrow=picture,
        keys=tuple(
            Key(token=tokens[sample], shape="line" if sample == "hold-out" else "dashes", label=label)
            for sample, label in words.items()
        ),
        columns=("sample", "false positive rate", "true positive rate"),
        rows=tuple((c.sample, number(x), number(y)) for c in curves for x, y in thinned(c.points, 11)),
    )


def _auc(curve: Roc) -> str:
    if curve.auc is None:
        return ""
    return f": AUC {estimated(curve.auc.value, curve.auc.low, curve.auc.high)}"


def _calibration(calibration: Calibration) -> Chart | None:
    bins = [one for one in calibration.bins if finite([one.predicted, one.observed.value]) and one.rows]
    if not bins:
        return None
    values = [
        {
            "x": one.predicted,
            "y": one.observed.value,
            "low": one.observed.low if one.observed.low is not None else one.observed.value,
            "high": one.observed.high if one.observed.high is not None else one.observed.value,
        }
        for one in bins
    ]
    x = {"field": "x", **_unit("mean score of the bin")}
    y = _unit("share that came true")
    interval_mark = {"type": "rule", "color": light("model-1"), "strokeWidth": 2, "opacity": 0.45}
    dot = {"type": "point", "filled": True, "size": 55, "opacity": 1, "color": light("model-1")}
    layers: list[Spec] = [
        _DIAGONAL,
        {"mark": interval_mark, "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}}},
        {"mark": dot, "encoding": {"x": x, "y": {"field": "y", **y}}},
    ]
    picture = draw({"data": {"values": values}, "width": _SMALL, "height": _SMALL, "layer": layers})
    return Chart(
        name="calibration",
        title="Calibration on the hold-out",
        alt=f"{len(bins)} bins of scores, each with the share that came true and its interval, against the diagonal "
        "of perfect calibration.",
        wide=picture,
        narrow=picture,
        keys=(
            Key(token="model-1", shape="dot", label="observed, with its interval"),
            Key(token="reference", shape="dashes", label="perfect"),
        ),
        note=calibration.summary,
        columns=("mean score", "observed", "interval", "rows"),
        rows=tuple(
            (
                number(one.predicted),
                number(one.observed.value),
                interval(one.observed.low, one.observed.high),
                count(one.rows),
            )
            for one in bins
        ),
    )


# -- histograms ------------------------------------------------------------------------------------


def _scores(scores: Scores) -> Chart | None:
    totals = {"negative": sum(b.negatives for b in scores.bins), "positive": sum(b.positives for b in scores.bins)}
    if not sum(totals.values()):
        return None
    values = [
        {"low": one.low, "high": one.high, "label": label, "share": rows / totals[label]}
        for one in scores.bins
        for label, rows in (("negative", one.negatives), ("positive", one.positives))
        if totals[label]
    ]
    axis = {"tickCount": 6, "format": "~r", "grid": False}
    colour = {"domain": ["negative", "positive"], "range": [light("reference"), light("model-2")]}
    encoding = {
        "x": {
            "field": "low",
            "type": "quantitative",
            "title": "score",
            "axis": axis,
            "scale": {"nice": False, "zero": False},
        },
        "x2": {"field": "high"},
        "y": {"field": "share", "type": "quantitative", "stack": None, "title": "share of the label's rows"}
        | {"axis": {"format": "~%", "tickCount": 4}},
        "y2": {"datum": 0},
        "color": {"field": "label", "type": "nominal", "scale": colour, "legend": None},
    }
    bars = {"type": "bar", "opacity": 0.5, "binSpacing": 1}
    layers: list[Spec] = [{"data": {"values": values}, "mark": bars, "encoding": encoding}]
    if scores.threshold is not None:
        layers.append(rule("x", scores.threshold))
    picture = draw({"width": _SMALL, "height": _HALF_HEIGHT, "layer": layers})
    positive, negative = clean(scores.positive, 40), clean(scores.negative, 40)
    keys = [
        Key(token="model-2", shape="bar", label=f"{positive} ({count(totals['positive'])} rows)"),
        Key(token="reference", shape="bar", label=f"{negative} ({count(totals['negative'])} rows)"),
    ]
    if scores.threshold is not None:
        keys.append(Key(token="ink", shape="dashes", label=f"labelled from {number(scores.threshold)}"))
    return Chart(
        name="scores",
        title="Scores on the hold-out, by true label",
        alt=f"Two histograms of scores: {positive} and {negative}. The less they overlap, the better the model.",
        wide=picture,
        narrow=picture,
        keys=tuple(keys),
        columns=("score from", "to", positive, negative),
        rows=tuple((number(b.low), number(b.high), count(b.positives), count(b.negatives)) for b in scores.bins),
    )


def _latency(latency: Latency) -> Chart | None:
    total = sum(one.requests for one in latency.bins)
    if not total:
        return None
    values = [{"low": one.low_ms, "high": one.high_ms, "share": one.requests / total} for one in latency.bins]
    axis = {"tickCount": 6, "format": "~r", "grid": False}
    encoding = {
        "x": {
            "field": "low",
            "type": "quantitative",
            "title": "milliseconds",
            "axis": axis,
            "scale": {"nice": False, "zero": False},
        },
        "x2": {"field": "high"},
        "y": {"field": "share", "type": "quantitative", "title": "share of requests"}
        | {"axis": {"format": "~%", "tickCount": 4}},
        "y2": {"datum": 0},
    }
    bars = {"type": "bar", "color": light("model-4"), "opacity": 0.75, "binSpacing": 1}
    layers: list[Spec] = [{"data": {"values": values}, "mark": bars, "encoding": encoding}]
    longest = max(one.high_ms for one in latency.bins)
    shown = [limit for limit in finite(q.limit_ms for q in latency.quantiles) if limit <= 1.5 * longest]
    layers += [rule("x", limit) for limit in shown]
    layers += [
        rule("x", value, token="model-4", dashed=False) for value in finite(q.ms.value for q in latency.quantiles)
    ]
    picture = draw({"width": _SMALL, "height": _HALF_HEIGHT, "layer": layers})
    words = [f"{clean(q.name, 20)} {estimated(q.ms.value, q.ms.low, q.ms.high, 'ms')}" for q in latency.quantiles]
    keys = [Key(token="model-4", shape="line", label=text) for text in words]
    keys += [
        Key(token="ink", shape="dashes", label=f"limit of {clean(q.name, 20)}: {number(q.limit_ms, 'ms')}")
        for q in latency.quantiles
        if q.limit_ms in shown
    ]
    return Chart(
        name="latency",
        title="Response time",
        alt=f"Histogram of {count(total)} response times. " + "; ".join(words),
        wide=picture,
        narrow=picture,
        keys=tuple(keys),
        note=latency.load,
        columns=("ms from", "to", "requests", "share"),
        rows=tuple(
            (number(one.low_ms), number(one.high_ms), count(one.requests), percent(one.requests / total))
            for one in latency.bins
        ),
    )
