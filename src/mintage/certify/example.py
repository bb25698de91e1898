"""An example: one row that shows what a check found, with what was answered and what was expected.

It goes into a signed certificate and onto pages, so it is small and plain: numbers, short texts and nothing else, and
characters that a terminal or a page would act on are replaced. ``of`` says whose row it is, so that a policy, or a
sealed hold-out, can keep it back: see ``certify.shown``. Pure.

>>> rows = {"age": np.array([41.0, 17.0]), "name": np.array(["Ana\\n", None], dtype=object)}
>>> shown = example_of(rows, 0, of="hold-out", changed={"age": np.array([42.0, 18.0])}, answered=said(0.5, 0.25))
>>> shown.row, shown.changed, shown.answered
({'age': 41, 'name': 'Ana�'}, {'age': 42}, '0.5 → 0.25')
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_EXAMPLES", "Example", "Plain", "answer_texts", "example_of", "plain_text", "plain_value", "said"]

Plain = float | int | str | bool | None
MOST_EXAMPLES, _MOST_COLUMNS, _MOST_TEXT = 5, 30, 200
_FIGURES = (6, 9, 12, 17)


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row. ``of``: a row of the ``hold-out`` (changed or not), one that was ``made`` up, that of a ``finding``, or
    no row but the numbers of a ``slice``. ``changed`` has the columns that were given another value and that value;
    ``left_out`` counts the columns that are not shown."""

    of: Literal["hold-out", "made", "finding", "slice"]
    row: dict[str, Plain]
    changed: dict[str, Plain] = {}
    answered: str = ""
    expected: str = ""
    about: str = ""
    left_out: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.row) <= _MOST_COLUMNS or not self.changed.keys() <= self.row.keys():
            raise ValueError(f"an example has 1 to {_MOST_COLUMNS} columns, and changes none but these")
        values = (*self.row, *self.row.values(), *self.changed.values(), self.answered, self.expected, self.about)
        for value in values:
            if isinstance(value, str) and value != plain_text(value):
                raise ValueError(f"a text of an example is longer than {_MOST_TEXT}, or not printable")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number of an example is not finite")


def example_of(
    columns: Mapping[str, NDArray[Any]],
    place: int,
    *,
    of: Literal["hold-out", "made", "finding"],
    changed: Mapping[str, NDArray[Any]] | None = None,
    first: Sequence[str] = (),
    answered: str = "",
    expected: str = "",
    about: str = "",
) -> Example:
    """The row at ``place``; ``changed`` has columns of the same rows after a change. Of too many columns those that
    changed are kept, then ``first``, then the others by name."""
    before = {plain_text(name): plain_value(column[place]) for name, column in columns.items()}
    after = {plain_text(name): plain_value(column[place]) for name, column in (changed or {}).items()}
    after = {name: value for name, value in after.items() if value != before[name]}
    lead = dict.fromkeys([*sorted(after), *map(plain_text, first), *sorted(before)])
    kept = sorted(list(lead)[:_MOST_COLUMNS])
    return Example(
        of=of,
        row={name: before[name] for name in kept},
        changed={name: after[name] for name in kept if name in after},
        answered=plain_text(answered),
        expected=plain_text(expected),
        about=plain_text(about),
        left_out=len(before) - len(kept),
    )


def plain_value(value: Any) -> Plain:
    """A value of a table as JSON has it: NaN is None, a whole number has no fraction, infinity is a text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else float(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return plain_text(str(value))


def plain_text(text: str) -> str:
    """At most 200 characters, the end of a longer text cut; what is not printable is U+FFFD."""
    cut = text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
    return (
        cut
        if cut.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cut)
    )


def answer_texts(*values: Any, classes: Sequence[str] = ()) -> list[str]:
    """Answers to one row, each in words: a number, or of several classes the most probable with its probability. So
    many figures that answers which differ look different.

    >>> answer_texts(0.5, 0.5 + 1e-9)
    ['0.5', '0.500000001']
    """
    for figures in _FIGURES:
        texts = [_said(value, classes, figures) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def said(*values: Any, classes: Sequence[str] = ()) -> str:
    """The answers before and after a change in one text."""
    return plain_text(" → ".join(answer_texts(*values, classes=classes)))


def _said(value: Any, classes: Sequence[str], figures: int) -> str:
    if np.ndim(value) == 0:
        return f"{float(value):.{figures}g}"
    best = int(np.argmax(value))
    return f"{classes[best] if best < len(classes) else best} {float(value[best]):.{figures}g}"
