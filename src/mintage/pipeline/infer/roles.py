"""Which tables trained a model, which validate it, and which one is its hold-out. Pure: by names and by who read what.

A stage sees its declared inputs and nothing else, so a table that no stage reads was not learnt from. That, and a
name that says so, make a hold-out; nothing else does. No table is opened for it.

>>> tables = [Table(path="work/train.csv", digest="a", readers=("fit",), makers=("split",)),
...           Table(path="work/valid.csv", digest="b", readers=("evaluate",), makers=("split",)),
...           Table(path="work/test.csv", digest="c", makers=("split",))]
>>> roles = assign_roles(tables, fitted_by="fit")
>>> roles.train.value, roles.validation.value, roles.holdout.value
('work/train.csv', 'work/valid.csv', 'work/test.csv')
>>> assign_roles(tables[:2], fitted_by="fit").holdout is None
True
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mintage.pipeline.infer.finding import Finding

__all__ = ["Roles", "Table", "assign_roles", "names_holdout"]

_TRAIN = frozenset(("train", "training", "fit"))
_VALIDATION = frozenset(("validation", "valid", "val", "dev", "eval", "evaluation", "calibration"))
_HOLDOUT = frozenset(("holdout", "heldout", "hold", "held", "test", "testing"))


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table that the stages read or wrote: its digest, the stages that read it, and the one that wrote it."""

    path: str
    digest: str
    readers: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Roles:
    """``train`` None: not to be known. ``validation`` None: no rows but those of training. ``holdout`` None: no honest
    one can be known, and ``why`` says why."""

    train: Finding[str] | None
    validation: Finding[str] | None
    holdout: Finding[str] | None
    why: str = ""


def assign_roles(tables: Sequence[Table], *, fitted_by: str) -> Roles:
    """The roles of ``tables`` for the estimator that the stage ``fitted_by`` wrote."""
    train = _train(tables, fitted_by)
    if train is None:
        return Roles(train=None, validation=None, holdout=None, why="the training rows are not known")
    learnt = next(table.digest for table in tables if table.path == train.value)
    rest = [table for table in tables if table.digest != learnt]
    holdout, why = _holdout(rest, fitted_by)
    left = [table for table in rest if holdout is None or table.path != holdout.value]
    validation = _validation(left, fitted_by)
    return Roles(train=train, validation=validation, holdout=holdout, why=why)


def names_holdout(path: str) -> bool:
    """Whether a file's name says hold-out or test.

    >>> names_holdout("data/X_test.csv"), names_holdout("data/latest.csv")
    (True, False)
    """
    return _says(Table(path=path, digest=""), _HOLDOUT)


def _train(tables: Sequence[Table], fitted_by: str) -> Finding[str] | None:
    named = [table for table in tables if _says(table, _TRAIN) and fitted_by in (*table.readers, *table.makers)]
    if len(named) == 1:
        return Finding(value=named[0].path, source=f"its name, and stage {fitted_by} reads or writes it")
    read = [table for table in tables if fitted_by in table.readers]
    others = [table for table in read if not _says(table, _VALIDATION) and not _says(table, _HOLDOUT)]
    if len(others) == 1 and not named:
        return Finding(value=others[0].path, source=f"the only table of that kind that stage {fitted_by} reads")
    return None


def _holdout(tables: Sequence[Table], fitted_by: str) -> tuple[Finding[str] | None, str]:
    named = [table for table in tables if _says(table, _HOLDOUT)]
    if any(not _is_test(table) for table in named):  # "hold-out" says more than "test"
        named = [table for table in named if not _is_test(table)]
    seen = [table for table in named if table.readers]
    if seen:
        return None, f"{seen[0].path} has the name of one, but stage {seen[0].readers[0]} reads it"
    if len(named) != 1:
        return None, "no table has the name of one" if not named else f"{' and '.join(t.path for t in named)} could be"
    if any(table.digest == named[0].digest and table is not named[0] for table in tables):
        return None, f"{named[0].path} has the same bytes as another table"
    source = "its name, and no stage reads it"
    if fitted_by in named[0].makers:
        source += f"; stage {fitted_by} wrote it, so only check L1 tells whether it learnt from it"
    return Finding(value=named[0].path, source=source), ""


def _validation(tables: Sequence[Table], fitted_by: str) -> Finding[str] | None:
    for words, source in (
        (_VALIDATION, "its name"),
        (_HOLDOUT, "its name says test, but a stage reads it, so that it is no hold-out any more"),
    ):
        named = [table for table in tables if _says(table, words)]
        unlearnt = [table for table in named if fitted_by not in table.readers] or named
        if len(unlearnt) == 1:
            also = f"; stage {fitted_by} reads it too" if fitted_by in unlearnt[0].readers else ""
            return Finding(value=unlearnt[0].path, source=source + also)
    return None


def _is_test(table: Table) -> bool:
    return not _tokens(table) & (_HOLDOUT - {"test", "testing"})


def _says(table: Table, words: frozenset[str]) -> bool:
    return bool(_tokens(table) & words)


def _tokens(table: Table) -> set[str]:
    """The words of a file's name: of ``X_train-2.csv`` they are x and train."""
    return set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", PurePosixPath(table.path).stem).lower()))
