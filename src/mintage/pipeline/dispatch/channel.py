"""The way to one worker that has been given a job: hear its messages, end it. One implementation an engine."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

__all__ = ["Channel"]


class Channel(Protocol):
    """A context manager: with the block ends the worker, with all that it started, if it has not ended by itself."""

    def __enter__(self) -> Channel: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None: ...

    def receive(self, timeout_s: float) -> bytes | None:
        """The next message; None if none came in time. Raises WorkerLostError if none can come any more."""
        ...

    @property
    def has_begun(self) -> bool:
        """Whether the worker is to be heard from: false while its job waits for a place."""
        ...
