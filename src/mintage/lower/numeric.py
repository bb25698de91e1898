"""What the families of numeric transformers and of classifiers ask of their columns: that each is a number."""

from __future__ import annotations

from collections.abc import Sequence

from mintage.lower.columns import Coded, Column, Number, Text
from mintage.lower.description import Step

__all__ = ["numeric"]


def numeric(step: Step, columns: Sequence[Column]) -> list[Number | Coded]:
    """The columns, all of them numbers; a text that no encoder has read is refused."""
    texts = [column.source for column in columns if isinstance(column, Text)]
    if texts:
        step.refuse(f"takes the text column {texts[0]!r}, which no encoder has turned into numbers")
    return [column for column in columns if not isinstance(column, Text)]
