"""The values that a notebook is given: from its command (``--depth 3``), and from params.yaml by the same name. Pure.

A value takes the kind of the default in the cell tagged ``parameters``; where that has no literal default, it is read
as a Python literal, else as text. The command wins over params.yaml.

>>> given_values(["--depth", "5", "--name=a b", "--fast"], {"depth": 3, "name": "x", "fast": False, "rate": 0.1},
...              {"rate": 0.5, "other": 1}, where="train.ipynb")
{'rate': 0.5, 'depth': 5, 'name': 'a b', 'fast': True}
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from mintage.errors import UnknownNameError, UsageError
from mintage.pipeline.notebook.notebook_source import PARAMETERS
from mintage.repo.nearest import nearest_hint

__all__ = ["given_cell", "given_values"]

_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def given_values(
    words: Sequence[str], defaults: Mapping[str, Any], params: Mapping[str, Any], *, where: str
) -> dict[str, Any]:
    """``words`` follow the notebook in its command, ``defaults`` are its parameters, ``params`` those of the project.

    Raises UsageError for words that are no options, UnknownNameError for a parameter that the notebook does not have.
    """
    found = {name: params[name] for name in defaults if name in params and not isinstance(params[name], Mapping)}
    for name, text in _options(words, where):
        if name not in defaults:
            raise _unknown(name, defaults, where)
        found[name] = True if text is None else _typed(text, defaults[name], name, where)
    return found


def _options(words: Sequence[str], where: str) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            found.append((name.replace("-", "_"), value if equals else None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], word)
        else:
            raise UsageError(
                f"the notebook {where} cannot take the word {word!r}",
                expected="options such as --depth 5, that set its parameters",
                hint="correct `run:` of the stage",
            )
    return found


def _unknown(name: str, defaults: Mapping[str, Any], where: str) -> UnknownNameError:
    tag = f"give a cell the tag `{PARAMETERS}` (in Jupyter: property inspector), and assign {name} in it"
    return UnknownNameError(
        f"the notebook has no parameter {name!r}",
        expected=", ".join(defaults) or f"a cell tagged `{PARAMETERS}`",
        where=where,
        hint=nearest_hint(name, tuple(defaults), otherwise=tag),
    )


def _typed(text: str, default: Any, name: str, where: str) -> Any:
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() in _TRUTH:
            return _TRUTH[text.lower()]
        raise _not(text, name, where, expected="true or false")
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = text
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, int | float) and not isinstance(value, int | float):
        raise _not(text, name, where, expected="a number, as its default is")
    return value


def _not(text: str, name: str, where: str, *, expected: str) -> UsageError:
    return UsageError(f"the parameter {name} cannot be {text!r}", expected=expected, where=where)


def given_cell(values: Mapping[str, Any]) -> dict[str, Any]:
    """The cell that assigns them, tagged as papermill does.

    >>> given_cell({"depth": 5, "name": "x"})["source"]
    "depth = 5\\nname = 'x'"
    """
    source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return {
        "id": "given-parameters",
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": ["injected-parameters"]},
        "outputs": [],
        "source": source,
    }
