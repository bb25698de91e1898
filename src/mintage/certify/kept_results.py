"""Keep the result of each check as long as nothing that it rests on has changed, so that it need not run again.

A result is found again by the check (id, version, code), all keys of its requirement but ``about`` and ``tier``, the
resampling, the model's root, which examples may be shown, and the environment; and only if each part of the evidence
that the check looked at has the same content as then. Not kept are results of checks that measure, broke off or were
stopped; that looked at something without a digest; and that JSON does not hold to the last bit. See docs/spec/kept.md.
"""

from __future__ import annotations

from typing import Any

import msgspec

from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.code import code_of
from mintage.certify.kept_files import KeptFiles
from mintage.certify.noted import Parts
from mintage.certify.shown import Shown
from mintage.errors import RecordInvalidError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes

__all__ = ["KeptResults"]

_NO_MATTER = ("about", "tier")


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A result, and the parts of the evidence that it rests on, by name."""

    kind: str = "kept-result"
    version: int = 0
    looked_at: dict[str, str]
    result: CheckResult


class KeptResults:
    """Results in ``files``; ``environment`` names the installed packages."""

    def __init__(self, files: KeptFiles, *, environment: str) -> None:
        self._files, self._environment = files, environment

    def key(
        self, check: Check[Any], requirement: Requirement, *, resampling: Resampling, root: str, shown: Shown
    ) -> str | None:
        """What a result is kept under; None if it must not be. ``shown`` says which examples it has."""
        code = code_of(check)
        if check.measured or code is None:
            return None
        asked = {name: value for name, value in msgspec.to_builtins(requirement).items() if name not in _NO_MATTER}
        parts = {
            "check": [check.id, check.version, code],
            "requirement": asked,
            "resampling": msgspec.to_builtins(resampling),
            "root": root,
            "shown": shown,
            "environment": self._environment,
        }
        return blake3_bytes(msgspec.json.encode(parts, order="deterministic"))

    def find(self, key: str, parts: Parts) -> CheckResult | None:
        """The result that was kept for this very evidence."""
        content = self._files.get(key)
        if content is None:
            return None
        try:
            entry = msgspec.json.decode(content, type=_Entry)
        except msgspec.MsgspecError:
            return None
        same = all(parts.digest(name) == digest for name, digest in entry.looked_at.items())
        return entry.result if same else None

    def put(self, key: str, result: CheckResult, *, seen: set[str], parts: Parts) -> None:
        """Keep a result that rests on the ``seen`` parts, if it can be told again when these are the same."""
        looked_at = {name: digest for name in sorted(seen) if (digest := parts.digest(name)) is not None}
        if len(looked_at) < len(seen):
            return
        try:
            content = msgspec.json.encode(_Entry(looked_at=looked_at, result=result))
            again = msgspec.json.decode(content, type=_Entry).result
            if _bytes(again) != _bytes(result):
                return
        except (TypeError, msgspec.MsgspecError, RecordInvalidError):
            return
        self._files.put(key, content)


def _bytes(result: CheckResult) -> bytes:
    """As a certificate has it."""
    return canonical_bytes(msgspec.to_builtins(result))
