"""One stage of a pipeline: a command with its declared inputs and outputs. See docs/spec/project.md."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.repo.locked_python import LockedPython
from mintage.repo.use import Use

__all__ = [
    "Determinism",
    "OutsidePath",
    "Positive",
    "Program",
    "Resources",
    "Retry",
    "Stage",
    "VariableName",
]

Positive = Annotated[int, Meta(ge=1)]
_Amount = Annotated[float, Meta(ge=0, le=100_000)]
Program = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$")]
OutsidePath = Annotated[str, Meta(min_length=2, max_length=4096, pattern=r"^(/|~/)[^\x00-\x1f]+$")]
VariableName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Determinism = Literal["off", "same-machine", "portable"]


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a stage is tried again: up to ``max`` times, ``backoff_s`` apart (doubled each time), after one of the ways
    ``on`` of ending: exit codes, or ``timeout``. Without ``on``: any but exit code 2, which says that it was called
    wrongly."""

    max: Annotated[int, Meta(ge=1, le=100)]
    backoff_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    on: tuple[Annotated[int, Meta(ge=-64, le=255)] | Literal["timeout"], ...] | None = None


class Resources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stage takes of the machine while it runs: CPUs, GPUs, and memory in GiB."""

    cpu: _Amount = 1.0
    gpu: _Amount = 0.0
    memory_gib: _Amount = 0.0


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command with its declared inputs and outputs.

    ``params`` names keys of params.yaml (dotted) that the command takes; ``code`` adds files to those found by
    following imports; ``env`` names environment variables that count, ``secrets`` those that are passed and masked and
    never kept; ``metrics`` are JSON outputs to track, ``plots`` tables or pictures to look at; ``captured`` are tables
    that Mintage makes of the rows that the command split and fitted; ``python`` is its interpreter, a path, a command,
    or a lock to build one from, ``image`` a container image to run it in instead; ``args`` are options that are
    appended to the command, by name; ``reads`` are paths outside the project that it reads; ``use`` is what another
    repository gives instead of a command.
    """

    run: str
    inputs: tuple[str, ...] = msgspec.field(name="in", default=())
    out: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    captured: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    env: tuple[VariableName, ...] = ()
    secrets: tuple[VariableName, ...] = ()
    seed: int | None = None
    threads: Positive | None = None
    timeout_s: Positive | None = None
    retry: Retry | None = None
    resources: Resources = Resources()
    mutex: tuple[str, ...] = ()
    network: bool = True
    determinism: Determinism = "off"
    python: Program | LockedPython | None = None
    image: str | None = None
    reads: tuple[OutsidePath, ...] = ()
    args: dict[str, int | float | str] = {}
    use: Use | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """All that is there after it ran."""
        return (*self.out, *self.captured, *self.metrics, *self.plots)

    @property
    def declares_nothing(self) -> bool:
        """Whether its first run is to be recorded."""
        return not (self.inputs or self.out or self.metrics or self.plots)
