"""A trial: one model served for a person to try it, past any release, and what its page has to say.

``trial_facts`` is all that the page's script needs, as JSON values: the form from the signature, an example row, where
answers come from, and how far the model is certified.

>>> Standing(verdict=None, sentence="not certified").tone
'attention'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import msgspec
import numpy as np

from mintage.model.golden import Golden
from mintage.model.signature import Signature
from mintage.serve import limits
from mintage.serve.outputs import class_name
from mintage.serve.routes import Route
from mintage.serve.unusual import unusual_rows, usual

__all__ = ["Standing", "Trial", "example_row", "trial_facts"]

_TONES = {"PASS": "good", "FAIL": "bad"}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a model is certified: its verdict, None without a certificate, and a sentence for people."""

    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"] | None
    sentence: str

    @property
    def tone(self) -> str:
        """The colour that it is shown in."""
        return _TONES.get(self.verdict or "", "attention")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is known of the model that is tried; ``place`` says what this is, ``proof`` who signed it."""

    model: str
    place: str
    purpose: str
    proof: str
    standing: Standing
    example: Mapping[str, Any]
    is_logged: bool


def example_row(golden: Golden, signature: Signature) -> dict[str, Any]:
    """The most ordinary golden row: fewest unusual values, then fewest missing ones. Golden rows are made from
    validation rows, never from the hold-out."""
    rows = len(golden.values)
    odd, missing = np.zeros(rows, dtype=int), np.zeros(rows, dtype=int)
    for item in signature.inputs:
        column = golden.columns[item.name]
        odd += unusual_rows(item, column)
        missing += np.array([value is None or value != value for value in column.tolist()])  # noqa: PLR0124 NaN
    place = int(np.lexsort((missing, odd))[0])
    return {item.name: _plain(golden.columns[item.name][place]) for item in signature.inputs}


def trial_facts(route: Route, trial: Trial) -> dict[str, Any]:
    """The facts of the page."""
    served, signature = route.champion, route.champion.signature
    return {
        "model": route.model,
        "root": served.root,
        "path": f"/predict/{quote(route.model, safe='')}",
        "place": trial.place,
        "purpose": trial.purpose,
        "proof": trial.proof,
        "standing": {
            "verdict": trial.standing.verdict,
            "sentence": trial.standing.sentence,
            "tone": trial.standing.tone,
        },
        "isLogged": trial.is_logged,
        "rows": limits.ROWS,
        "isScored": served.outputs.is_scored,
        "threshold": signature.threshold,
        "targets": [signature.target] if isinstance(signature.target, str) else list(signature.target),
        "classes": [class_name(value) for value in signature.two_classes] if served.outputs.is_scored else None,
        "inputs": [msgspec.to_builtins(item) | {"usual": usual(item)} for item in signature.inputs],
        "example": {item.name: trial.example.get(item.name) for item in signature.inputs},
    }


def _plain(value: Any) -> Any:
    """As JSON: null for missing, 3 for 3.0."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    if number != number:  # noqa: PLR0124 NaN
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
