"""The four parts that a result depends on, and what differs in each between two runs. Pure.

>>> old = {"command": ["fit"], "params": {"depth": 3}, "inputs": {"rows.csv": "b3:1", "made.csv": "b3:2"}}
>>> new = {"command": ["fit"], "params": {"depth": 4}, "inputs": {"rows.csv": "b3:9", "made.csv": "b3:3"}}
>>> part_differences(old, new, made=frozenset(["made.csv"]), same_line=True)
{'data': ['rows.csv'], 'parameters': ['depth 3 -> 4']}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mintage.pipeline.key import explain
from mintage.pipeline.params import PARAMS_FILE
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["CODE", "DATA", "ENVIRONMENT", "PARAMETERS", "PARTS", "is_data", "package_differences", "part_differences"]

CODE, DATA, PARAMETERS, ENVIRONMENT = "code", "data", "parameters", "environment"
PARTS = (CODE, DATA, PARAMETERS, ENVIRONMENT)

_PROGRAMS = (".py", ".sh", ".ipynb")


def is_data(path: str) -> bool:
    """Whether a file that a stage reads is data, and not a program, the parameters or the project file."""
    return not path.endswith(_PROGRAMS) and path not in (PARAMS_FILE, PROJECT_FILE)


def part_differences(
    old: Mapping[str, Any], new: Mapping[str, Any], *, made: Collection[str], same_line: bool
) -> dict[str, list[str]]:
    """What differs between two keys of one stage, by part; those of ``PARTS`` that do not differ are left out.

    ``made`` are inputs that other stages write: they differ because of those. ``same_line``: the command is written in
    the same way on both sides, so that where it differs a parameter was put into it.
    """
    found: dict[str, list[str]] = {}

    def note(part: str, texts: list[str]) -> None:
        if texts:
            found.setdefault(part, []).extend(texts)

    then, now = old.get("inputs", {}), new.get("inputs", {})
    read = [path for path in _differing(then, now) if path not in made]
    note(CODE, [*_differing(old.get("code", {}), new.get("code", {})), *(p for p in read if _is_program(p))])
    note(DATA, [path for path in read if is_data(path)])
    for key in ("params", "args", "seed"):
        note(PARAMETERS, _values(old.get(key), new.get(key), key))
    note(PARAMETERS, [path for path in read if path == PARAMS_FILE and PARAMETERS not in found])
    line = old.get("command") != new.get("command")
    note(PARAMETERS if same_line else CODE, [f"the command: {_line(old)} -> {_line(new)}"] if line else [])
    rest = {"threads", "outputs", "network", "determinism", "format", "env"}
    note(CODE, [key for key in sorted(rest) if old.get(key) != new.get(key)])
    note(ENVIRONMENT, ["environment"] if old.get("environment") != new.get("environment") else [])
    return found


def package_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two freezes: the interpreter, and packages by name and version.

    >>> a = {"python": "3.11.2", "packages": [{"name": "numpy", "version": "1.26.4", "record": "sha256:1"}]}
    >>> b = {"python": "3.11.2", "packages": [{"name": "numpy", "version": "2.0.0", "record": "sha256:2"}]}
    >>> package_differences(a, b)
    ['numpy 1.26.4 -> 2.0.0']
    """
    said = [
        f"{key} {old.get(key)} -> {new.get(key)}"
        for key in ("python", "implementation", "platform")
        if old.get(key) != new.get(key)
    ]
    then = {package["name"]: package for package in old.get("packages", ())}
    now = {package["name"]: package for package in new.get("packages", ())}
    for name in sorted((set(then) | set(now)) - {"mintage"}):
        if name not in now:
            said.append(f"{name} is gone")
        elif name not in then:
            said.append(f"{name} {now[name]['version']} is new")
        elif then[name]["version"] != now[name]["version"]:
            said.append(f"{name} {then[name]['version']} -> {now[name]['version']}")
        elif then[name] != now[name]:
            said.append(f"{name} {now[name]['version']} has other files")
    return said


def _is_program(path: str) -> bool:
    return path.endswith(_PROGRAMS)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [path for path in sorted(set(old) | set(new)) if old.get(path) != new.get(path)]


def _values(old: Any, new: Any, key: str) -> list[str]:
    """``params.depth changed: 3 -> 4`` as ``depth 3 -> 4``."""
    lines = explain({key: old if old is not None else {}}, {key: new if new is not None else {}})
    if key == "seed":
        return [f"seed {old} -> {new}"] if old != new else []
    return [line.removeprefix(f"{key}.").replace(" changed: ", " ") for line in lines]


def _line(parts: Mapping[str, Any]) -> str:
    text = " ".join(parts.get("command", ()))
    return text if len(text) <= 60 else text[:57] + "…"
