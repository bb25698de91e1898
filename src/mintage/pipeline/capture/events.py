"""What a watched process wrote down, parsed: splits, fits, scores, saves, in their order.

>>> read_events(b'{"events": [{"what": "save", "where": "a.py:3", "fit": 1, "path": "m"}], "tables": {}}').events
(Save(where='a.py:3', fit=1, path='m'),)
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Event", "Fit", "Notes", "Origin", "Save", "Score", "Split", "Tables", "Unseen", "read_events"]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of which split some rows are of (``3t``: of split 3, those to train on; ``3r``: the rest), through
    which fits, and how that is known; ``part`` None: not known."""

    part: str | None
    how: str
    via: tuple[int, ...] = ()


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    where: str


class Split(_Event, frozen=True, kw_only=True):
    """``train_test_split`` of rows ``of`` a part or of rows not seen before; ``rows`` are its two sizes. ``by`` rows:
    a fit, at that line, was on some rows of a table, and its estimator answered for all others."""

    id: int
    of: Origin
    rows: tuple[int | None, ...] = ()
    by: Literal["call", "rows"] = "call"

    @property
    def name(self) -> str:
        """It and its line, for people."""
        return f"train_test_split at {self.where}" if self.by == "call" else f"the choice of rows before {self.where}"


class Fit(_Event, frozen=True, kw_only=True):
    """An estimator learnt from ``data`` and ``labels``, with ``others`` to look at; ``id`` None: it failed."""

    kind: str
    method: str
    predicts: bool
    data: Origin
    labels: Origin | None = None
    others: tuple[Origin, ...] = ()
    rows: int | None = None
    id: int | None = None
    continues: int | None = None


class Score(_Event, frozen=True, kw_only=True):
    """The estimator of ``fit`` (or an ``other``, whose fit was not seen) answered for ``data``."""

    kind: str
    method: str
    data: Origin
    fit: int | None = None
    other: str | None = None


class Save(_Event, frozen=True, kw_only=True):
    """The estimator of ``fit`` went into the file ``path``."""

    fit: int
    path: str


class Unseen(_Event, frozen=True, kw_only=True):
    """Something that was not seen, in words: work that went to other processes, or that the watcher failed at."""

    who: str


Event = Split | Fit | Score | Save | Unseen


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """For one fit: the names of its target columns, and by part the stored tables of other rows."""

    targets: tuple[str, ...]
    rest: dict[str, str] = {}


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """All of one process; ``tables`` are by the number of the fit."""

    events: tuple[Event, ...]
    tables: dict[str, Tables]


def read_events(data: bytes) -> Notes:
    """Parse what one process wrote; raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Notes)
