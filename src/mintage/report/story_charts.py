"""The charts of one model in a project's story, by name."""

from __future__ import annotations

from mintage.report.chart import Chart
from mintage.report.decision_chart import decision_chart
from mintage.report.drift_chart import drift_chart
from mintage.report.story import ModelStory
from mintage.report.traffic_chart import traffic_chart

__all__ = ["story_charts"]


def story_charts(model: ModelStory, *, prefix: str) -> dict[str, Chart]:
    """The charts that the model has data for, by name: traffic, drift, decisions. ``prefix`` makes ids unique."""
    found = {
        "traffic": traffic_chart(model, prefix=prefix),
        "drift": drift_chart(model.drift, prefix=prefix) if model.drift else None,
        "decisions": decision_chart(model.decisions, prefix=prefix),
    }
    return {name: chart for name, chart in found.items() if chart is not None}
