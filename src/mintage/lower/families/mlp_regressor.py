"""MLPRegressor: a column a target."""

from __future__ import annotations

from mintage.lower.dispatch import Family
from mintage.lower.families.mlp_classifier import forward

__all__ = ["FAMILY"]

FAMILY = Family(types=("sklearn.neural_network._multilayer_perceptron.MLPRegressor",), role="regressor", lower=forward)
