"""FeatureUnion: what several transformers make of the same columns, side by side."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import part_at
from mintage.lower.weights import weighted

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    result: list[Column] = []
    for name, part in step.get("transformer_list"):
        if part == "drop":
            continue
        made = columns if part == "passthrough" else context.lower(part_at(step, name, part), list(columns))
        result.extend(weighted(step, name, made, context))
    return result


FAMILY = Family(types=("sklearn.pipeline.FeatureUnion",), role="container", lower=_lower)
