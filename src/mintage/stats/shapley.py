"""Share a change out among its causes so that the shares add up: exact Shapley values (Shapley 1953).

``values`` has the outcome of every set of causes that is swapped, from none to all. Causes that cannot be swapped
apart, because a set with one and without the other gave no outcome, are joined by ``joined`` into one. Pure.

>>> values = {frozenset(): 1.0, frozenset("a"): 3.0, frozenset("b"): 1.0, frozenset("ab"): 5.0}
>>> shapley(values, [frozenset("a"), frozenset("b")])
{frozenset({'a'}): 3.0, frozenset({'b'}): 1.0}
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

__all__ = ["joined", "shapley", "unions"]

Group = frozenset[str]


def unions(groups: Sequence[Group]) -> list[Group]:
    """All unions of ``groups``, the empty one first, that of all last."""
    sizes = range(len(groups) + 1)
    return [frozenset().union(*chosen) for size in sizes for chosen in combinations(groups, size)]


def shapley(values: Mapping[Group, float], groups: Sequence[Group]) -> dict[Group, float]:
    """The share of each of ``groups`` (disjoint) in ``values[all] - values[none]``; ``values`` has all their unions.

    It is computed exactly and rounded once.
    """
    count = len(groups)
    shares = {}
    for own in groups:
        others = [group for group in groups if group is not own]
        terms = []
        for size in range(count):
            weight = Fraction(math.factorial(size) * math.factorial(count - size - 1), math.factorial(count))
            for chosen in combinations(others, size):
                before = frozenset().union(*chosen)
                terms.append(weight * (Fraction(values[before | own]) - Fraction(values[before])))
        shares[own] = float(sum(terms))
    return shares


def joined(names: Sequence[str], failed: Collection[Group]) -> list[Group]:
    """``names`` in as many groups as can be had so that no union of groups is among ``failed``.

    >>> [sorted(group) for group in joined(["a", "b", "c"], [frozenset("a"), frozenset("ac")])]
    [['a', 'b'], ['c']]
    """
    best = [frozenset(names)] if names else []
    for groups in _partitions(list(names)):
        if len(groups) > len(best) and not any(union in failed for union in unions(groups)):
            best = groups
    return best


def _partitions(names: list[str]) -> Iterator[list[Group]]:
    if not names:
        yield []
        return
    first, *rest = names
    for groups in _partitions(rest):
        yield [frozenset([first]), *groups]
        for index, group in enumerate(groups):
            yield [*groups[:index], group | {first}, *groups[index + 1 :]]
