"""A dict, list or tuple of several things in one file: which of them predicts, and what to save instead.

It is never taken as a model: nothing says how its parts work together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .refused import Refused

__all__ = ["refuse_bundle"]

MOST = 6


def refuse_bundle(item: Any) -> None:
    """Raise Refused if ``item`` is such a collection."""
    if not isinstance(item, dict | list | tuple):
        return
    parts = list(_parts(item))
    predictors = [f"saved[{key!r}]" for key, part in parts if hasattr(part, "predict")]
    changers = [f"saved[{key!r}]" for key, part in parts if hasattr(part, "transform") and not hasattr(part, "predict")]
    shown = ", ".join(f"{key} ({type(part).__name__})" for key, part in parts[:MOST])
    what = f"holds a {type(item).__name__} of {shown or 'nothing'}{' …' if len(parts) > MOST else ''}"
    if not predictors:
        raise Refused(f"the file {what}: none of it predicts")
    if len(predictors) > 1:
        raise Refused(f"the file {what}: save each model in a file of its own")
    (model,) = predictors
    if changers:
        steps = ", ".join((*changers, model))
        raise Refused(
            f"the file {what}, and nothing says how they work together: save one Pipeline that takes the table as it "
            f"is, as in joblib.dump(sklearn.pipeline.make_pipeline({steps}), ...), if the model was fitted behind them"
        )
    raise Refused(f"the file {what}: save the model alone, as in joblib.dump({model}, ...), and the rest beside it")


def _parts(item: Any) -> Iterator[tuple[Any, Any]]:
    """Each part with its key or place."""
    pairs = item.items() if isinstance(item, dict) else enumerate(item)
    yield from list(pairs)[:100]
