"""ColumnTransformer: groups of columns, each through its own transformer, side by side. Also the identity.

The fitted order counts: that of ``transformers_``, the remainder last. Columns that no group takes are dropped.
"""

from __future__ import annotations

from typing import Any

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.weights import weighted

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    places = step.get("_transformer_to_input_indices")
    result: list[Column] = []
    for name, part, _ in step.get("transformers_"):
        chosen = [columns[place] for place in _indices(step, places, name)]
        if part == "drop" or not chosen:
            continue
        made = chosen if part == "passthrough" else context.lower(_named(step, name, part), chosen)
        result.extend(weighted(step, name, made, context))
    return result


def _indices(step: Step, places: Any, name: str) -> list[int]:
    if not isinstance(places, dict) or name not in places:
        step.refuse(f"does not say which columns {name!r} takes: this version of its library is not known")
    found = places[name]
    return [int(place) for place in (found.tolist() if hasattr(found, "tolist") else found)]


def _named(step: Step, name: str, part: Any) -> Step:
    if not isinstance(part, Step):
        step.at(name).refuse(f"has a transformer that is not from a known library ({getattr(part, 'type', part)})")
    return Step(part.type, part.state, f"{step.path}/{name}")


FAMILY = Family(types=("sklearn.compose._column_transformer.ColumnTransformer",), role="container", lower=_lower)
