"""The values of a small JSON, YAML or TOML text. Pure.

>>> [(value.name, value.value) for value in configuration("c.yaml", b"model: {depth: 3}")]
[('model.depth', 3)]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from mintage.errors import FileMalformedError
from mintage.pipeline.recording.source import Value
from mintage.repo.yamlfile import load_yaml

__all__ = ["CONFIG_BYTES", "CONFIG_SUFFIXES", "configuration", "is_metrics"]

CONFIG_BYTES = 64 << 10
"""The largest JSON, YAML or TOML file that is looked into."""
CONFIG_SUFFIXES = (".json", ".yaml", ".yml", ".toml")
_VALUE_LIMIT = 200


def configuration(path: str, text: bytes | None) -> list[Value]:
    """The values of a file under dotted names; none if it is of another kind, or has too many of them to be meant."""
    value = _parsed(path, text) if path.endswith(CONFIG_SUFFIXES) else None
    leaves = list(_leaves(value)) if isinstance(value, dict) else []
    return [Value(name, leaf, path) for name, leaf in leaves] if len(leaves) <= _VALUE_LIMIT else []


def is_metrics(text: bytes | None) -> bool:
    """Whether a JSON text is an object whose values are mostly numbers, nested ones included."""
    value = _parsed("x.json", text)
    leaves = list(_leaves(value)) if isinstance(value, dict) else []
    numbers = [leaf for _, leaf in leaves if isinstance(leaf, int | float) and not isinstance(leaf, bool)]
    return bool(numbers) and 2 * len(numbers) >= len(leaves)


def _parsed(path: str, text: bytes | None) -> Any:
    if text is None or len(text) > CONFIG_BYTES:
        return None
    try:
        if path.endswith(".json"):
            return json.loads(text)
        if path.endswith(".toml"):
            return tomllib.loads(text.decode())
        return load_yaml(text, where=path)[0]
    except (ValueError, RecursionError, FileMalformedError):
        return None


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value
