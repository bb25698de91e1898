"""Make Parquet tables of what a stage's processes left: the effects around ``decide``.

One estimator's tables are ``captured/<stage>/{train,validation,holdout}.parquet``; where a stage writes several
estimators, each has a folder of its own below that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from mintage.pipeline.capture.decide import Decision, Side, decide
from mintage.pipeline.capture.events import Notes, Save, read_events

__all__ = ["Table", "capture", "keep_captured"]

_NOTES_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table to make: where it is stored, what it is, and why there is no hold-out beside it."""

    folder: Path
    stored: str
    role: Literal["train", "validation", "holdout"]
    estimator: str
    source: str
    targets: tuple[str, ...]
    why: str


def capture(
    folder: Path, *, stage: str, estimators: Sequence[str], has_tables: bool
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The tables that the processes of ``stage`` left in ``folder``, by the paths that they get, and remarks.

    ``estimators`` are the files of that kind that it wrote. Where it ``has_tables`` of its own, an estimator for which
    no rows were put aside needs none.
    """
    notes = {each.parent: _read(each) for each in sorted(folder.glob("*/events.json"))}
    decided = {path: _decide(notes, path) for path in estimators}
    decided = {path: each for path, each in decided.items() if not (has_tables and each[1].unsplit)}
    found: dict[str, Table] = {}
    remarks = []
    several = sum(decision.train is not None for _, decision in decided.values()) > 1
    for path, (place, decision) in decided.items():
        base = f"captured/{stage}/{PurePosixPath(path).stem}" if several else f"captured/{stage}"
        if place is not None:
            found |= {f"{base}/{table.role}.parquet": table for table in _tables(place, path, decision)}
        if decision.why and (decision.train is not None or len(decided) == 1):
            remarks.append(f"leaves no hold-out for {path}: {decision.why}")
    return found, tuple(remarks)


def _tables(folder: Path, estimator: str, decision: Decision) -> Iterator[Table]:
    roles: tuple[tuple[Literal["train", "validation", "holdout"], Side | None], ...] = (
        ("train", decision.train),
        ("validation", decision.validation),
        ("holdout", decision.holdout),
    )
    for role, side in roles:
        if side is not None:
            yield Table(
                folder=folder,
                stored=side.table,
                role=role,
                estimator=estimator,
                source=side.source,
                targets=decision.targets,
                why=decision.why if role == "train" else "",
            )


def keep_captured(
    tables: Mapping[str, Table], wanted: Sequence[str], work: Path, *, targets: Mapping[str, tuple[str, ...]]
) -> None:
    """Write those of ``tables`` at the paths ``wanted`` into ``work``; ``targets`` are the names that mintage.yaml has
    for what an estimator's file predicts."""
    from mintage.pipeline.capture.tables import About, read_stored, write_parquet

    for path in wanted:
        table = tables[path]
        rows = read_stored(table.folder, table.stored)
        names = _renamed(table.targets, targets.get(table.estimator, ()), rows.column_names)
        about = About(
            role=table.role,
            estimator=table.estimator,
            source=table.source,
            targets=tuple(names.get(name, name) for name in table.targets),
            why=table.why,
        )
        write_parquet(rows.rename_columns([names.get(name, name) for name in rows.column_names]), about, work / path)


def _renamed(seen: Sequence[str], said: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """New names for the target columns ``seen``: those that the project says, unless other columns have them."""
    if len(seen) != len(said) or set(said) & (set(columns) - set(seen)):
        return {}
    return dict(zip(seen, said, strict=True))


def _read(path: Path) -> Notes | None:
    try:
        return read_events(path.read_bytes()) if path.stat().st_size <= _NOTES_BYTES else None
    except (msgspec.DecodeError, OSError):
        return None


def _decide(notes: Mapping[Path, Notes | None], path: str) -> tuple[Path | None, Decision]:
    """By the process that saved the estimator, else by the only one that fitted any."""
    known = {place: each for place, each in notes.items() if each is not None}
    savers = [p for p, each in known.items() if any(isinstance(e, Save) and e.path == path for e in each.events)]
    places = savers[-1:] or list(known)
    if len(places) != 1:
        return None, Decision(why="" if not places else f"it was not seen which process wrote {path}")
    return places[0], decide(known[places[0]].events, known[places[0]].tables, path=path)
