"""Read YAML with file, line and column kept for messages; unknown keys are errors that name the nearest known key.

``load_yaml(text, where=...)`` gives plain values and a ``Marks`` that knows where each value stands; ``convert`` turns
them into a record type and points at the line that does not fit. Only the safe subset of YAML is read: no tags that
make objects, no aliases that repeat (a file of nested aliases would grow without bound), no repeated keys.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from mintage.errors import FileMalformedError, FileMissingError
from mintage.repo.misfit import describe
from mintage.repo.nearest import nearest_hint

__all__ = ["Marks", "check_version", "convert", "load_yaml", "read_yaml"]

T = TypeVar("T")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*?)`(?: - at `\$(?P<path>.*?)`)?$")
_MISSING = re.compile(r"Object missing required field `(?P<key>.*?)`$")
_AT = re.compile(r"^(?P<message>.*?)(?: - at `(?:key in )?\$(?P<path>.*?)`)?$")
_PLAIN_TAGS = ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_TEXT = "tag:yaml.org,2002:str"
MAX_BYTES = 4 << 20


class Marks:
    """Where each value of a YAML file stands: path of keys and indices to (line, column), both from 1."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.places: dict[tuple[str | int, ...], tuple[int, int]] = {}

    def at(self, path: tuple[str | int, ...]) -> str:
        """``file:line:column`` of ``path``, or of its nearest known parent."""
        while path and path not in self.places:
            path = path[:-1]
        if path not in self.places:
            return self.where
        line, column = self.places[path]
        return f"{self.where}:{line}:{column}"


def read_yaml(path: Path, *, hint: str) -> tuple[Any, Marks]:
    """Load a YAML file; raises FileMissingError with ``hint`` or FileMalformedError."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissingError(f"{path.name} is not there", where=str(path), hint=hint) from None
    return load_yaml(data, where=str(path))


def load_yaml(data: bytes, *, where: str) -> tuple[Any, Marks]:
    """Parse one YAML document; raises FileMalformedError with line and column."""
    marks = Marks(where)
    if len(data) > MAX_BYTES:
        raise FileMalformedError(
            "the file is too large", expected=f"at most {MAX_BYTES} bytes", found=str(len(data)), where=where
        )
    try:
        text = data.decode()
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            return {}, marks
        return _build(node, (), marks, _Loader("")), marks
    except UnicodeDecodeError as error:
        raise FileMalformedError("not UTF-8 text", found=str(error), where=where) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        unquoted = mark is not None and "${" in text.splitlines()[mark.line][: mark.column + 1]
        raise FileMalformedError(
            "not valid YAML",
            found=error.problem or str(error),
            where=place,
            hint="quote what holds `${…}` between { and }" if unquoted else None,
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise FileMalformedError("not valid YAML", found=str(error), where=where) from error


def _build(node: Any, path: tuple[str | int, ...], marks: Marks, loader: Any) -> Any:
    if path in marks.places or len(path) > 32:
        raise FileMalformedError("too deeply nested", where=marks.at(path))
    marks.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.tag == _TEXT else loader.construct_object(node)
    if len(marks.places) > 200_000:
        raise FileMalformedError("too many values", expected="at most 200000", where=marks.where)
    if node.tag not in _PLAIN_TAGS:
        raise FileMalformedError("a tag is not allowed here", found=node.tag, where=marks.at(path), hint="remove it")
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, index), marks, loader) for index, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, child in node.value:
        is_scalar = isinstance(key_node, yaml.ScalarNode)
        key = None if not is_scalar else key_node.value if key_node.tag == _TEXT else loader.construct_object(key_node)
        place = f"{marks.where}:{key_node.start_mark.line + 1}:{key_node.start_mark.column + 1}"
        if not isinstance(key, str | int | bool) or key is None:
            raise FileMalformedError("a key is not a word", where=place)
        name = key if isinstance(key, str) else key_node.value
        if name in result:
            raise FileMalformedError(f"the key {name!r} stands twice", where=place, hint="delete one of the two")
        result[name] = _build(child, (*path, name), marks, loader)
        marks.places[(*path, name)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
    return result


def check_version(value: dict[str, Any], marks: Marks, *, known: int) -> None:
    """Raise FileMalformedError if the key ``version`` names another than ``known``; absent it means ``known``.

    Asked before anything else is: of a later version no other complaint would say what is wrong.
    """
    if value.get("version", known) != known:
        raise FileMalformedError(
            "the file has another version than is read here",
            expected=str(known),
            found=str(value["version"])[:100],
            where=marks.at(("version",)),
            hint="update Mintage, or write the file as its page in docs/spec says",
        )


def convert(value: Any, target: type[T], marks: Marks, *, at: tuple[str | int, ...] = (), hint: str | None = None) -> T:
    """``value`` as ``target`` (a msgspec type); a misfit names its line and, for an unknown key, the nearest one."""
    try:
        return msgspec.convert(value, target)
    except msgspec.ValidationError as error:
        text = str(error)
        unknown = _UNKNOWN.match(text)
        if unknown:
            parent = (*at, *_sharpen(value, target, _path_of(unknown["path"] or "")))
            key = unknown["key"]
            known = _known_keys(target, parent[len(at) :])
            near = difflib.get_close_matches(key, known, n=1)
            raise FileMalformedError(
                f"unknown key {key!r}",
                expected=", ".join(known) or None,
                where=marks.at((*parent, key)),
                hint=f"did you mean {near[0]!r}?" if near else "remove the key, or see docs/spec for the keys",
            ) from error
        match = _AT.match(text)
        path = _sharpen(value, target, _path_of(match["path"] or "")) if match else ()
        message = match["message"] if match else text
        missing = _MISSING.match(message)
        if missing:
            raise FileMalformedError(
                f"the key {missing['key']!r} is missing", where=marks.at((*at, *path)), hint=hint
            ) from error
        allowed = _allowed(target, path)
        expected, found = describe(message, allowed=allowed)
        nearest = nearest_hint(str(found).strip("'"), allowed, otherwise=hint)
        raise FileMalformedError(
            "a value does not fit", expected=expected, found=found, where=marks.at((*at, *path)), hint=nearest
        ) from error


def _path_of(text: str) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", text):
        if name:
            parts.append(name)
        elif index != "...":
            parts.append(int(index))
        else:
            parts.append("...")
    return tuple(parts)


def _sharpen(value: Any, target: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """``path`` with each ``...`` (any key of a mapping) replaced by the first key whose value does not fit."""
    for index, step in enumerate(path):
        if step != "...":
            continue
        holder = value
        for key in path[:index]:
            holder = holder[key]
        bad = next((key for key in holder if not _fits(_only(value, path[:index], key), target)), None)
        if bad is None:
            return path[:index]
        path = (*path[:index], bad, *path[index + 1 :])
    return path


def _only(value: Any, path: tuple[str | int, ...], key: str) -> Any:
    """A copy of ``value`` in which the mapping at ``path`` has just ``key``."""
    if not path:
        return {key: value[key]}
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _only(value[path[0]], path[1:], key)
    return copy


def _fits(value: Any, target: Any) -> bool:
    try:
        msgspec.convert(value, target)
    except msgspec.ValidationError:
        return False
    return True


def _known_keys(target: Any, path: tuple[str | int, ...]) -> list[str]:
    """Keys that the record type at ``path`` below ``target`` knows; empty when it cannot be told."""
    info: Any = msgspec.inspect.type_info(target)
    for step in path:
        info = _descend(info, step)
    struct = _first_struct(info)
    return sorted(field.encode_name for field in struct.fields) if struct is not None else []


def _allowed(target: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The values of the enumeration at ``path`` below ``target``; empty if it is none."""
    info: Any = msgspec.inspect.type_info(target)
    for step in path:
        info = _descend(info, step)
    info = _bare(info)
    kinds = map(_bare, info.types) if isinstance(info, msgspec.inspect.UnionType) else [info]
    return tuple(str(each) for kind in kinds if isinstance(kind, msgspec.inspect.LiteralType) for each in kind.values)


def _first_struct(info: Any) -> Any:
    info = _bare(info)
    if isinstance(info, msgspec.inspect.StructType):
        return info
    if isinstance(info, msgspec.inspect.UnionType):
        return next((item for item in map(_bare, info.types) if isinstance(item, msgspec.inspect.StructType)), None)
    return None


def _bare(info: Any) -> Any:
    """A type without what a schema says about it."""
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    return info


def _descend(info: Any, step: str | int) -> Any:
    info = _bare(info)
    if isinstance(info, msgspec.inspect.UnionType):
        inner = [item for item in map(_bare, info.types) if not isinstance(item, msgspec.inspect.NoneType)]
        return _descend(inner[0], step) if inner else None
    if isinstance(info, msgspec.inspect.StructType):
        return next((field.type for field in info.fields if field.encode_name == step), None)
    if isinstance(info, msgspec.inspect.DictType):
        return info.value_type
    if isinstance(info, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return info.item_type
    return None
