"""``live.json``: what an environment's gateway serves now, written by the gateway after each change.

It is a report, not a promise: whether the process that wrote it still runs is told by the lock that it holds
(``serve.control``). See docs/spec/gateway.md.

>>> state = GatewayState(pid=7, url="http://127.0.0.1:8080", generation=3, attempted=3, started="2026-11-01T12:00:00Z")
>>> state.generation, state.models, state.problems
(3, {}, ())
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from mintage.store.publish import publish_bytes

__all__ = ["LIVE_FILE", "GatewayState", "LiveModel", "read_live", "write_live"]

LIVE_FILE = "live.json"


class LiveModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What answers for one model name: root digests, and the challenger's share of the traffic."""

    champion: str
    challenger: str | None = None
    share: float = 0.0


class GatewayState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gateway's state. ``generation`` is live as a whole; ``attempted`` is the last one it tried. ``problems`` says
    why they differ (or what else needs a person): each text starts with the error's code."""

    pid: int
    url: str
    generation: int
    attempted: int
    started: str
    models: dict[str, LiveModel] = {}
    problems: tuple[str, ...] = ()


def write_live(envdir: Path, state: GatewayState) -> None:
    """Publish the state atomically."""
    publish_bytes(envdir / LIVE_FILE, msgspec.json.format(msgspec.json.encode(state)) + b"\n")


def read_live(envdir: Path) -> GatewayState | None:
    """The last published state, or None if there is none (or a crash of the disk left nonsense)."""
    try:
        return msgspec.json.decode((envdir / LIVE_FILE).read_bytes(), type=GatewayState)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
