"""The one error of the extraction: what cannot be opened or described."""

from __future__ import annotations

__all__ = ["Refused"]


class Refused(Exception):
    """The file cannot be opened or described; the message says why."""
