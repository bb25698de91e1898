"""KNeighborsRegressor: the mean of what the nearest training rows had."""

from __future__ import annotations

from mintage.lower.dispatch import Family
from mintage.lower.families.nearest_neighbors import lower_neighbors

__all__ = ["FAMILY"]

FAMILY = Family(types=("sklearn.neighbors._regression.KNeighborsRegressor",), role="regressor", lower=lower_neighbors)
