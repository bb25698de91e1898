"""Whose results count, in which order: CI's, one's own, those of colleagues. Pure.

trust.yaml gives a key the role ``ci`` or ``result``; a clone's own key counts without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.attest.bundle import decode_bundle
from mintage.attest.keys import PublicKey
from mintage.attest.seal import open_sealed
from mintage.attest.trust import Trust
from mintage.errors import IntegrityError
from mintage.pipeline.shared.choose import Offer, ended
from mintage.pipeline.shared.statement import read_shared

__all__ = ["CI", "Maker", "Rules", "makers_of", "offers_of"]

CI = 0
_OWN = 1
_OTHER = 2


@dataclass(frozen=True, kw_only=True)
class Maker:
    """A key whose results count, by the name that people know; ``rank`` 0 is the most trusted."""

    key: PublicKey
    name: str
    rank: int


def makers_of(trust: Trust | None, own: PublicKey | None) -> list[Maker]:
    """The makers of results that count by ``trust`` for whoever has the key ``own``."""
    found = [
        Maker(key=each.key, name=each.name, rank=CI if "ci" in each.roles else _OWN if each.key == own else _OTHER)
        for each in (() if trust is None else trust.keys)
        if {"ci", "result"} & set(each.roles) or each.key == own
    ]
    if own is not None and not any(maker.key == own for maker in found):
        found.append(Maker(key=own, name="this clone", rank=_OWN))
    return found


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What makes a statement count at ``now``: one of ``makers`` signed it, no more than ``days`` ago (None: ever)."""

    makers: Sequence[Maker]
    trust: Trust | None
    now: str
    days: int | None


def offers_of(statements: Iterable[tuple[Path, bytes]], key: str, rules: Rules) -> tuple[list[Offer], list[str]]:
    """The statements about ``key`` that count, and of the others why not."""
    offers: list[Offer] = []
    refused: list[str] = []
    for path, data in statements:
        try:
            found = _offer(data, key, rules, where=str(path))
        except IntegrityError as error:
            refused.append(f"{path.name}: {error.message}" + (f" ({error.found})" if error.found else ""))
            continue
        if isinstance(found, Offer):
            offers.append(found)
        else:
            refused.append(found)
    return offers, refused


def _offer(data: bytes, key: str, rules: Rules, *, where: str) -> Offer | str:
    """What is offered, or why it is not taken; raises IntegrityError."""
    hint = decode_bundle(data, where=where).hint
    maker = next((each for each in rules.makers if each.key.hint == hint), None)
    if maker is None:
        keys = () if rules.trust is None else rules.trust.keys
        named = next((each.name for each in keys if each.key.hint == hint), None)
        if named is not None:
            return f"it is by {named}, whose key has not the role `result` or `ci` in trust.yaml"
        return f"it is by key {str(hint)[:12]}…, which trust.yaml does not name"
    shared = read_shared(open_sealed(data, [maker.key], where=where).statement, where=where)
    if shared.key != key:
        return f"what {maker.name} signed is about another key"
    if (why := ended(shared.made, now=rules.now, days=rules.days)) is not None:
        return f"that of {maker.name} {why}"
    return Offer(shared=shared, maker=maker.name, rank=maker.rank, sealed=data)
