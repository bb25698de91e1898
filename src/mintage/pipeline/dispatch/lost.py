"""The error of a worker that cannot be counted on, in words that fit into a list of attempts."""

from __future__ import annotations

from mintage.errors import WorkerLostError

__all__ = ["lost_with"]


def lost_with(said: str, *, found: str | None = None) -> WorkerLostError:
    """``said`` is what became of the worker, as in ``its worker died (signal 9)``."""
    error = WorkerLostError(
        f"the stage has no result: {said}",
        found=found,
        hint="nothing was changed; run it again, or without --executor to see whether it runs here",
    )
    error.said = said
    return error
