"""Which options of a script can be written as ``args`` of its stage, so that nothing changes by it. Pure.

Only what is sure from the text counts: one parser of argparse that parses the command line once, or one command of
click; an option with a long name and a default that stands there as a number or text of the very type that the option
makes of a word. A script with sub-commands, groups, or a look at ``sys.argv`` is left alone, and so is an option that
the command gives, and one that stands under a condition.

>>> text = '''
... parser = argparse.ArgumentParser()
... parser.add_argument("--depth", type=int, default=5)
... parser.add_argument("--rate", "-r", type=float, default=1)
... parser.add_argument("--verbose", action="store_true")
... args = parser.parse_args()
... '''
>>> safe_options(text, ["python", "train.py"])
{'depth': 5}
>>> safe_options(text, ["python", "train.py", "--depth", "3"])
{}
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from mintage.pipeline.arguments import given_options, stands_for

__all__ = ["entry_script", "safe_options"]

_NAME = re.compile(r"--[A-Za-z0-9][A-Za-z0-9_.-]*$")
_SECRET = re.compile(r"pass(word|wd|phrase)?$|secret|token$|api[-_]?key|credential", re.IGNORECASE)
_LEFT_ALONE = (
    *("add_subparsers", "add_mutually_exclusive_group", "set_defaults", "parse_known_args", "parse_intermixed_args"),
    *("REMAINDER", "argv", "MultiCommand", "auto_envvar_prefix"),
)
_ODD = {"fromfile_prefix_chars", "prefix_chars", "parents", "argument_default", "context_settings", "cls"}
_HARMLESS = {"default", "type", "help", "metavar", "dest", "choices", "required", "show_default", "action"}
_TYPES = {"int": int, "float": float, "str": str}


def entry_script(command: Sequence[str], scripts: Sequence[str]) -> str | None:
    """The script that gets what is appended to ``command``: the only one of ``scripts``, started by Python itself."""
    if (
        command[0] not in ("python", "python3")
        or len(scripts) != 1
        or not scripts[0].endswith(".py")
        or "--" in command
    ):
        return None
    words = [word for word in command[1:] if not word.startswith("-") or word == "-m"]
    named = words[1] if words[0] == "-m" and len(words) > 1 else words[0]
    direct = named == scripts[0] or named == f"./{scripts[0]}"
    return scripts[0] if direct or words[0] == "-m" else None


def safe_options(text: str, command: Sequence[str]) -> dict[str, int | float | str]:
    """Names (without dashes) and defaults of the options that may be written, in the order of the text."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    if "--" in command or not _is_plain(tree):
        return {}
    given = list(given_options(command))
    calls = list(_certain_calls(tree.body))
    counted = Counter(name for call in calls for name in _names(call))
    found: dict[str, int | float | str] = {}
    for call in calls:
        names, value = _names(call), _default(call)
        long = next((name for name in names if _NAME.match(name)), None)
        if long is None or value is None or any(counted[name] > 1 for name in names) or _SECRET.search(long):
            continue
        if not any(stands_for(option, names) for option in given):
            found[long[2:]] = value
    return found


def _is_plain(tree: ast.Module) -> bool:
    """Whether one parser or one command takes the whole command line, and nothing else looks at it."""
    words: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _last(node.func)
            words[f"{name}()"] += 1
            if name == "parse_args" and (node.args or node.keywords):
                return False
            if name in ("ArgumentParser", "command") and any(pair.arg in _ODD for pair in node.keywords):
                return False
            if any(isinstance(pair.value, ast.Constant) and pair.value.value == "..." for pair in node.keywords):
                return False  # nargs="..." takes every word that follows
        elif isinstance(node, ast.Attribute | ast.Name):
            words[_last(node)] += 1
    if any(words[name] for name in _LEFT_ALONE):
        return False
    argparse = words["ArgumentParser()"] == 1 and words["parse_args()"] == 1 and not words["option()"]
    click = words["command"] == 1 and words["option()"] > 0 and not (words["ArgumentParser()"] or words["group"])
    return argparse or click


def _certain_calls(body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
    """Calls of ``add_argument`` and ``option`` that run whenever the script does, as far as the text can say: none
    under a condition, in a loop or in a ``try``, but for ``if __name__ == "__main__"``."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield from (one for one in node.decorator_list if _is_call(one, "option"))
            yield from _certain_calls(node.body)
        elif isinstance(node, ast.With) or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            yield from _certain_calls(node.body)
        elif isinstance(node, ast.Expr | ast.Assign) and _is_call(node.value, "add_argument"):
            yield node.value


def _is_call(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and _last(node.func) == name


def _names(call: ast.Call) -> list[str]:
    words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    return [word for word in words if word.startswith("-") and "/" not in word]


def _default(call: ast.Call) -> int | float | str | None:
    """The default, if the option makes exactly that of the word that is written for it."""
    pairs: dict[str | None, ast.expr] = {pair.arg: pair.value for pair in call.keywords}
    if "default" not in pairs or not set(pairs) <= _HARMLESS or not all(isinstance(a, ast.Constant) for a in call.args):
        return None
    value, kind = _plain(pairs["default"]), pairs.get("type")
    action = pairs.get("action")
    if value is None or (action is not None and _plain(action) != "store"):
        return None
    if kind is None:
        if _last(call.func) == "add_argument" and not isinstance(value, str):
            return None  # argparse would hand on the word as text
    elif not isinstance(kind, ast.Name) or _TYPES.get(kind.id) is not type(value):
        return None
    if "choices" in pairs and not _is_among(value, pairs["choices"]):
        return None
    return value


def _is_among(value: int | float | str, choices: ast.expr) -> bool:
    return isinstance(choices, ast.List | ast.Tuple) and value in [_plain(choice) for choice in choices.elts]


def _plain(node: ast.expr) -> int | float | str | None:
    try:
        value: Any = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) >= 1 << 53:
        return None
    return None if isinstance(value, str) and not value.isprintable() else value


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
