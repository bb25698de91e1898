"""How near what came out is to what was recorded: bytes, then content, then numbers within a tolerance. Pure.

The levels, best first: ``identical`` (the same bytes), ``canonical`` (the same content, written differently),
``tolerance`` (numbers that differ by no more than allowed), ``different``.

>>> compare("m.json", b'{"auc": 0.5}', b'{"auc":0.5}', tolerance=1e-6)
Nearness(level='canonical', detail='the same content, written differently')
>>> compare("m.json", b'{"auc": 0.5}', b'{"auc": 0.6}', tolerance=1e-6).detail
'auc: 0.5 -> 0.6'
>>> worst(["identical", "tolerance", "canonical"])
'tolerance'
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from mintage.pipeline.reproduce.content import content

__all__ = ["LEVELS", "Level", "Nearness", "compare", "reaches", "worst"]

Level = Literal["identical", "canonical", "tolerance", "different"]
LEVELS: tuple[Level, ...] = ("identical", "canonical", "tolerance", "different")


@dataclass(frozen=True)
class Nearness:
    """A level, and what differs first, in a few words (empty if nothing does)."""

    level: Level
    detail: str = ""


_SAME = Nearness("canonical", "the same content, written differently")


def worst(levels: Iterable[Level]) -> Level:
    """The worst of the levels; identical if there is none."""
    return max(levels, key=LEVELS.index, default="identical")


def reaches(level: Level, demanded: Level) -> bool:
    """Whether ``level`` is as good as ``demanded`` or better."""
    return LEVELS.index(level) <= LEVELS.index(demanded)


def compare(path: str, recorded: bytes, found: bytes, *, tolerance: float) -> Nearness:
    """How near ``found`` is to ``recorded``, read by the ending of ``path``; two numbers are within ``tolerance`` if
    they differ by no more than that, absolutely or relative to the larger."""
    if recorded == found:
        return Nearness("identical")
    old, new = content(path, recorded), content(path, found)
    if isinstance(old, bytes) and isinstance(new, bytes):
        return _SAME if old == new else Nearness("different", _bytes_differ(old, new))
    result = _differ(old, new, "", tolerance)
    return _SAME if result.level == "identical" else result


def _bytes_differ(old: bytes, new: bytes) -> str:
    if len(old) != len(new):
        return f"{len(old):,} bytes -> {len(new):,} bytes"
    number = sum(a != b for a, b in zip(old, new, strict=True))
    return f"{number:,} of {len(old):,} bytes differ"


def _differ(old: Any, new: Any, where: str, tolerance: float) -> Nearness:
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            names = sorted(map(str, old.keys() ^ new.keys()))
            return Nearness("different", f"{_at(where)}only one of them has {', '.join(names[:3])}")
        return _all(((old[key], new[key], f"{where}.{key}" if where else str(key)) for key in old), tolerance)
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return Nearness("different", f"{_at(where)}{len(old)} entries -> {len(new)}")
        return _all(((a, b, f"{where}[{index}]") for index, (a, b) in enumerate(zip(old, new, strict=True))), tolerance)
    if hasattr(old, "dtype") and hasattr(new, "dtype"):
        return _arrays_differ(old, new, where, tolerance)
    if _is_number(old) and _is_number(new):
        return _numbers_differ(old, new, where, tolerance)
    if type(old) is type(new) and old == new:
        return Nearness("identical")
    if isinstance(old, bytes) and isinstance(new, bytes):
        return Nearness("different", f"{_at(where)}{_bytes_differ(old, new)}")
    return Nearness("different", f"{_at(where)}{_short(old)} -> {_short(new)}")


def _all(pairs: Iterable[tuple[Any, Any, str]], tolerance: float) -> Nearness:
    """The worst of the pairs; the first that is different ends the search."""
    found = Nearness("identical")
    for old, new, where in pairs:
        nearness = _differ(old, new, where, tolerance)
        if LEVELS.index(nearness.level) > LEVELS.index(found.level):
            found = nearness
        if found.level == "different":
            break
    return found


def _numbers_differ(old: float, new: float, where: str, tolerance: float) -> Nearness:
    if old == new or (math.isnan(old) and math.isnan(new)):
        return Nearness("identical")
    near = math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance)
    return Nearness("tolerance" if near else "different", f"{_at(where)}{old!r} -> {new!r}")


def _arrays_differ(old: Any, new: Any, where: str, tolerance: float) -> Nearness:
    import numpy as np

    if (old.shape, old.dtype) != (new.shape, new.dtype):
        return Nearness("different", f"{_at(where)}{old.dtype}{old.shape} -> {new.dtype}{new.shape}")
    if old.tobytes() == new.tobytes():
        return Nearness("identical")
    if old.dtype.kind not in "iufc":
        return Nearness("different", f"{_at(where)}{int((old != new).sum())} of {old.size} values differ")
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(np.asarray(new, dtype=np.complex128 if old.dtype.kind == "c" else np.float64) - old)
        allowed = tolerance * np.maximum(1.0, np.maximum(np.abs(old), np.abs(new)))
        same = (old == new) | (np.isnan(old) & np.isnan(new))
    wrong = ~same & ~(gap <= allowed)
    largest = float(np.max(gap[~same])) if not same.all() else 0.0
    said = f"{_at(where)}{int((~same).sum())} of {old.size} numbers differ, by up to {largest:.3g}"
    return Nearness("different", said) if wrong.any() else Nearness("identical" if same.all() else "tolerance", said)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(where: str) -> str:
    return f"{where}: " if where else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
