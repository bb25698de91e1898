"""What a stage reads outside the project (``reads:``): where it is, and its digest for the key.

A path begins with ``/``, or with ``~/`` for the home folder of whoever runs it. Its content counts, by digest, which is
remembered by stat; it is not kept in the store, so a run cannot be repeated from its record without it.

>>> place_of("~/data/x.csv", home=Path("/srv/ann"))
PosixPath('/srv/ann/data/x.csv')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mintage.errors import FileMissingError
from mintage.store.statcache import StatCache

__all__ = ["place_of", "read_digests"]


def place_of(path: str, *, home: Path) -> Path:
    """Where ``path`` of ``reads`` is on this machine."""
    return home / path[2:] if path.startswith("~/") else Path(path)


def read_digests(
    paths: tuple[str, ...], cache: StatCache, *, stage: str, where: Callable[[], str]
) -> Mapping[str, str]:
    """The digest of each path; raises FileMissingError for one that is not here, named ``where`` in mintage.yaml."""
    found: dict[str, str] = {}
    for path in sorted(paths):
        place = place_of(path, home=Path.home())
        known = cache.find(place)
        if known is None:
            raise FileMissingError(
                f"stage {stage} reads {path}, which is not on this machine",
                expected=str(place),
                where=where(),
                hint="bring it there, or into the project and under `in:`, so that every machine has it",
            )
        found[path] = known[0]
    return found
