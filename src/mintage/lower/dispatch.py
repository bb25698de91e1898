"""What a family of estimators is, and how a pipeline's steps go to theirs. ``registry`` finds the families.

A family declares the full names of the types it knows and one function. ``lower_step`` of a transformer turns columns
into columns; that of a classifier, the last step, turns columns into probabilities: for each target one column, of the
positive class, if it has two classes, and one a class if it has more. A regressor gives one column a target, and a
margin, which is a classifier without probabilities, its decision function.
Nothing is looked up by a part of a name: a subclass of a known type is custom code, and refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from mintage.lower.columns import Column, Number, Text
from mintage.lower.description import Step
from mintage.lower.graph import Graph
from mintage.lower.trees import Tree

__all__ = ["Context", "Family", "lower_step"]


@dataclass
class Context:
    """What a family writes to and reads from while one estimator is lowered.

    ``missing`` says what a missing text was for the estimator. A family notes here what others must know: the
    ``categories`` that a raw column was seen with, whether others are ``closed`` out, and by ``note_trees`` the
    ``trees`` with the ``features`` they split on, for the edge rows. ``single`` says of each feature whether the
    library takes it as float32, and so refuses what is too large for that; ``rounded`` whether its last bit differs
    between libraries, so that a row exactly at a split may go either way. ``refuses_missing`` is set by a model that
    refuses rows with missing features, ``rounds`` to its name by one whose library computes answers in float32.
    ``converters`` says by whom a part was converted that has no lowering of ours, by its place in the pipeline.
    ``decisions`` maps a tensor of probabilities to that of the decision function, where a classifier has one: [N, 1]
    for two classes, else [N, classes]. ``labels`` maps a tensor of more than two classes to the numbers whose first
    largest is the library's label, where that is not the first largest probability. ``singles`` maps a probability of
    the second of two classes to the float32 number that the library takes off from one.
    """

    graph: Graph
    missing: Literal["none", "nan"]
    known: Mapping[str, Family]
    categories: dict[str, tuple[str | float, ...]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    trees: list[Tree] = field(default_factory=list)
    features: list[Column] = field(default_factory=list)
    single: list[bool] = field(default_factory=list)
    rounded: list[bool] = field(default_factory=list)
    refuses_missing: bool = False
    rounds: str | None = None
    converters: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    singles: dict[str, str] = field(default_factory=dict)

    def note_trees(self, trees: Sequence[Tree], columns: Sequence[Column], *, single: bool) -> None:
        """Note the trees of one model, which split on ``columns``; there may be several models."""
        first = len(self.features)
        self.trees.extend(replace(tree, feature=tree.feature + first) for tree in trees)
        self.features.extend(columns)
        self.single.extend([single] * len(columns))
        known: dict[str, bool] = {}
        for column in columns:
            if column.tensor not in known:
                known[column.tensor] = bool(self.graph.operators([column.tensor]) & _ROUNDING)
            self.rounded.append(known[column.tensor])

    def note_finite(self, tensor: str, columns: Sequence[Column]) -> None:
        """Note that ``tensor`` [N, 1] must be finite: the limits of the numbers in ``columns`` follow."""
        sources = dict.fromkeys(column.source for column in columns if not isinstance(column, Text))
        self.note_trees([], [Number(source, tensor, 0, 1) for source in sources], single=True)

    def lower(self, step: Step, columns: list[Column]) -> list[Column]:
        """Lower a part of a pipeline by its own family."""
        return lower_step(step, columns, self)


_ROUNDING = frozenset(("Erf", "Exp", "Log", "MatMul", "Pow", "ReduceSum", "Sigmoid", "Tanh"))


Lower = Callable[[Step, "list[Column]", Context], "list[Column]"]


@dataclass(frozen=True)
class Family:
    """The full type names that a family knows, what it is to a pipeline, and its function."""

    types: tuple[str, ...]
    role: Literal["transformer", "classifier", "margin", "regressor", "container"]
    lower: Lower


def lower_step(step: Step, columns: list[Column], context: Context) -> list[Column]:
    """Lower one step; raises EstimatorRefusedError when no family knows its type."""
    family = context.known.get(step.type)
    if family is None:
        step.refuse(f"({step.type}) has no exact lowering")
    return family.lower(step, columns, context)
