"""Which column a model predicts, and which it takes. Pure.

The target is named in mintage.yaml, or it is the one column of the training rows that the estimator does not take and
whose values are its classes. Two such columns, or none, are a question. An estimator without names must take as many
columns as there are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mintage.lower.extraction import Glance
from mintage.pipeline.infer.finding import Finding, question

__all__ = ["Column", "find_inputs", "find_targets"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of a column of the training rows: ``kind`` as models take it, and its distinct values (at most 100
    of them, None if there are more)."""

    name: str
    kind: str
    values: frozenset[str | float | bool] | None


def find_targets(
    model: str, named: tuple[str, ...], columns: Mapping[str, Column], glance: Glance, *, train: str
) -> Finding[tuple[str, ...]]:
    """The target columns; raises ModelNotInferredError where they are not to be known."""
    if named:
        absent = [name for name in named if name not in columns]
        if absent:
            raise question(
                model,
                "the target",
                expected=f"a column of {train}",
                found=f"mintage.yaml says {', '.join(absent)}; there are {', '.join(list(columns)[:20])}",
                answer="correct `target:` of the model in mintage.yaml, or the stage that writes the table",
            )
        return Finding(value=named, source="mintage.yaml")
    taken = set(glance.names or ())
    fit = [column.name for column in columns.values() if column.name not in taken and _fits(column, glance)]
    if len(fit) == 1 and glance.targets == 1 and glance.names is not None:
        what = "its values are the estimator's classes" if glance.classes else "its values are numbers"
        return Finding(value=(fit[0],), source=f"the only column that the estimator does not take and {what}")
    if len(fit) == 1 and glance.targets == 1 and glance.classes and glance.count == len(columns) - 1:
        source = f"the only column whose values are its classes; the other {glance.count} are as many as it takes"
        return Finding(value=(fit[0],), source=source)
    shown = fit[0] if fit else "COLUMN"
    raise question(
        model,
        "the target",
        expected=f"one column of {train} that the estimator does not take"
        + (f", with the values {', '.join(map(str, glance.classes[0][:5]))}" if glance.classes else ""),
        found=", ".join(fit) if fit else "none that fits",
        answer=f"say it in mintage.yaml: `{model}: {{from: ..., target: {shown}}}`",
    )


def find_inputs(
    model: str, targets: Sequence[str], columns: Mapping[str, Column], glance: Glance, *, train: str
) -> Finding[tuple[str, ...]]:
    """The columns that the estimator takes, in its order; raises ModelNotInferredError."""
    if glance.names is not None:
        absent = [name for name in glance.names if name not in columns]
        if absent:
            more = " and more" if len(absent) > 5 else ""
            raise question(
                model,
                "the inputs",
                expected=f"columns of {train}",
                found=f"the estimator takes {', '.join(absent[:5])}{more}, which it has not",
                answer="let a stage write the table that the estimator is fitted on, or put what makes these columns "
                "into a Pipeline with the estimator, so that it takes the table as it is",
            )
        return Finding(value=tuple(glance.names), source="the names that the estimator was fitted on")
    rest = tuple(name for name in columns if name not in targets)
    if glance.count == len(rest):
        return Finding(
            value=rest,
            source=f"the estimator keeps no names; taken to be the {len(rest)} columns of {train} in their order",
        )
    raise question(
        model,
        "the inputs",
        expected=f"{glance.count if glance.count is not None else 'some'} columns: the estimator keeps no names",
        found=f"{len(rest)} columns of {train} beside the target",
        answer="fit the estimator on a data frame, which keeps the names, or write models/"
        f"{model}.yaml with `inputs:` in their order",
    )


def _fits(column: Column, glance: Glance) -> bool:
    if not glance.classes:
        return column.kind in ("float", "int") and (column.values is None or len(column.values) > 2)
    return column.values is not None and column.values == frozenset(glance.classes[0])
