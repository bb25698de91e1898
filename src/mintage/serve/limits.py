"""What a request may be at most. Over a limit gets its own error, and costs no more than reading it."""

from __future__ import annotations

__all__ = [
    "BODY_BYTES",
    "BODY_SECONDS",
    "CONNECTIONS",
    "DRAIN_BYTES",
    "HEAD_BYTES",
    "HEAD_SECONDS",
    "IDLE_SECONDS",
    "ROWS",
]

BODY_BYTES = 8 * 1024 * 1024
DRAIN_BYTES = (
    8 * BODY_BYTES
)  # of a body that is too large: read and dropped, so that the caller gets to read the answer
BODY_SECONDS = 30.0
HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 10.0
IDLE_SECONDS = 75
CONNECTIONS = 1024
ROWS = 10_000
