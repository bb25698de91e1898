"""PoissonRegressor, GammaRegressor and TweedieRegressor: a weighted sum, or its exponential.

The exponential becomes infinite from some number on; that is outside of the inputs' limits.
"""

from __future__ import annotations

from mintage.lower.columns import Column, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.linear import weighted_sums

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    raw, width = weighted_sums(step, columns, context)
    if not _logarithmic(step):
        return numbers([""] * width, raw)
    grown = graph.add("Exp", [raw])
    context.note_finite(grown, columns)
    return numbers([""] * width, grown)


def _logarithmic(step: Step) -> bool:
    """Whether the link is the logarithm."""
    if step.short != "TweedieRegressor":
        return True
    link, power = step.get("link"), float(step.get("power"))
    if link not in ("auto", "log", "identity"):
        step.refuse(f"with link={link!r} has no exact lowering")
    return bool(link == "log" or (link == "auto" and power > 0))


FAMILY = Family(
    types=tuple(
        f"sklearn.linear_model._glm.glm.{name}" for name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
    ),
    role="regressor",
    lower=_lower,
)
