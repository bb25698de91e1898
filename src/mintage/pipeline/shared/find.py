"""Find what others have for a key that is not known here, and bring the best of it: outputs, record, proof.

What was once downloaded is remembered with its statement, whose signature is proven again each time, so that a maker
whom trust.yaml no longer names counts no longer. Anything that is not whole is no result: the stage runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.data.transfer import transfer
from mintage.errors import BlobMissingError, IntegrityError, LinkBrokenError, MintageError
from mintage.pipeline.facts import Inspector, StageResult
from mintage.pipeline.shared.choose import Offer, disagreement, in_order
from mintage.pipeline.shared.resting import needs_of_result
from mintage.record.envelope import Record
from mintage.repo.locks import Item
from mintage.store.local import Store
from mintage.store.statcache import StatCache
from mintage.store.transfer import copy_blob

__all__ = ["Found", "Wanted", "bring", "first_whole", "fitting", "kept_statement", "remember"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: a stage's result, or with ``is_model`` a model; ``inputs`` are what it reads here."""

    name: str
    key: str
    outputs: tuple[str, ...]
    inputs: tuple[Item, ...] = ()
    is_model: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """A result that is here now, whole: ``said`` tells who made it when, ``statement`` is the digest of the proof, and
    ``came`` whether bytes were asked of the remote for it."""

    result: StageResult
    said: str
    statement: str
    came: bool


def fitting(offers: Sequence[Offer], outputs: Sequence[str]) -> list[Offer]:
    """Those whose outputs are the stage's, the one to take first."""
    wanted = {path.rstrip("/") for path in outputs}
    return in_order([offer for offer in offers if {item.path for item in offer.shared.outputs} == wanted])


def first_whole(
    inspector: Inspector, wanted: Wanted, offers: Sequence[Offer], *, remote: Store
) -> tuple[Offer | None, list[str]]:
    """The first offer that is here now with all that it rests on, and why those before it are not."""
    lost: list[str] = []
    for offer in offers:
        try:
            bring(inspector, wanted, offer, remote=remote)
        except MintageError as error:
            lost.append(f"that of {offer.maker} is not whole: {error.message}")
        else:
            said = disagreement([offer, *(other for other in offers if other is not offer)])
            return offer, [said] if said is not None else []
    return None, lost


def bring(inspector: Inspector, wanted: Wanted, offer: Offer, *, remote: Store) -> None:
    """Have in the store what the offer names; raises BlobMissingError, DigestMismatchError or LinkBrokenError."""
    from mintage.pipeline.stage_run import keep_inputs

    store, shared = inspector.store, offer.shared
    keep_inputs(store, inspector.workspace.root, wanted.inputs)

    def fetch(digest: str) -> Record:
        if not store.has(digest):
            copy_blob(digest, source=remote, target=store)
        return store.get_record(digest)

    try:
        needs = needs_of_result(shared, fetch)
    except (AttributeError, KeyError, TypeError) as error:
        raise LinkBrokenError(
            "the record of its run is malformed", found=f"{type(error).__name__}: {error}", where=shared.run
        ) from error
    done = transfer(needs, source=remote, target=store)
    if done.lost:
        paths = {item.digest: item.path for item in shared.outputs}
        raise BlobMissingError(
            f"{', '.join(paths.get(digest, digest[:15]) for digest in done.lost[:3])} is not in the remote",
            where=str(remote.root),
        )


def kept_statement(cache: StatCache, store: Store, key: str) -> list[tuple[Path, bytes]]:
    """The statement of what was downloaded under a key before, if the store still has it whole."""
    digest = cache.result(_name(key))
    if digest is None or not store.has(digest):
        return []
    with contextlib.suppress(IntegrityError):
        return [(store.path_of(digest), store.get_bytes(digest))]
    return []


def remember(inspector: Inspector, key: str, offer: Offer) -> str:
    """Keep the statement, and that it is of ``key``; returns its digest."""
    digest = inspector.store.put_bytes(offer.sealed)
    inspector.cache.remember(_name(key), digest)
    return digest


def _name(key: str) -> str:
    return f"shared:{key}"
