"""Join the files that a stage's last run used, beyond those that following its imports finds, with its key. Pure.

What a run sees depends on all that its key is made of. So a result is filed under the key with what its own run saw;
the key without that, which is known before a run, leads to the lists of names to look it up with: first that of the
stage's lock, then those that were noted here. A look-up can miss, and the stage then runs; it cannot hit what another
run would not have made.

>>> look = Look(
...     digest={"a.py": "b3:1"}.get, names=lambda _: (), lacks=lambda _: True, noted=lambda _: (), has=lambda _: False
... )
>>> parts, _, _ = joined({"code": {"fit.py": "b3:0"}}, Seen(code=("a.py", "gone.py")), key=None, look=lambda: look)
>>> parts
{'code': {'fit.py': 'b3:0', 'a.py': 'b3:1'}}
>>> without(parts, ("a.py",))
{'code': {'fit.py': 'b3:0'}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mintage.pipeline.key import cache_key
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes

__all__ = ["Listed", "Look", "Saw", "Seen", "joined", "listed_names", "rejoined", "without"]

Listed = tuple[str, ...] | str
"""The names of the code in a folder; of more than fifty the digest."""

_MOST_NAMES = 50


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Names that a key was joined with: files, folders whose names were read, and files that were not there."""

    code: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


_NOTHING = Seen()


@dataclass(frozen=True, kw_only=True)
class Saw:
    """What a run saw: the digests of files, the names in folders; ``absent`` it looked for."""

    code: Mapping[str, str]
    listed: Mapping[str, Listed]
    absent: tuple[str, ...] = ()

    @property
    def names(self) -> Seen:
        """The names alone."""
        return Seen(code=tuple(self.code), folders=tuple(self.listed), absent=self.absent)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How things stand: the digest of a file (None: it is gone), the names in a folder, whether a run would find no
    such file, the lists noted under a key without them, and whether a key has a result."""

    digest: Callable[[str], str | None]
    names: Callable[[str], Listed]
    lacks: Callable[[str], bool]
    noted: Callable[[str], Sequence[Seen]]
    has: Callable[[str], bool]


def joined(
    parts: Mapping[str, Any], last: Seen, *, key: str | None, look: Callable[[], Look]
) -> tuple[dict[str, Any], str, Seen]:
    """``parts`` with what was seen, their key, and which names those were; ``look`` is asked if need be.

    ``last`` are the names of the stage's lock and ``key`` its key: if that comes out, it is taken. Else names under
    which there is a result; if there are none, those of the lock, so that a miss can be explained.
    """
    if last == _NOTHING:
        first = dict(parts), cache_key(parts), last
        if first[1] == key:
            return first
    ways = look()
    if last != _NOTHING:
        first = _with(parts, last, ways)
    if first[1] == key or ways.has(first[1]):
        return first
    for seen in ways.noted(cache_key(parts)):
        other = _with(parts, seen, ways)
        if ways.has(other[1]):
            return other
    return first


def _with(parts: Mapping[str, Any], names: Seen, look: Look) -> tuple[dict[str, Any], str, Seen]:
    seen = msgspec.structs.replace(names, code=tuple(path for path in names.code if path not in parts["code"]))
    code = {path: digest for path in seen.code if (digest := look.digest(path)) is not None}
    listed = {folder: found for folder in seen.folders if (found := look.names(folder))}
    whole = rejoined(parts, Saw(code=code, listed=listed, absent=tuple(filter(look.lacks, seen.absent))))
    return whole, cache_key(whole), seen


def rejoined(parts: Mapping[str, Any], saw: Saw) -> dict[str, Any]:
    """``parts``, which have nothing that was seen, with what was."""
    whole = {**parts, "code": {**parts["code"], **saw.code}} if saw.code else dict(parts)
    if saw.listed:
        whole["listed"] = {
            folder: names if isinstance(names, str) else list(names) for folder, names in saw.listed.items()
        }
    if saw.absent:
        whole["absent"] = list(saw.absent)
    return whole


def without(parts: Mapping[str, Any], code: Iterable[str]) -> dict[str, Any]:
    """``parts`` as they are known before a run: without the files ``code`` that a run saw, and what else it saw."""
    seen = {*code}
    plain = {name: value for name, value in parts.items() if name not in ("listed", "absent")}
    return plain if not seen else {**plain, "code": {p: d for p, d in parts["code"].items() if p not in seen}}


def listed_names(paths: Iterable[str], folder: str) -> Listed:
    """The names that ``folder`` (``.``: the root) holds of the files at ``paths``; a folder in it ends with a slash.

    >>> listed_names(["lib/a.py", "lib/sub/b.py", "fit.py"], "lib"), listed_names(["lib/a.py", "fit.py"], ".")
    (('a.py', 'sub/'), ('fit.py', 'lib/'))
    """
    prefix = "" if folder == "." else f"{folder}/"
    inside = (path[len(prefix) :].partition("/") for path in paths if path.startswith(prefix))
    names = tuple(sorted({name + slash for name, slash, _ in inside}))
    return names if len(names) <= _MOST_NAMES else blake3_bytes(canonical_bytes(list(names)))
