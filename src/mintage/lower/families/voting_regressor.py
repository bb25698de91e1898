"""VotingRegressor: the mean of the regressors' numbers, weighted if asked for."""

from __future__ import annotations

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, part_at, weighted_mean

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    names = [name for name, part in step.get("estimators") if part != "drop"]
    tensors = []
    for name, part in zip(names, step.get("estimators_"), strict=True):
        found = answers(part_at(step, name, part), columns, context, role="regressor")
        if len(found) != 1:
            step.at(name).refuse("has several targets; one is expected here")
        tensors.append(matrix(graph, found))
    return numbers([""], weighted_mean(step, tensors, graph))


FAMILY = Family(types=("sklearn.ensemble._voting.VotingRegressor",), role="regressor", lower=_lower)
