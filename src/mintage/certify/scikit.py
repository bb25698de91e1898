"""The one door to scikit-learn here: the models that checks fit beside the one that is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mintage.errors import ExtraMissingError

__all__ = ["Scikit", "open_scikit"]


@dataclass(frozen=True)
class Scikit:
    """Models, and a context in which sums use one thread: small fits take longer with more, and the last bits of a
    score must not depend on the machine's number of cores."""

    logistic: Any
    tree_of_classes: Any
    tree_of_numbers: Any
    boosted_trees: Callable[..., Any]
    one_thread: Callable[[], Any]


def open_scikit(what: str = "trivial baselines need") -> Scikit:
    """The library; raises ExtraMissingError, which begins with ``what``, where it is not installed."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ExtraMissingError(
            f"{what} scikit-learn, which is not installed",
            expected="scikit-learn",
            found=str(error),
            hint="install it: pip install 'mintage[demo]'",
        ) from error
    return Scikit(
        LogisticRegression, DecisionTreeClassifier, DecisionTreeRegressor, _boosted_trees, lambda: threadpool_limits(1)
    )


_BINS = 63
"""Parts of a column of numbers: as good as 255 for telling rows apart, at a fourth of the time."""


def _boosted_trees(**asked: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # a second of imports that few checks need

    return HistGradientBoostingClassifier(max_bins=_BINS, **asked)
