"""Evidence that notes which of its parts a check looks at, so that a result can be kept as long as these are the same.

A part is a field of the evidence. A look through a property (``inputs``, ``task``) is a look at the field behind it.

>>> from mintage.certify.answers import Answers; from mintage.certify.evidence import Split
>>> import numpy as np
>>> rows = Split(name="x", columns={}, labels=np.array([1.0]), answers=Answers(task="regression", values=np.ones(1)))
>>> seen: set[str] = set()
>>> noting(Evidence(model="m", root="r", domain="d", train=rows, holdout=rows), seen).task
'regression'
>>> seen
{'holdout'}
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from mintage.certify.content import content_digest
from mintage.certify.evidence import Evidence

__all__ = ["Parts", "noting"]

_NAMES = frozenset(field.name for field in fields(Evidence))


class _Noted(Evidence):
    def __getattribute__(self, name: str) -> Any:
        seen = object.__getattribute__(self, "__dict__").get("_seen")
        if seen is not None and name in _NAMES:
            seen.add(name)
        return object.__getattribute__(self, name)


def noting(evidence: Evidence, seen: set[str]) -> Evidence:
    """The same evidence, which adds the name of each part that is looked at to ``seen``."""
    noted = object.__new__(_Noted)
    noted.__dict__.update(evidence.__dict__, _seen=seen)
    return noted


class Parts:
    """The digests of the parts of one evidence, each made once and when first asked for; None of what has none."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._digests: dict[str, str | None] = {}

    def digest(self, name: str) -> str | None:
        """The digest of a part by its name; None too of one that evidence does not have."""
        if name not in _NAMES:
            return None
        if name not in self._digests:
            self._digests[name] = content_digest(getattr(self._evidence, name))
        return self._digests[name]
