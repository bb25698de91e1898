"""TreeEnsemble: tables of nodes and leaves, and one loop that walks them.

A node is a row of a table: what it compares, and where both ways lead; a place below zero is a leaf, ``~place``. Each
tree's leaf is added to its target in the order of the trees, in the type of the tensor. A split by a set asks a set of
bits, or a sorted list where the members are not small whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mintage.model.compile.c.literal import exact, number, rows
from mintage.model.compile.c.unit import C_TYPES, Unit, refused
from mintage.model.program import Node, Trees

__all__ = ["write_trees"]

_LEQ, _LESS, _MEMBER = 0, 1, 6
_BITS, _LIST, _MISSING = 2, 3, 4
_MOST_BITS = 1 << 16


def write_trees(unit: Unit, node: Node) -> None:
    """Write the tables and the function of one ensemble, and the call of it."""
    trees, source = node.trees, node.inputs[0]
    assert trees is not None
    if source.type not in ("double", "float") or not np.isin(trees.mode, (_LEQ, _LESS, _MEMBER)).all():
        raise refused(node, f"trees over {source.type}, or other comparisons than <=, < and sets")
    name, type_ = unit.fresh("trees"), C_TYPES[source.type]
    sets = _Sets(trees)
    unit.tables.append(_tables(name, type_, trees, sets) + _function(name, type_, source.type, trees, sets))
    features = unit.pointer(source)
    target = unit.declare(node.output)
    unit.line(f"{name}({features}, {target if trees.targets > 1 else '&' + target});")


@dataclass
class _Sets:
    """The sets of all splits, equal ones once: where each begins, in words of bits or in places of the list."""

    trees: Trees
    words: list[int] = field(default_factory=list)
    items: list[float] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    place: dict[tuple[float, ...], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for members in self.trees.members:
            if members is not None and members not in self.place:
                self.place[members] = (len(self.spans), self._add(sorted(members)))

    def _add(self, members: Sequence[float]) -> int:
        small = all(item == int(item) and 0 <= item < _MOST_BITS for item in members if abs(item) < 2**53)
        if small and max(members) < _MOST_BITS:
            count = int(members[-1]) // 32 + 1
            self.spans.append((len(self.words), count))
            bits = [0] * count
            for item in members:
                bits[int(item) // 32] |= 1 << int(item) % 32
            self.words.extend(bits)
            return _BITS
        self.spans.append((len(self.items), len(members)))
        self.items.extend(members)
        return _LIST

    @property
    def kinds(self) -> set[int]:
        return {kind for _, kind in self.place.values()}


def _tables(name: str, type_: str, trees: Trees, sets: _Sets) -> str:
    rules = np.where(trees.mode == _LESS, 1, 0)
    splits = exact(trees.split)
    for at, members in enumerate(trees.members):
        if members is not None:
            place, rules[at] = sets.place[members]
            splits[at] = str(place)
    rules |= np.where(trees.missing_true, _MISSING, 0)
    leaves, leaf = _distinct_leaves(trees)
    yes = np.where(trees.true_leaf, ~leaf[trees.true * trees.true_leaf], trees.true)
    no = np.where(trees.false_leaf, ~leaf[trees.false * trees.false_leaf], trees.false)
    table = zip(splits, yes.tolist(), no.tolist(), trees.feature.tolist(), rules.tolist(), strict=True)
    text = (
        f"static const struct {name}_node {{\n    {_split_type(type_, trees, sets)} split;\n    int32_t yes, no;\n"
        f"    {'uint16_t' if trees.feature.max() < 1 << 16 else 'uint32_t'} feature;\n"
        f"    uint8_t rule;\n}} {name}_nodes[{len(splits)}] = {{\n"
        + rows([f"{{{split}, {a}, {b}, {column}, {rule}}}" for split, a, b, column, rule in table])
        + "\n};\n"
    )
    text += _table(name, "roots", "int32_t", [str(root) for root in trees.roots])
    text += _table(name, "leaves", type_, exact(weight for weight, _ in leaves))
    if trees.targets > 1:
        text += _table(name, "targets", "uint16_t", [str(target) for _, target in leaves])
    if sets.spans:
        text += _table(name, "sets", "struct { uint32_t start, count; }", [f"{{{a}, {b}}}" for a, b in sets.spans])
    if sets.words:
        text += _table(name, "bits", "uint32_t", [f"{word}u" for word in sets.words])
    if sets.items:
        kind = "float" if type_ == "float" else "double"
        text += _table(name, "items", type_, [number(item, kind) for item in sets.items])
    return text


def _distinct_leaves(trees: Trees) -> tuple[list[tuple[float, int]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Leaves without their repetitions, of which a forest has many, and where each leaf is among them."""
    found: dict[tuple[float, int], int] = {}
    pairs = zip(trees.leaf_weight.tolist(), trees.leaf_target.tolist(), strict=True)
    places = [found.setdefault(pair, len(found)) for pair in pairs]
    return list(found), np.array(places, dtype=np.int64)


def _split_type(type_: str, trees: Trees, sets: _Sets) -> str:
    """float also for doubles, if it holds every split: such trees see numbers that were rounded to float."""
    with np.errstate(over="ignore"):
        exactly = bool((trees.split.astype(np.float32) == trees.split).all())
    return "float" if exactly and len(sets.spans) < 1 << 24 else type_


def _table(name: str, part: str, type_: str, items: list[str]) -> str:
    return f"static const {type_} {name}_{part}[{len(items)}] = {{\n{rows(items)}\n}};\n"


def _function(name: str, type_: str, kind: str, trees: Trees, sets: _Sets) -> str:
    member = "".join(_MEMBERS[rule](name, type_) for rule in sorted(sets.kinds))
    return f"""{member}
static void {name}(const {type_} *features, {type_} *sums)
{{
    for (int32_t target = 0; target < {trees.targets}; target++)
        sums[target] = 0;
    for (int32_t tree = 0; tree < {len(trees.roots)}; tree++) {{
        int32_t at = {name}_roots[tree];
        while (at >= 0) {{
            const struct {name}_node *const node = &{name}_nodes[at];
            const {type_} value = features[node->feature];
            bool yes;
{_choice(name, trees, sets)}
            at = yes ? node->yes : node->no;
        }}
        sums[{f"{name}_targets[~at]" if trees.targets > 1 else "0"}] += {name}_leaves[~at];
    }}
}}
"""


def _choice(name: str, trees: Trees, sets: _Sets) -> str:
    """How a node decides: only what occurs in these trees."""
    splits = np.isin(trees.mode, (_LEQ, _LESS))
    ways = [("0", "value <= node->split")] if (trees.mode == _LEQ).any() else []
    ways += [("1", "value < node->split")] if (trees.mode == _LESS).any() else []
    ways += [(str(_BITS), f"{name}_has_bit((int32_t)node->split, value)")] if _BITS in sets.kinds else []
    ways += [(str(_LIST), f"{name}_has_item((int32_t)node->split, value)")] if _LIST in sets.kinds else []
    lines = []
    if trees.missing_true.any():
        lines += ["if (value != value)", f"    yes = (node->rule & {_MISSING}) != 0;"]
    elif not splits.all():
        lines += ["if (value != value)", "    yes = false;"]
    rule = f"(node->rule & {_MISSING - 1})" if trees.missing_true.any() else "node->rule"
    for at, (code, test) in enumerate(ways):
        last = at == len(ways) - 1
        if lines:
            lines.append("else" if last else f"else if ({rule} == {code})")
        elif not last:
            lines.append(f"if ({rule} == {code})")
        lines.append(f"{'    ' if lines else ''}yes = {test};")
    return "\n".join("            " + line for line in lines)


def _has_bit(name: str, type_: str) -> str:
    return f"""
static bool {name}_has_bit(int32_t set, {type_} value)
{{
    if (!(value >= 0 && value < {_MOST_BITS}))
        return false;
    const uint32_t bit = (uint32_t)value;
    return ({type_})bit == value && bit / 32 < {name}_sets[set].count
        && ({name}_bits[{name}_sets[set].start + bit / 32] >> bit % 32 & 1u) != 0;
}}
"""


def _has_item(name: str, type_: str) -> str:
    return f"""
static bool {name}_has_item(int32_t set, {type_} value)
{{
    for (uint32_t at = 0; at < {name}_sets[set].count; at++)
        if ({name}_items[{name}_sets[set].start + at] == value)
            return true;
    return false;
}}
"""


_MEMBERS: dict[int, Callable[[str, str], str]] = {_BITS: _has_bit, _LIST: _has_item}
