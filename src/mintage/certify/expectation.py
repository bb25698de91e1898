"""What a person expects of the answer to one row: a small language, and whether an answer meets it. Pure.

``label=late``, ``label!=late``, ``probability(late)<=0.3``, ``value>=10``, ``refused``. Of a model with two classes
``probability`` without a class is that of the second.

>>> answer = Answered(label="late", probabilities={"on time": 0.2, "late": 0.8})
>>> parse_expectation("label=late").met_by(answer), parse_expectation("probability(late)<0.5").met_by(answer)
(True, False)
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

__all__ = ["Answered", "Expectation", "parse_expectation"]

_LABEL = re.compile(r"label\s*(!?=)\s*(\S.*)")
_NUMBER = re.compile(r"(probability(?:\((?P<name>.+)\))?|value)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>[-+0-9.eE]+)")
_FORMS = "label=NAME, label!=NAME, probability(NAME)<=0.3, value>=10, or refused"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said to one row: a label with probabilities by class, a value, or why it refused the row."""

    label: str | None = None
    probabilities: dict[str, float] = {}
    value: float | None = None
    refused: str | None = None

    def __str__(self) -> str:
        if self.refused is not None:
            return f"refused: {self.refused}"
        if self.value is not None:
            return f"value {self.value:.6g}"
        shares = ", ".join(f"{name} {share:.3f}" for name, share in self.probabilities.items())
        return f"label {self.label} ({shares})"


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation; ``name`` is a class, ``sign`` and ``limit`` bound a number."""

    kind: Literal["label", "not label", "probability", "value", "refused"]
    name: str | None = None
    sign: str = ""
    limit: float = 0.0

    def met_by(self, answer: Answered) -> bool:
        """Whether the answer is as expected; one that has no such number never is."""
        if self.kind == "refused" or answer.refused is not None:
            return self.kind == "refused" and answer.refused is not None
        if self.kind in ("label", "not label"):
            return answer.label is not None and (answer.label == self.name) == (self.kind == "label")
        number = answer.value if self.kind == "value" else _probability(answer, self.name)
        if number is None:
            return False
        return {
            "<=": number <= self.limit,
            ">=": number >= self.limit,
            "<": number < self.limit,
            ">": number > self.limit,
        }[self.sign]


def parse_expectation(text: str) -> Expectation:
    """The expectation that ``text`` says; raises ValueError."""
    words = text.strip()
    if words == "refused":
        return Expectation(kind="refused")
    label = _LABEL.fullmatch(words)
    if label:
        return Expectation(kind="label" if label[1] == "=" else "not label", name=label[2].strip())
    number = _NUMBER.fullmatch(words)
    if number:
        try:
            limit = float(number["limit"])
        except ValueError:
            raise ValueError(f"{number['limit']!r} is no number; write {_FORMS}") from None
        kind: Literal["probability", "value"] = "value" if words.startswith("value") else "probability"
        return Expectation(kind=kind, name=number["name"], sign=number["sign"], limit=limit)
    raise ValueError(f"write {_FORMS}")


def _probability(answer: Answered, name: str | None) -> float | None:
    if name is None:
        return list(answer.probabilities.values())[1] if len(answer.probabilities) == 2 else None
    return answer.probabilities.get(name)
