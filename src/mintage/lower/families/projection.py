"""PCA, IncrementalPCA and TruncatedSVD: the columns projected onto fitted directions."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.linear import product
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    directions = step.numbers("components_")
    if directions.ndim != 2 or directions.shape[1] != len(columns) or step.get("components_").dtype != np.float64:
        step.refuse(f"was fitted in single precision, or on other columns than the {len(columns)} that it gets")
    tensor = product(context, matrix(graph, taken), directions.T)
    if step.short != "TruncatedSVD":
        middle = step.numbers("mean_").reshape(1, -1) @ directions.T
        tensor = graph.add("Sub", [tensor, graph.constant(middle)])
        if step.get("whiten"):
            scale = np.sqrt(step.numbers("explained_variance_"))
            scale = np.maximum(scale, np.finfo(np.float64).eps)
            tensor = graph.add("Div", [tensor, graph.constant(scale.reshape(1, -1))])
    return numbers([taken[0].source] * len(directions), tensor)


FAMILY = Family(
    types=(
        "sklearn.decomposition._incremental_pca.IncrementalPCA",
        "sklearn.decomposition._pca.PCA",
        "sklearn.decomposition._truncated_svd.TruncatedSVD",
    ),
    role="transformer",
    lower=_lower,
)
