"""A result's number and gate in a few words, the same wherever text is written: terminal, Markdown, JUnit.

>>> gate_words(Gate(direction="at_least", threshold=0.7))
'>= 0.7'
"""

from __future__ import annotations

from mintage.certify.check import CheckResult
from mintage.certify.judge import Gate

__all__ = ["gate_words", "measured_words", "number_words", "verdict_words"]

_SIGNS = {"at_least": ">=", "above": ">", "at_most": "<="}


def measured_words(result: CheckResult) -> str:
    """The estimate with its unit and interval; empty where there is no number."""
    if result.estimate is None:
        return ""
    text = f"{number_words(result.estimate)}{result.unit and ' ' + result.unit}"
    interval = result.interval
    if interval is not None and interval.low != interval.high:
        text += f" [{number_words(interval.low)}, {number_words(interval.high)}]"
    return text


def number_words(value: float) -> str:
    """Four figures of a number."""
    return f"{value:.4g}"


def gate_words(gate: Gate | None) -> str:
    """What the number must be; empty where nothing is asked."""
    return "" if gate is None else f"{_SIGNS[gate.direction]} {gate.threshold:g}"


def verdict_words(result: CheckResult, *, waived_until: object = None) -> str:
    """The verdict, and until when a waiver lets it stand."""
    return result.verdict.replace("_", " ") + (f", waived until {waived_until}" if waived_until else "")
