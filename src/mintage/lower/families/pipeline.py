"""Pipeline: one step after the other."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts = step.get("steps")
    for place, (name, part) in enumerate(parts):
        if part is None or part == "passthrough":
            continue
        if not isinstance(part, Step):
            step.at(name).refuse(f"has a step that is not from a known library ({getattr(part, 'type', part)})")
        family = context.known.get(part.type)
        if family is not None and family.role in ("classifier", "margin", "regressor") and place != len(parts) - 1:
            part.at(name).refuse(f"is a {family.role}, but not the last step")
        columns = context.lower(Step(part.type, part.state, f"{step.path}/{name}"), columns)
    return columns


FAMILY = Family(types=("sklearn.pipeline.Pipeline",), role="container", lower=_lower)
