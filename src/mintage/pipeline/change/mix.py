"""mintage.yaml and params.yaml of a tree that takes its code, parameters and environment from different commits. Pure.

What only the side of the code has is taken along with the code: a parameter that the other side does not know yet would
be missing. Values that both have are those of the side of the parameters.

>>> print(mixed_params({"depth": 3, "rate": 0.1}, {"depth": 5, "old": 1}))
{'depth': 5, 'old': 1, 'rate': 0.1}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["mixed_params", "mixed_project"]


def mixed_params(code: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``params``, and whatever else ``code`` has."""
    found = dict(params)
    for key, value in code.items():
        if key not in found:
            found[key] = value
        elif isinstance(value, Mapping) and isinstance(found[key], Mapping):
            found[key] = mixed_params(value, found[key])
    return found


def mixed_project(code: Mapping[str, Any], params: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of mintage.yaml: ``args`` and ``seed`` of stages from ``params``, ``python`` and ``image``
    from ``environment``, all else from ``code``. Inline ``params`` are left out: they go to params.yaml.

    >>> both = {"project": "p", "stages": {"fit": {"run": "fit", "seed": 1}}, "python": "a"}
    >>> other = {"project": "p", "stages": {"fit": {"run": "fit2", "seed": 2}}, "python": "b"}
    >>> mixed_project(both, other, both)
    {'project': 'p', 'stages': {'fit': {'run': 'fit', 'seed': 2}}, 'python': 'a'}
    """
    found = {key: value for key, value in code.items() if key != "params"}
    _take(found, environment, "python")
    stages = {}
    for name, written in (code.get("stages") or {}).items():
        stage = dict(written)
        given = (params.get("stages") or {}).get(name)
        if given is not None:
            _take(stage, given, "seed")
            args = mixed_params(stage.pop("args", None) or {}, given.get("args") or {})
            stage |= {"args": args} if args else {}
        if (made := (environment.get("stages") or {}).get(name)) is not None:
            _take(stage, made, "python")
            _take(stage, made, "image")
        stages[name] = stage
    if stages:
        found["stages"] = stages
    return found


def _take(into: dict[str, Any], source: Mapping[str, Any], key: str) -> None:
    if key in source:
        into[key] = source[key]
    else:
        into.pop(key, None)
