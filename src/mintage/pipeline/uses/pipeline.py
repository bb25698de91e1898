"""A pipeline of another repository: the stages there that make what ``out`` names, with all that they need. Pure.

It is one stage here. Where ``in`` names a path, the way back ends: what makes it there does not run.

>>> from mintage.repo.project import Stage
>>> stages = {
...     "raw": Stage(run="a", out=("raw.csv",)),
...     "clean": Stage(run="b", inputs=("raw.csv",), out=("clean.csv",)),
...     "other": Stage(run="c", out=("o",)),
... }
>>> needed(stages, ["clean.csv"], given=[]), needed(stages, ["clean.csv"], given=["raw.csv"])
(('raw', 'clean'), ('clean',))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintage.errors import UseError
from mintage.pipeline.graph import Makers, order
from mintage.repo.nearest import nearest_hint
from mintage.repo.stage import Stage

__all__ = ["Member", "from_outside", "joined_parts", "needed", "plain"]

_SHARED = ("format", "inputs", "code", "environment", "params")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A stage of a used pipeline, with its command and the parts of its key; their inputs are those from outside."""

    name: str
    stage: Stage
    command: list[str]
    parts: dict[str, Any]


def needed(stages: Mapping[str, Stage], wanted: Iterable[str], *, given: Iterable[str]) -> tuple[str, ...]:
    """The stages that make the paths ``wanted``, and those that they need, in an order to run them in; none is followed
    beyond a path of ``given``. Raises UseError for a path that no stage writes, or that is ``given`` as well."""
    makers, ends = Makers(stages), {plain(path) for path in given}
    written = sorted(plain(path) for stage in stages.values() for path in stage.outputs)
    waiting, chosen = [], set[str]()
    for path in wanted:
        if plain(path) not in written or plain(path) in ends:
            raise UseError(
                f"no stage writes {path} there" if plain(path) not in ends else f"`in` and `out` both name {path}",
                expected=", ".join(written[:12]) or "a stage that writes something",
                hint=nearest_hint(plain(path), written, otherwise="correct `out:`, or the revision"),
            )
        waiting.append(plain(path))
    while waiting:
        for maker in makers.all_of(waiting.pop()) - chosen:
            chosen.add(maker)
            waiting += [plain(path) for path in stages[maker].inputs if plain(path) not in ends]
    return tuple(name for name in order(stages) if name in chosen)


def from_outside(stages: Mapping[str, Stage], given: Iterable[str]) -> tuple[str, ...]:
    """The inputs of ``stages`` that none of them writes, nor ``given`` has: each once, in order."""
    makers, ends = Makers(stages), {plain(path) for path in given}
    paths = [plain(path) for stage in stages.values() for path in stage.inputs]
    return tuple(dict.fromkeys(path for path in paths if path not in ends and not makers.all_of(path)))


def joined_parts(members: Sequence[Member], *, inputs: Mapping[str, str]) -> dict[str, Any]:
    """The parts of the key of a pipeline as a whole, all of whose ``inputs`` come from outside.

    What stages share by path stands once; of each stage there remains what is its own.
    """
    first = members[0].parts
    return {
        "format": first["format"],
        "inputs": dict(inputs),
        "code": {path: digest for member in members for path, digest in member.parts["code"].items()},
        "environment": first["environment"],
        "params": _merged(member.parts["params"] for member in members),
        "stages": {
            member.name: {key: value for key, value in member.parts.items() if key not in _SHARED}
            | {"takes": sorted(member.stage.params), "reads": sorted(member.stage.inputs)}
            for member in members
        },
    }


def plain(path: str) -> str:
    """A path without the slash that says it is a folder."""
    return path.rstrip("/")


def _merged(slices: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Slices of one tree of parameters, laid over each other."""
    found: dict[str, Any] = {}
    for each in slices:
        for key, value in each.items():
            both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
            found[key] = _merged([found[key], value]) if both else value
    return found
