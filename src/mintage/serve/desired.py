"""``desired.json``: what an environment's gateway shall serve. ``release`` writes it, the gateway follows it.

Reading is strict: an unknown member is an error, so that a newer release never half-applies on an older gateway. The
file names each model by its root digest and the folder it lies in; signature and certificate were verified by the
writer, and the gateway serves a folder only if its bytes still have exactly that root. See docs/spec/gateway.md.

>>> desired = Desired(generation=1, models={"late": Placement(champion=Target(root="sha256:" + "0" * 64, folder="/m"))})
>>> parse_desired(encode_desired(desired), where="desired.json") == desired
True
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.errors import DesiredInvalidError, UsageError
from mintage.record.names import check_name
from mintage.store.publish import publish_bytes

__all__ = [
    "DESIRED_FILE",
    "Challenger",
    "Desired",
    "Placement",
    "Target",
    "encode_desired",
    "loose_generation",
    "parse_desired",
    "write_desired",
]

DESIRED_FILE = "desired.json"

_Root = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model to serve. After ``expires`` (a time with its offset) it is not loaded any more; one that is live stays,
    but its model is not ready."""

    root: _Root
    folder: str
    expires: datetime | None = None


class Challenger(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The champion's rival and its part of the traffic."""

    share: Annotated[float, Meta(ge=0, le=1)]


class Placement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What answers for one model name; ``salt`` makes the split of one release independent of another's."""

    champion: Target
    challenger: Challenger | None = None
    salt: str = ""


class Desired(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole desired state. ``generation`` grows by at least one with each change."""

    generation: Annotated[int, Meta(ge=1)]
    models: dict[str, Placement]


def parse_desired(data: bytes, *, where: str) -> Desired:
    """Parse and check; raises DesiredInvalidError."""
    try:
        desired = msgspec.json.decode(data, type=Desired)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DesiredInvalidError(
            "the desired state is not usable", expected="see docs/spec/gateway.md", found=str(error), where=where
        ) from None
    for name, placement in desired.models.items():
        try:
            check_name(name, what="model")
        except UsageError as error:
            raise DesiredInvalidError(error.message, expected=error.expected, found=error.found, where=where) from None
        for target in (placement.champion, placement.challenger):
            if target is None:
                continue
            if not Path(target.folder).is_absolute():
                raise DesiredInvalidError(
                    "a model's folder is relative", expected="an absolute path", found=target.folder, where=where
                )
            if target.expires is not None and target.expires.tzinfo is None:
                raise DesiredInvalidError(
                    "an expiry has no time zone",
                    expected="2026-11-01T12:00:00Z",
                    found=str(target.expires),
                    where=where,
                )
    return desired


def loose_generation(data: bytes) -> int | None:
    """The generation that a file claims even when it is not usable otherwise: what its refusal is reported for."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    generation = found.get("generation") if isinstance(found, dict) else None
    return generation if type(generation) is int else None


def encode_desired(desired: Desired) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(desired)) + b"\n"


def write_desired(envdir: Path, desired: Desired) -> None:
    """Publish the desired state atomically; raises DesiredInvalidError rather than write what no gateway would read."""
    data = encode_desired(desired)
    parse_desired(data, where=str(envdir / DESIRED_FILE))
    publish_bytes(envdir / DESIRED_FILE, data)
