"""Which values of parameters a sweep tries: grids, and random draws. Pure.

>>> axes = [parse_axis("lr=0.1,0.3"), parse_axis("model.depth=2..6:2")]
>>> grid(axes)[:2], len(grid(axes))
([{'lr': '0.1', 'model.depth': '2'}, {'lr': '0.1', 'model.depth': '4'}], 6)
>>> draw([parse_axis("depth=1..9"), parse_axis("loss=log,hinge")], count=2, seed=1)
[{'depth': '3', 'loss': 'log'}, {'depth': '5', 'loss': 'log'}]
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mintage.errors import UsageError

__all__ = ["Axis", "Span", "draw", "grid", "number_text", "parse_axis"]

MOST = 10_000
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SPAN = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}|log))?")
_WORD = re.compile(r"""\s*("[^"]*"|'[^']*'|[^,"']*)\s*(,|$)""")
_EXPONENT = re.compile(r"([-+]?)(\d+)[eE]([-+]?)(\d+)")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Numbers from ``low`` to ``high``, both included, ``step`` apart if that is given; ``log``: small ones as often
    as large ones; ``whole``: whole numbers only."""

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One parameter by its dotted name, and what it may be: ``choices`` as texts of YAML, or a ``span``."""

    name: str
    choices: tuple[str, ...] = ()
    span: Span | None = None


def parse_axis(setting: str) -> Axis:
    """Read ``NAME=VALUE[,VALUE]``, ``NAME=LOW..HIGH``, ``LOW..HIGH:STEP``, ``LOW..HIGH:log``. Raises UsageError."""
    name, equals, text = setting.partition("=")
    name, text = name.strip(), text.strip()
    if not equals or not name or not text:
        raise UsageError(
            "not a setting", expected="NAME=VALUES, as in depth=2,4 or lr=0.01..0.1:log", found=repr(setting)
        )
    if match := _SPAN.fullmatch(text):
        return _spanned(name, setting, *match.groups())
    return Axis(name=name, choices=tuple(dict.fromkeys(map(_yaml_number, _words(text, setting)))))


def grid(axes: Sequence[Axis]) -> list[dict[str, str]]:
    """All combinations, the last axis fastest; raises UsageError for a span without a step, or too many."""
    values = []
    for axis in axes:
        if axis.span is not None and axis.span.step is None:
            raise UsageError(
                f"{axis.name} has a range without a step, of which there is no grid",
                hint=f"give a step, as in {axis.name}=LOW..HIGH:STEP, or draw from it with --random N",
            )
        values.append(_stepped(axis.span) if axis.span is not None else axis.choices)
    size = math.prod(map(len, values))
    if size > MOST:
        raise UsageError("the grid is too large", expected=f"at most {MOST} experiments", found=str(size))
    return [dict(zip((axis.name for axis in axes), found, strict=True)) for found in itertools.product(*values)]


def draw(axes: Sequence[Axis], *, count: int, seed: int) -> list[dict[str, str]]:
    """``count`` different combinations at random, fewer if there are no more; the same for the same seed."""
    if count > MOST:
        raise UsageError("too many experiments", expected=f"at most {MOST}", found=str(count))
    dice = random.Random(seed)
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for _ in range(count * 50):
        one = {axis.name: _drawn(axis, dice) for axis in axes}
        found.setdefault(tuple(one.values()), one)
        if len(found) == count:
            break
    return list(found.values())


def number_text(value: float) -> str:
    """A number as YAML reads it as one, to six digits: never ``1e-05``, which is a text there.

    >>> number_text(0.00001), number_text(4), number_text(0.125)
    ('1.0e-05', '4', '0.125')
    """
    return str(value) if isinstance(value, int) else _yaml_number(f"{value:.6g}")


def _drawn(axis: Axis, dice: random.Random) -> str:
    span = axis.span
    if span is None:
        return dice.choice(axis.choices)
    if span.step is not None:
        return dice.choice(_stepped(span))
    if span.log:
        found = math.exp(dice.uniform(math.log(span.low), math.log(span.high)))
        return number_text(min(max(round(found), round(span.low)), round(span.high)) if span.whole else found)
    return number_text(
        dice.randint(round(span.low), round(span.high)) if span.whole else dice.uniform(span.low, span.high)
    )


def _stepped(span: Span) -> tuple[str, ...]:
    assert span.step is not None
    count = math.floor((span.high - span.low) / span.step + 1e-9) + 1
    if count > MOST:
        raise UsageError("the range has too many steps", expected=f"at most {MOST}", found=str(count))
    values = (span.low + index * span.step for index in range(count))
    return tuple(number_text(round(value) if span.whole else value) for value in values)


def _spanned(name: str, setting: str, low: str, high: str, step: str | None) -> Axis:
    whole = all(re.fullmatch(r"[-+]?\d+", part) for part in (low, high, *([step] if step not in (None, "log") else [])))
    span = Span(
        low=float(low),
        high=float(high),
        step=None if step in (None, "log") else float(step or 0),
        log=step == "log",
        whole=whole,
    )
    if span.low > span.high or (span.step is not None and span.step <= 0) or (span.log and span.low <= 0):
        raise UsageError(
            "not a range",
            expected="LOW..HIGH with LOW below HIGH, a step above 0, and LOW above 0 with `:log`",
            found=repr(setting),
        )
    return Axis(name=name, span=span)


def _words(text: str, setting: str) -> list[str]:
    """The values of a list; a comma within quotes parts nothing."""
    found, start = [], 0
    while start <= len(text):
        match = _WORD.match(text, start)
        if match is None or not match[1]:
            raise UsageError("not a list of values", expected="VALUE,VALUE", found=repr(setting))
        found.append(match[1].strip())
        if match[2] != ",":
            break
        start = match.end()
    return found


def _yaml_number(text: str) -> str:
    """``1e-3``, which YAML reads as a text, as ``1.0e-3``, which it reads as a number."""
    if match := _EXPONENT.fullmatch(text):
        return f"{match[1]}{match[2]}.0e{match[3] or '+'}{match[4]}"
    return re.sub(r"(\.\d+)[eE](\d)", r"\1e+\2", text) if re.fullmatch(_NUMBER, text) else text
