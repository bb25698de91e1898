"""Put the hook into a command's environment, and read what its processes wrote."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Said", "install", "said_in"]

_LINE_LIMIT = 1_000_000


@dataclass(frozen=True)
class Said:
    """One line of the hook: when (monotonic), what kind, and the path or host."""

    at: int
    kind: str
    what: str


def install(
    folder: Path,
    environment: Mapping[str, str],
    *,
    root: Path,
    work: Path,
    links: Collection[str],
    walls: Collection[str] = (),
) -> dict[str, str]:
    """``environment`` with the hook in ``folder`` on its PYTHONPATH, for a command in ``work``, a copy of ``root``;
    ``walls``: all that it can read, in a sandbox."""
    sites, record = folder / "site", folder / "record"
    sites.mkdir(parents=True)
    record.mkdir()
    for name, text in _hook().items():
        (sites / name).write_bytes(text)
    settings = {"root": str(root), "work": str(work), "links": sorted(links), "walls": sorted(walls)}
    (record / "settings.json").write_text(json.dumps(settings))
    path = os.pathsep.join(filter(None, [str(sites), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path, "MINTAGE_RECORD": str(record)}


@functools.cache
def _hook() -> dict[str, bytes]:
    """The files of the hook by the name that they get: a run gives them to each of its stages."""
    copies = {"hook.py": "sitecustomize.py", "hookseeds.py": "_mintage_seeds.py", "hookused.py": "_mintage_used.py"}
    copies["hookmissed.py"] = "_mintage_missed.py"
    return {copy: Path(__file__).with_name(name).read_bytes() for name, copy in copies.items()}


def said_in(folder: Path) -> list[Said]:
    """Everything that the processes said, in order of time. A line that a killed process left unfinished is dropped."""
    found = [said for file in sorted((folder / "record").glob("*.jsonl")) for said in _lines(file)]
    return sorted(found, key=lambda said: said.at)


def _lines(file: Path) -> Iterator[Said]:
    for line in file.read_text(errors="replace").splitlines()[:_LINE_LIMIT]:
        try:
            at, kind, what = json.loads(line)
        except ValueError:
            continue
        if isinstance(at, int) and isinstance(kind, str) and isinstance(what, str):
            yield Said(at, kind, what)
