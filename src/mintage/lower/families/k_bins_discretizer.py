"""KBinsDiscretizer: the bin that a number lies in, as its place or as one column of 0 and 1 a bin."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor, numbers
from mintage.lower.description import Opaque, Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.intervals import edge_tree, locate
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    encode, dtype = step.get("encode"), step.get("dtype")
    if encode not in ("ordinal", "onehot", "onehot-dense"):
        step.refuse(f"with encode={encode!r} has no exact lowering")
    if dtype is not None and not (isinstance(dtype, Opaque) and dtype.type.rpartition(".")[2] == "float64"):
        step.refuse("with a dtype other than float64 has no exact lowering: it rounds numbers before it bins them")
    graph = context.graph
    result: list[Column] = []
    for column, edges in zip(numeric(step, columns), step.get("bin_edges_").tolist(), strict=True):
        inner = np.asarray(edges, dtype=np.float64)[1:-1]
        tree = edge_tree(inner)
        context.note_trees([tree], [column], single=False)
        place = locate(graph, tree, column_tensor(graph, column))
        if encode == "ordinal":
            result.append(Number(column.source, place, 0, 1))
            continue
        bins = np.arange(len(inner) + 1, dtype=np.float64).reshape(1, -1)
        same = graph.add("Equal", [place, graph.constant(bins)])
        result.extend(numbers([column.source] * bins.size, graph.add("Cast", [same], to=11)))
    return result


FAMILY = Family(types=("sklearn.preprocessing._discretization.KBinsDiscretizer",), role="transformer", lower=_lower)
