"""Parameters: the values of params.yaml (or of ``params:`` in mintage.yaml), and the slice that a stage takes."""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mintage.errors import FileMalformedError, UnknownNameError
from mintage.repo.parsed import parsed
from mintage.repo.yamlfile import load_yaml

__all__ = ["PARAMS_FILE", "put_params", "read_params", "set_param_text", "slice_params"]

PARAMS_FILE = "params.yaml"
_PARAM = re.compile(r"\$\{params\.([^}]+)\}")


def read_params(root: Path, inline: Mapping[str, object] | None, *, keep: Path | None = None) -> dict[str, Any]:
    """All parameters as plain JSON values; dates become ISO text. Raises FileMalformedError.

    They are kept in the file ``keep``, and taken from there if that is of the same params.yaml.
    """
    path = root / PARAMS_FILE
    if path.is_file():
        data = path.read_bytes()
        value = parsed(keep, data, shape=dict[str, Any], parse=lambda: _read(data, where=str(path)), by=[__file__])
        if inline:
            raise FileMalformedError(
                "parameters stand in two places", found="`params:` in mintage.yaml and params.yaml", hint="keep one"
            )
        return value
    return {key: _plain(item) for key, item in (inline or {}).items()}


def _read(data: bytes, *, where: str) -> dict[str, Any]:
    value, _ = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("params.yaml must hold named values", where=where)
    return {key: _plain(item) for key, item in value.items()}


def slice_params(
    values: Mapping[str, Any], keys: Iterable[str], *, stage: str, place: Callable[[str], str] = lambda _: PARAMS_FILE
) -> dict[str, Any]:
    """The nested part of ``values`` that the dotted ``keys`` name; raises UnknownNameError for a missing one, with the
    ``place`` of its key."""
    result: dict[str, Any] = {}
    for key in keys:
        here: Any = values
        target = result
        parts = key.split(".")
        for index, part in enumerate(parts):
            if not isinstance(here, Mapping) or part not in here:
                raise UnknownNameError(
                    f"stage {stage} takes the parameter {key!r}, which is not there",
                    expected=", ".join(here) if isinstance(here, Mapping) else "a group of values",
                    where=place(key),
                    hint="add it to params.yaml, or correct the stage",
                )
            here = here[part]
            if index < len(parts) - 1:
                target = target.setdefault(part, {})
        target[parts[-1]] = here
    return result


def put_params(
    command: Sequence[str],
    values: Mapping[str, Any],
    *,
    stage: str,
    place: Callable[[str], str] = lambda _: PARAMS_FILE,
) -> list[str]:
    """The words of ``command`` with ``${params.x}`` replaced by the parameter; quoted within the line of ``sh -c``.

    Raises UnknownNameError, also for a parameter that is a group of values.

    >>> put_params(["fit", "--depth=${params.model.depth}"], {"model": {"depth": 4}}, stage="fit")
    ['fit', '--depth=4']
    """
    is_shell = list(command[:2]) == ["sh", "-c"]

    def value(match: re.Match[str]) -> str:
        here: Any = slice_params(values, [match[1]], stage=stage, place=place)
        for part in match[1].split("."):
            here = here[part]
        if isinstance(here, dict | list):
            raise UnknownNameError(
                f"the parameter {match[1]!r} in the command of stage {stage} is not a single value",
                where=place(match[1]),
                hint="name one of its values",
            )
        text = str(here).lower() if isinstance(here, bool) else str(here)
        return shlex.quote(text) if is_shell else text

    return [_PARAM.sub(value, word) if "${params." in word else word for word in command]


def set_param_text(text: str, key: str, value: str) -> str:
    """``text`` of a params.yaml with the scalar at the dotted ``key`` replaced; comments and the rest stay.

    >>> set_param_text("a:\\n  b: 1   # why\\n", "a.b", "2")
    'a:\\n  b: 2   # why\\n'
    """
    import yaml

    node = yaml.compose(text)
    for part in key.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((child for name, child in pairs if name.value == part), None)
        if node is None:
            raise UnknownNameError(f"there is no parameter {key!r}", where=PARAMS_FILE)
    if not isinstance(node, yaml.ScalarNode):
        raise UnknownNameError(f"the parameter {key!r} is not a single value", where=PARAMS_FILE)
    return text[: node.start_mark.index] + value + text[node.end_mark.index :]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return value
