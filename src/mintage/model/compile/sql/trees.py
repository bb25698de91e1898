"""A TreeEnsemble as nested CASE, one for each tree and sum that it adds to; the trees are added in their order.

A branch that would lie too deep for a parser is evaluated in an earlier step. A split on a constant of two, as a
one-hot column is, asks for its condition instead.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.arithmetic import Arithmetic
from mintage.model.compile.sql.cell import Cell, constant, either
from mintage.model.compile.sql.sums import chain
from mintage.model.program import Node, Trees

__all__ = ["MOST_SPLITS", "write_trees"]

MOST_SPLITS = 100_000
"""DuckDB takes about ten seconds to plan so many, PostgreSQL two."""
_DEEPEST = 60
_GROUP = 500
_LEQ, _LT, _MEMBER = 0, 1, 6


def write_trees(math_: Arithmetic, node: Node, features: list[Cell]) -> list[Cell]:
    """The sums of an ensemble's targets."""
    trees = node.trees
    assert trees is not None
    if len(trees.feature) > MOST_SPLITS:
        raise GraphRefusedError(
            "an ensemble that is too large for SQL",
            expected=f"at most {MOST_SPLITS} splits",
            found=str(len(trees.feature)),
            hint="fit fewer or smaller trees, or export the model to c, wasm, onnx or docker",
        )
    used = {int(place) for place in trees.feature}
    columns = {
        place: cell if cell.choice else math_.steps.column(cell) for place, cell in enumerate(features) if place in used
    }
    sums: list[Cell | None] = [None] * trees.targets
    for start in range(0, len(trees.roots), _GROUP):
        group = trees.roots[start : start + _GROUP]
        before = max((found.level for found in sums if found is not None), default=0)
        for target in range(trees.targets):
            parts = [_tree(math_, node, trees, columns, root=root, target=target) for root in group]
            cells = [math_.steps.column(part, least=before) for part in parts if part is not None]
            found = sums[target]
            if cells:
                sums[target] = math_.steps.column(chain(math_, cells if found is None else [found, *cells]))
    zero = constant(0.0, node.output.type, math_.dialect)
    return [zero if found is None else found for found in sums]


def _tree(
    math_: Arithmetic, node: Node, trees: Trees, columns: dict[int, Cell], *, root: int, target: int
) -> Cell | None:
    """What one tree adds to a sum; None if it adds to others only."""
    walk = _Walk(math_, node, trees, columns, target)
    found = walk.write(root)
    return found if walk.reached else None


@dataclass
class _Walk:
    """Writes one tree."""

    math_: Arithmetic
    node: Node
    trees: Trees
    columns: dict[int, Cell]
    target: int
    reached: bool = False
    done: dict[int, Cell] = field(default_factory=dict)

    def write(self, root: int) -> Cell:
        """The CASE of a tree, written from its ends to its root: a tree may be deeper than Python calls."""
        trees, waiting, order = self.trees, [root], []
        while waiting:
            place = waiting.pop()
            order.append(place)
            sides = ((trees.true, trees.true_leaf), (trees.false, trees.false_leaf))
            waiting.extend(int(ids[place]) for ids, leaf in sides if not leaf[place])
        for place in reversed(order):
            self.done[place] = self._node(place)
        return self.done[root]

    def _node(self, place: int) -> Cell:
        trees = self.trees
        yes = self._side(int(trees.true[place]), bool(trees.true_leaf[place]))
        no = self._side(int(trees.false[place]), bool(trees.false_leaf[place]))
        if yes.sql == no.sql:
            return yes
        feature = self.columns[int(trees.feature[place])]
        condition, swapped = self._condition(place, feature)
        if swapped:
            yes, no = no, yes
        made = self.math_.make(f"CASE WHEN {condition} THEN {yes.sql} ELSE {no.sql} END", [feature, yes, no])
        return replace(made, type=yes.type, **either([yes, no]))

    def _side(self, place: int, leaf: bool) -> Cell:
        if leaf:
            mine = int(self.trees.leaf_target[place]) == self.target
            self.reached |= mine
            weight = float(self.trees.leaf_weight[place]) if mine else 0.0
            return constant(weight, self.node.output.type, self.math_.dialect)
        found = self.done[place]
        return self.math_.steps.column(found) if found.depth > _DEEPEST else found

    def _condition(self, place: int, feature: Cell) -> tuple[str, bool]:
        """A split's condition, and whether it is that of its false branch: then a missing value takes the true one."""
        mode, missing = int(self.trees.mode[place]), bool(self.trees.missing_true[place])
        split, number = float(self.trees.split[place]), self.math_.number
        members = self.trees.members[place]
        if feature.choice is not None:
            return self._of_choice(feature, mode, split, members)
        x = feature.sql
        if mode == _MEMBER and members is not None:
            items = ", ".join(number(item) for item in members)
            return f"{x} {'NOT ' if missing else ''}IN ({items})", missing
        if mode not in (_LEQ, _LT):
            raise GraphRefusedError("a split that has no translation to SQL", found=f"mode {mode}")
        if missing:
            return f"{x} {'>' if mode == _LEQ else '>='} {number(split)}", True
        return f"{x} {'<=' if mode == _LEQ else '<'} {number(split)}", False

    def _of_choice(self, feature: Cell, mode: int, split: float, members: tuple[float, ...] | None) -> tuple[str, bool]:
        choice = feature.choice
        assert choice is not None
        if mode == _MEMBER:
            yes, no = choice.yes in (members or ()), choice.no in (members or ())
        else:
            compare = operator.le if mode == _LEQ else operator.lt
            yes, no = compare(choice.yes, split), compare(choice.no, split)
        if yes == no:
            return ("TRUE" if yes else "FALSE"), False
        return choice.condition.sql, no
