"""trust.yaml: whose signature counts for what.

::

    keys:
      ana:
        public: |
          -----BEGIN PUBLIC KEY-----
          …
        roles: [model, certificate]

A role says what a key may sign: ``model`` folders, ``certificate``s, ``release``s, ``reproduction``s, audit
``checkpoint``s; a ``witness`` says when a policy was there, and holds and opens sealed hold-outs, so it never signs
models; ``result``s of stages are taken from who has that role, and a release rests on those of ``ci`` alone. Keys of
checkpoints are Ed25519, all others EC. The file is in Git and changed by review: it is the root of trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from mintage.attest.keys import PublicKey
from mintage.errors import FileMalformedError, FileMissingError, KeyFileError, UsageError
from mintage.record.names import check_name
from mintage.repo.yamlfile import Marks, convert, load_yaml

__all__ = ["ROLES", "Role", "Trust", "TrustedKey", "parse_trust", "read_trust", "render_trust"]

Role = Literal["model", "certificate", "release", "reproduction", "checkpoint", "witness", "result", "ci"]
ROLES: tuple[Role, ...] = (
    "model",
    "certificate",
    "release",
    "reproduction",
    "checkpoint",
    "witness",
    "result",
    "ci",
)


class TrustedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A named key and what it may sign."""

    name: str
    key: PublicKey
    roles: tuple[Role, ...]


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    public: str
    roles: tuple[Role, ...]


class _Results(msgspec.Struct, forbid_unknown_fields=True):
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)]


class _Trust(msgspec.Struct, forbid_unknown_fields=True):
    keys: dict[str, _Key]
    results: _Results | None = None


class Trust:
    """The keys of one trust.yaml; ``result_days`` is how long a shared result counts, None for ever."""

    def __init__(self, keys: Sequence[TrustedKey], *, result_days: int | None = None) -> None:
        self.keys = tuple(keys)
        self.result_days = result_days

    def keys_for(self, role: Role) -> list[PublicKey]:
        """The keys whose signature counts for ``role``."""
        return [trusted.key for trusted in self.keys if role in trusted.roles]

    def name_of(self, key_id: str) -> str | None:
        """The name of a key, or None if the file does not have it."""
        return next((trusted.name for trusted in self.keys if trusted.key.key_id == key_id), None)


def read_trust(path: Path) -> Trust:
    """The trust.yaml at ``path``; raises FileMissingError or what ``parse_trust`` raises."""
    try:
        data = path.read_bytes()
    except OSError:
        raise FileMissingError(
            f"{path.name} is not there",
            expected="a file that says whose signatures count",
            where=str(path),
            hint="`mintage init` writes one with the project's own key",
        ) from None
    return parse_trust(data, where=str(path))


def parse_trust(data: bytes, *, where: str) -> Trust:
    """Parse trust.yaml; raises FileMalformedError with line and column."""
    value, marks = load_yaml(data, where=where)
    raw = convert(value, _Trust, marks, hint="docs/spec/trust.md lists what a key has")
    keys: list[TrustedKey] = []
    for name, entry in raw.keys.items():
        trusted = _trusted(name, entry, marks)
        twin = next((other for other in keys if other.key == trusted.key), None)
        if twin is not None:
            raise FileMalformedError(
                f"{twin.name!r} and {name!r} are the same key",
                where=marks.at(("keys", name)),
                hint="give one name all the roles",
            )
        keys.append(trusted)
    return Trust(keys, result_days=raw.results.days if raw.results is not None else None)


def render_trust(keys: Mapping[str, tuple[bytes, Sequence[Role]]]) -> str:
    """The text of a trust.yaml: name to PEM and roles."""
    lines = ["# Whose signatures count, and for what. Change it by review only.", "keys:"]
    for name, (pem, roles) in keys.items():
        lines += [f"  {yaml.safe_dump(name, explicit_end=False).splitlines()[0]}:", "    public: |"]
        lines += [f"      {line}" for line in pem.decode().strip().splitlines()]
        lines.append(f"    roles: [{', '.join(roles)}]")
    text = "\n".join(lines) + "\n"
    parse_trust(text.encode(), where="trust.yaml")
    return text


def _trusted(name: str, entry: _Key, marks: Marks) -> TrustedKey:
    where = marks.at(("keys", name, "public"))
    try:
        check_name(name, what="key")
        key = PublicKey.from_pem(entry.public.encode(), where=where)
    except (KeyFileError, UsageError) as error:
        raise FileMalformedError(
            f"the key {name[:64]!r} cannot be used",
            expected=error.expected,
            found=f"{error.message}: {error.found}",
            where=where,
        ) from error
    wanted = "ed25519" if "checkpoint" in entry.roles else "ecdsa"
    mixed = "checkpoint" in entry.roles and len(set(entry.roles)) > 1
    if not entry.roles or mixed or key.algorithm != wanted:
        raise FileMalformedError(
            f"the roles of {name!r} do not fit its key",
            expected="checkpoint alone for an Ed25519 key; some of the other roles for an EC key",
            found=f"{key.algorithm} key with roles {', '.join(entry.roles) or 'none'}",
            where=marks.at(("keys", name, "roles")),
        )
    if {"witness", "model"} <= set(entry.roles):
        raise FileMalformedError(
            f"{name!r} would be the witness of models that it signs",
            expected="another person's key as witness",
            found=f"roles {', '.join(entry.roles)}",
            where=marks.at(("keys", name, "roles")),
        )
    return TrustedKey(name=name, key=key, roles=entry.roles)
