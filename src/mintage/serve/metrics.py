"""Counts of the gateway in Prometheus text format 0.0.4.

``Metrics`` counts; ``render`` writes. Labels come from the models that are live and from error codes, never from what a
caller sent, so that no caller can make them grow. Counts start at zero with the process, as Prometheus expects.

>>> metrics = Metrics()
>>> metrics.predicted("late", "champion", rows=2, seconds=0.0004)
>>> metrics.render(generation=3, roots=[("late", "sha256:ab", "champion")]).splitlines()[2]
'mintage_predictions_total{model="late",variant="champion"} 2'
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class _Histogram:
    """Requests of one model and variant by latency; ``counts`` are not cumulative, rendering adds them up."""

    __slots__ = ("counts", "rows", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0
        self.rows = 0


class Metrics:
    """The process's counters. Written from one thread, the event loop's."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], _Histogram] = {}
        self._errors: dict[tuple[str, str], int] = {}
        self._flags: dict[tuple[str, str], int] = {}

    def predicted(self, model: str, variant: str, *, rows: int, seconds: float) -> None:
        """Count one answered request of ``rows`` predictions."""
        histogram = self._requests.get((model, variant))
        if histogram is None:
            histogram = self._requests[(model, variant)] = _Histogram()
        histogram.rows += rows
        histogram.total += seconds
        histogram.counts[bisect_left(_BUCKETS, seconds)] += 1

    def failed(self, model: str, code: str) -> None:
        """Count one refused request; ``model`` is empty when the request named none that is live."""
        self._errors[(model, code)] = self._errors.get((model, code), 0) + 1

    def flagged(self, model: str, flags: Mapping[str, int]) -> None:
        """Count values by input that were taken although out of range or never seen in training."""
        for name, count in flags.items():
            self._flags[(model, name)] = self._flags.get((model, name), 0) + count

    def render(self, *, generation: int, roots: Iterable[tuple[str, str, str]]) -> str:
        """The text for a scrape; ``roots`` are (model, root, variant) of what is live."""
        lines: list[str] = []
        _family(lines, "mintage_predictions_total", "counter", "Predictions answered over HTTP, by row.")
        for (model, variant), histogram in sorted(self._requests.items()):
            lines.append(_sample("mintage_predictions_total", {"model": model, "variant": variant}, histogram.rows))
        name = "mintage_prediction_latency_seconds"
        _family(lines, name, "histogram", "Seconds from a complete request to its answer.")
        for (model, variant), histogram in sorted(self._requests.items()):
            labels = {"model": model, "variant": variant}
            seen = 0
            for bound, count in zip((*_BUCKETS, "+Inf"), histogram.counts, strict=True):
                seen += count
                lines.append(_sample(f"{name}_bucket", {**labels, "le": str(bound)}, seen))
            lines.append(_sample(f"{name}_sum", labels, histogram.total))
            lines.append(_sample(f"{name}_count", labels, seen))
        _family(lines, "mintage_request_errors_total", "counter", "Requests refused, by error code.")
        for (model, code), count in sorted(self._errors.items()):
            lines.append(_sample("mintage_request_errors_total", {"model": model, "code": code}, count))
        name = "mintage_flagged_values_total"
        _family(lines, name, "counter", "Values taken although out of range or never seen in training.")
        for (model, column), count in sorted(self._flags.items()):
            lines.append(_sample(name, {"model": model, "input": column}, count))
        _family(lines, "mintage_model_info", "gauge", "1 for each model that is live.")
        for model, root, variant in roots:
            lines.append(_sample("mintage_model_info", {"model": model, "root": root, "variant": variant}, 1))
        _family(lines, "mintage_gateway_generation", "gauge", "Generation of the desired state that is live.")
        lines.append(_sample("mintage_gateway_generation", {}, generation))
        return "\n".join(lines) + "\n"


def _family(lines: list[str], name: str, kind: str, help_text: str) -> None:
    lines.append(f"# HELP {name} {help_text}")
    lines.append(f"# TYPE {name} {kind}")


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
