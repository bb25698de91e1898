"""Events for tests."""

from __future__ import annotations

from typing import Any

from mintage.audit.events import AuditEvent

__all__ = ["NOW", "sample"]

NOW = "2026-11-01T12:00:00Z"


def sample(number: int = 0, **changes: Any) -> AuditEvent:
    """An event; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "at": NOW,
        "actor": "user:ana@lab",
        "action": "model.load",
        "resource": f"late/{number}",
        "decision": "allow",
        "rule": "local-user",
        "details": {"number": number},
    }
    return AuditEvent(**(fields | changes))
