"""What a stage of Mintage's own must be able to do, so that a run can treat it like one of mintage.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mintage.pipeline.facts import Inspector, StageResult
from mintage.repo.locks import Lock

if TYPE_CHECKING:
    from mintage.pipeline.session import RunSession

__all__ = ["ImplicitStage", "model_lock"]


class ImplicitStage(Protocol):
    """A stage that Mintage itself adds, such as building a model; it has a lock and a cache key like any other."""

    name: str

    def prepare(self, inspector: Inspector, session: RunSession) -> str | None:
        """Write the file of the project that the stage needs and that is not there; returns its path."""
        ...

    def parts(self, inspector: Inspector) -> dict[str, Any]:
        """What can change its outputs."""
        ...

    def execute(self, inspector: Inspector, session: RunSession) -> StageResult:
        """Do the work."""
        ...

    def restore(self, inspector: Inspector, result: StageResult) -> None:
        """Put the outputs of a remembered result back in place."""
        ...

    def in_place(self, inspector: Inspector, lock: Lock) -> bool:
        """Whether the outputs of the lock are in place."""
        ...


def model_lock(name: str, key: str, parts: dict[str, Any], result: StageResult) -> Lock:
    """The lock of a model with that result."""
    return Lock(
        name=name,
        what="model",
        key=key,
        parts=parts,
        outputs=result.outputs,
        run=result.run,
        root=result.root,
        record=result.record,
    )
