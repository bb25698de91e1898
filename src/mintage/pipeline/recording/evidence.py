"""What became of each file of the private folder, from the events in their order. Pure.

A file that existed before and was read before it was written is an input; one that was written first is an output,
whatever reads it then. Opened for writing and never written (as SQLite opens a database to query it), it was read.

>>> evidence = Evidence()
>>> for change in ("write", "read"):
...     evidence.add("model.joblib", change)
>>> evidence.add("data.csv", "read")
>>> sorted(evidence.read_first), sorted(evidence.written)
(['data.csv'], ['model.joblib'])
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mintage.pipeline.recording.inotify import Change

__all__ = ["Evidence"]


@dataclass
class Evidence:
    """Paths by what was seen of them."""

    read_first: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    opened_to_write: set[str] = field(default_factory=set)
    moved_away: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)

    def add(self, path: str, change: Change) -> None:
        """Take in the next event."""
        if change == "listed":
            self.listed.add(path)
        elif change == "opened-to-write":
            self.opened_to_write.add(path)
        elif change in ("write", "deleted"):
            self.written.add(path)
        elif path not in self.written:
            self.read_first.add(path)
        if change == "moved-away":
            self.moved_away.add(path)

    @property
    def inputs(self) -> set[str]:
        """Files whose earlier content was used, as far as events can say."""
        return self.read_first | (self.opened_to_write - self.written)
