"""Which metric is meant: ``auc``, or ``evaluate:auc`` where several stages report one of that name. Pure.

>>> metrics = {"fit": {"loss": 0.4}, "evaluate": {"auc": 0.8, "loss": 0.5}}
>>> find_metric("auc", metrics), find_metric("fit:loss", metrics), find_metric("f1", metrics)
(('evaluate', 'auc'), ('fit', 'loss'), None)
"""

from __future__ import annotations

from collections.abc import Mapping

from mintage.errors import UnknownNameError, UsageError
from mintage.repo.nearest import nearest_hint

__all__ = ["find_metric", "metric_or_raise"]

Metrics = Mapping[str, Mapping[str, float]]


def find_metric(name: str, metrics: Metrics) -> tuple[str, str] | None:
    """Stage and key of a metric; None if no stage reports it. Raises UsageError if several do."""
    stage, colon, key = name.partition(":")
    if colon and stage in metrics:
        return (stage, key) if key in metrics[stage] else None
    found = [(stage, name) for stage, own in metrics.items() if name in own]
    if len(found) > 1:
        raise UsageError(
            f"several stages report {name}",
            found=", ".join(stage for stage, _ in found),
            hint=f"say which, as in `--metric {found[-1][0]}:{name}`",
        )
    return found[0] if found else None


def metric_or_raise(name: str, metrics: Metrics, *, where: str) -> tuple[str, str]:
    """As ``find_metric``; raises UnknownNameError that names what ``where`` reports."""
    found = find_metric(name, metrics)
    if found is None:
        known = [key for own in metrics.values() for key in own]
        raise UnknownNameError(
            f"no stage reports the metric {name!r} at {where}",
            expected=", ".join(known[:20]) or "none is reported",
            hint=nearest_hint(
                name, known, otherwise="a stage reports numbers in a file under `metrics:`, or with mintage.log_metrics"
            ),
        )
    return found
