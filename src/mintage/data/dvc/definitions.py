"""The stages that a dvc.yaml defines, with ``vars``, ``${...}``, ``foreach`` and ``matrix`` worked out.

Files are read through ``read``, so the same code serves the work tree and any revision of it.

>>> text = b"stages:\\n  fit:\\n    foreach: [a, b]\\n    do: {cmd: 'fit ${item}', outs: ['${item}.bin']}\\n"
>>> [(stage.name, stage.fields["cmd"]) for stage in definitions({"dvc.yaml": text}.get, "dvc.yaml")]
[('fit@a', 'fit a'), ('fit@b', 'fit b')]
"""

from __future__ import annotations

import itertools
import posixpath
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mintage.data.dvc.outs import path_in
from mintage.data.dvc.template import fill, find_value, merge, value_text
from mintage.errors import FileMalformedError, FileMissingError, UnknownNameError
from mintage.repo.yamlfile import load_yaml

__all__ = ["PARAMS_FILE", "Definition", "Read", "definitions", "find_param", "load_pipeline", "load_values"]

Read = Callable[[str], bytes | None]
PARAMS_FILE = "params.yaml"
_STAGES_LIMIT = 10_000


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One stage: its name in DVC, its dvc.yaml, the folder that it runs in (None: outside the project), its fields."""

    name: str
    where: str
    base: str | None
    fields: dict[str, Any]


def load_pipeline(read: Read, where: str) -> dict[str, Any]:
    """The dvc.yaml at ``where`` as a mapping; raises FileMalformedError."""
    value, _ = load_yaml(read(where) or b"", where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a dvc.yaml", expected="a key stages", where=where)
    return value


def load_values(read: Read, path: str) -> dict[str, Any]:
    """The parameters in a YAML, JSON or TOML file; raises FileMalformedError. A Python file is never read."""
    data = read(path)
    if data is None:
        raise FileMissingError(f"{path} is not there", where=path, hint="dvc.yaml names it")
    if path.endswith(".py"):
        raise FileMalformedError(
            "a Python file is not read as values",
            expected="YAML, JSON or TOML",
            where=path,
            hint="reading a project runs none of its code: write the values to params.yaml",
        )
    if path.endswith(".toml"):
        try:
            return tomllib.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise FileMalformedError("not TOML", found=str(error), where=path) from error
    value, _ = load_yaml(data, where=path)  # JSON is YAML too
    if not isinstance(value, dict):
        raise FileMalformedError("parameters must have names", where=path)
    return value


def find_param(values: Mapping[str, Any], key: str) -> Any:
    """The value of a parameter by DVC's dotted name; None if there is none."""
    if key in values:
        return values[key]
    try:
        return find_value(values, key, where="")
    except UnknownNameError:
        return None


def definitions(read: Read, where: str) -> list[Definition]:
    """The stages of the dvc.yaml at ``where``, in its order."""
    pipeline = load_pipeline(read, where)
    folder = posixpath.dirname(where)
    values: dict[str, Any] = {}
    default = posixpath.join(folder, PARAMS_FILE)
    if read(default) is not None:
        merge(values, load_values(read, default))
    _add_vars(values, pipeline.get("vars"), read, folder, where)
    stages = pipeline.get("stages") or {}
    if not isinstance(stages, dict):
        raise FileMalformedError("stages must have names", where=where)
    found: list[Definition] = []
    for name, stage in stages.items():
        if not isinstance(stage, dict):
            raise FileMalformedError(f"stage {name} is not a mapping", where=where)
        for full, fields, more in _members(name, stage, values, where):
            found.append(_resolved(full, fields, {**values, **more}, read, where))
            if len(found) > _STAGES_LIMIT:
                raise FileMalformedError("too many stages", expected=f"at most {_STAGES_LIMIT}", where=where)
    return found


def _resolved(name: str, fields: dict[str, Any], values: dict[str, Any], read: Read, where: str) -> Definition:
    at = f"{where}, stage {name}"
    folder = posixpath.dirname(where)
    written = fill(str(fields.get("wdir") or "."), values, where=at)
    here = posixpath.normpath(posixpath.join(folder, written)) == "."
    base = "" if here else path_in(folder, written)
    if "vars" in fields:
        values = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
        _add_vars(values, fields["vars"], read, base or folder, at)
    rest = {key: value for key, value in fields.items() if key != "vars"}
    return Definition(name=name, where=where, base=base, fields=fill(rest, values, where=at))


def _members(
    name: str, stage: dict[str, Any], values: Mapping[str, Any], where: str
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Full name, fields and further values of each stage that a definition stands for."""
    at = f"{where}, stage {name}"
    if "foreach" in stage:
        body = stage.get("do")
        if not isinstance(body, dict):
            raise FileMalformedError("`foreach` without `do`", where=at)
        over = fill(stage["foreach"], values, where=at)
        if isinstance(over, list):
            plain = not any(isinstance(item, dict | list) for item in over)
            for index, item in enumerate(over):
                yield f"{name}@{value_text(item) if plain else index}", body, {"item": item}
        elif isinstance(over, dict):
            for key, item in over.items():
                yield f"{name}@{key}", body, {"item": item, "key": key}
        else:
            raise FileMalformedError("`foreach` needs a list or a mapping", found=str(over)[:80], where=at)
    elif "matrix" in stage:
        yield from _matrix(name, stage, values, at)
    else:
        yield name, stage, {}


def _matrix(
    name: str, stage: dict[str, Any], values: Mapping[str, Any], at: str
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    axes = fill(stage["matrix"], values, where=at)
    if not isinstance(axes, dict) or not all(isinstance(axis, list) for axis in axes.values()):
        raise FileMalformedError("`matrix` needs named lists", where=at)
    body = {key: value for key, value in stage.items() if key != "matrix"}
    labelled = [
        [
            (f"{axis}{index}" if isinstance(item, dict | list) else value_text(item), item)
            for index, item in enumerate(row)
        ]
        for axis, row in axes.items()
    ]
    for chosen in itertools.islice(itertools.product(*labelled), _STAGES_LIMIT + 1):
        key = "-".join(label for label, _ in chosen)
        item = dict(zip(axes, (value for _, value in chosen), strict=True))
        yield f"{name}@{key}", body, {"item": item, "key": key}


def _add_vars(values: dict[str, Any], entries: Any, read: Read, folder: str, where: str) -> None:
    for entry in entries or []:
        if isinstance(entry, dict):
            merge(values, entry)
            continue
        written, _, keys = str(entry).partition(":")
        path = path_in(folder, written)
        if path is None:
            raise FileMalformedError("`vars` names a file outside the project", found=written, where=where)
        loaded = load_values(read, path)
        chosen = {key: find_value(loaded, key, where=path) for key in keys.split(",") if key} if keys else loaded
        merge(values, chosen)
