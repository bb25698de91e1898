"""What a reproduction found: by output, by stage and as a whole. Pure records and how the worst is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mintage.pipeline.reproduce.compare import Level, worst

__all__ = ["OutputVerdict", "Reproduction", "StageVerdict", "what_differs"]


class OutputVerdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One output: the digest that was recorded and the one that came out, how near they are, what differs first."""

    path: str
    level: Level
    recorded: str
    found: str | None
    detail: str = ""


class StageVerdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage or model: its outputs, and what is otherwise than in its lock (inputs, packages, code), if anything."""

    name: str
    outputs: tuple[OutputVerdict, ...]
    changed: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """The worst of its outputs."""
        return worst(output.level for output in self.outputs)


class Reproduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished reproduction. ``models`` are the recorded roots of the models in it; ``environments`` say of each
    interpreter what was used; ``hardware`` is this machine, ``differs`` what of it and of the libraries is otherwise
    than recorded."""

    commit: str
    target: str
    stages: tuple[StageVerdict, ...]
    models: dict[str, str]
    independent: bool
    network: str
    tolerance: float
    environments: tuple[dict[str, Any], ...]
    hardware: dict[str, Any]
    differs: tuple[str, ...]

    @property
    def level(self) -> Level:
        """The worst of its stages."""
        return worst(stage.level for stage in self.stages)

    @property
    def first_divergent(self) -> StageVerdict | None:
        """The first stage whose outputs are not the same bytes."""
        return next((stage for stage in self.stages if stage.level != "identical"), None)


def what_differs(recorded: Mapping[str, Any], found: Mapping[str, Any], *, skip: Sequence[str] = ()) -> tuple[str, ...]:
    """What two descriptions of a machine say differently, one fact a line.

    >>> what_differs({"cores": 4, "vector": ["avx2", "avx512f"]}, {"cores": 4, "vector": ["avx2"]})
    ('vector: without avx512f',)
    """
    found_lines = []
    for key in sorted(recorded.keys() & found.keys()):
        old, new = recorded[key], found[key]
        if old == new or key in skip:
            continue
        if isinstance(old, list) and isinstance(new, list):
            gone, more = sorted(set(old) - set(new)), sorted(set(new) - set(old))
            parts = [f"{word} {' '.join(values)}" for word, values in (("without", gone), ("with", more)) if values]
            found_lines.append(f"{key}: {', '.join(parts)}")
        else:
            found_lines.append(f"{key}: {old} -> {new}")
    return tuple(found_lines)
