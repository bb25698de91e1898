"""The names of a graph's outputs."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["output_names"]


def output_names(targets: int, names: Sequence[str]) -> list[tuple[str, str]]:
    """Of each target of a classifier, the names of its two outputs.

    >>> output_names(1, ["late"])
    [('probabilities', 'label')]
    >>> output_names(2, ["late", "lost"])
    [('probabilities.late', 'label.late'), ('probabilities.lost', 'label.lost')]
    """
    tails = [""] if targets == 1 else [f".{name}" for name in names]
    return [(f"probabilities{tail}", f"label{tail}") for tail in tails]
