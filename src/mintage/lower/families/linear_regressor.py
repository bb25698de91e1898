"""LinearRegression, Ridge, Lasso and the other regressors that give a weighted sum of the columns for each target."""

from __future__ import annotations

from mintage.lower.columns import Column, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.linear import weighted_sums

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    raw, width = weighted_sums(step, columns, context)
    return numbers([""] * width, raw)


_COORDINATES = (
    *("ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "MultiTaskElasticNet", "MultiTaskElasticNetCV"),
    *("MultiTaskLasso", "MultiTaskLassoCV"),
)
_ANGLES = ("Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC")

FAMILY = Family(
    types=(
        "sklearn.linear_model._base.LinearRegression",
        "sklearn.linear_model._bayes.ARDRegression",
        "sklearn.linear_model._bayes.BayesianRidge",
        *(f"sklearn.linear_model._coordinate_descent.{name}" for name in _COORDINATES),
        "sklearn.linear_model._huber.HuberRegressor",
        *(f"sklearn.linear_model._least_angle.{name}" for name in _ANGLES),
        "sklearn.linear_model._omp.OrthogonalMatchingPursuit",
        "sklearn.linear_model._omp.OrthogonalMatchingPursuitCV",
        "sklearn.linear_model._passive_aggressive.PassiveAggressiveRegressor",
        "sklearn.linear_model._quantile.QuantileRegressor",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.linear_model._ridge.RidgeCV",
        "sklearn.linear_model._stochastic_gradient.SGDRegressor",
        "sklearn.linear_model._theil_sen.TheilSenRegressor",
        "sklearn.svm._classes.LinearSVR",
    ),
    role="regressor",
    lower=_lower,
)
