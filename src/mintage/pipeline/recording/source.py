"""What a script's text says of its parameters and seeds, without running it. Pure.

Parameters: defaults of argparse and click, constants in capitals at the top. Seeds: calls such as ``random.seed(1)``,
``np.random.default_rng(SEED)``, ``torch.manual_seed(1)`` and arguments such as ``random_state=1``. Only values that
stand in the text are known; others are left out.

>>> found = read_source("SEED = 7\\nnp.random.seed(SEED)\\nparser.add_argument('--rate', default=0.1)\\n", where="a.py")
>>> [(value.name, value.value, value.where) for value in found.parameters]
[('SEED', 7, 'a.py:1'), ('rate', 0.1, 'a.py:3')]
>>> [(value.name, value.value) for value in found.seeds]
[('np.random.seed', 7)]
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Source", "Value", "read_source"]

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*$")
_SEEDERS = (
    "random.seed",
    "manual_seed",
    "manual_seed_all",
    "set_seed",
    "seed_everything",
    "default_rng",
    "RandomState",
)
_SEED_ARGUMENTS = ("random_state", "seed", "random_seed")
_PLAIN = (int, float, str, bool)


@dataclass(frozen=True)
class Value:
    """A named value and the file and line where it stands."""

    name: str
    value: Any
    where: str


@dataclass(frozen=True)
class Source:
    """What one file says."""

    parameters: tuple[Value, ...] = ()
    seeds: tuple[Value, ...] = ()


def read_source(text: str, *, where: str) -> Source:
    """The parameters and seeds of a Python file, in the order of its lines; nothing of a file that is not Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return Source()
    constants = dict(_constants(tree))
    parameters = [Value(name, value, f"{where}:{line}") for name, (value, line) in constants.items()]
    known = {name: value for name, (value, _) in constants.items()}
    seeds = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            parameters += [Value(*found, f"{where}:{node.lineno}") for found in _option(node, known)]
            seeds += [Value(*found, f"{where}:{node.lineno}") for found in _seed(node, known)]
    return Source(tuple(sorted(parameters, key=_line)), tuple(sorted(seeds, key=_line)))


def _line(value: Value) -> int:
    return int(value.where.rpartition(":")[2])


def _constants(tree: ast.Module) -> Iterator[tuple[str, tuple[Any, int]]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], _literal(node.value, {})
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, _literal(node.value, {})
        else:
            continue
        if isinstance(target, ast.Name) and _CONSTANT.match(target.id) and value is not None:
            yield target.id, (value, node.lineno)


def _option(call: ast.Call, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """An option of argparse (``add_argument``) or click (``option``) with a default that stands there."""
    if _name(call.func).rpartition(".")[2] not in ("add_argument", "option"):
        return
    words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    long = [word for word in words if word.startswith("--")]
    default = next((_literal(pair.value, known) for pair in call.keywords if pair.arg == "default"), None)
    if words and default is not None:
        yield (long or words)[0].split("/")[0].lstrip("-"), default


def _seed(call: ast.Call, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    name = _name(call.func)
    if any(name == seeder or name.endswith(f".{seeder}") for seeder in _SEEDERS) and call.args:
        value = _literal(call.args[0], known)
        if isinstance(value, int):
            yield name, value
    for pair in call.keywords:
        value = _literal(pair.value, known) if pair.arg in _SEED_ARGUMENTS else None
        if isinstance(value, int):
            yield f"{name}({pair.arg})", value


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr, known: dict[str, Any]) -> Any:
    """A number, text, truth value, or a list of them; None for anything else."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, _PLAIN) for item in value):
        return list(value)
    return None
