"""The results that `mintage push` shares: of the stages that this clone ran and the locks name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from mintage.cli.context import Context, now
from mintage.cli.sharing import trust_lines, trust_of
from mintage.errors import MintageError, ProjectError
from mintage.pipeline.facts import StageResult
from mintage.pipeline.shared.choose import disagreement, in_order
from mintage.pipeline.shared.makers import Rules, makers_of, offers_of
from mintage.pipeline.shared.publish import model_result, publish_result, stage_result
from mintage.pipeline.shared.shelf import statements
from mintage.pipeline.shared.statement import SharedResult
from mintage.repo.locks import Lock
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Published", "push_results"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The stages whose results were shared now and those that were before; ``remarks`` are for a person to know."""

    new: tuple[str, ...]
    there: tuple[str, ...]
    remarks: tuple[str, ...]


def push_results(context: Context, remote: Store, locks: Iterable[Lock]) -> Published:
    """Share what this clone made of what the locks name; all that it rests on is in the remote already."""
    workspace = context.workspace
    store = Store(workspace.store_dir)
    sent: set[str] = set()
    done: dict[str, bool] = {}
    remarks: list[str] = []
    with StatCache(workspace.cache_database) as cache:
        for lock in locks:
            result = _own_result(cache, lock)
            if result is None or lock.key is None:
                continue
            try:
                shared = _said(lock, result, store)
                done[lock.name] = publish_result(shared, store=store, remote=remote, signer=context.signer, sent=sent)
                sent.add(shared.run)
                if (said := _disagreement(context, remote, lock)) is not None:
                    remarks.append(f"{lock.name}: {said}")
            except MintageError as error:
                remarks.append(f"{lock.name}: not shared: {error.message}")
    if done:
        remarks += trust_lines(context)
    return Published(
        new=tuple(name for name, new in done.items() if new),
        there=tuple(name for name, new in done.items() if not new),
        remarks=tuple(remarks),
    )


def _said(lock: Lock, result: StageResult, store: Store) -> SharedResult:
    if lock.what == "model":
        return model_result(lock.name, str(lock.key), lock.parts, result, store)
    return stage_result(lock.name, str(lock.key), result, store)


def _own_result(cache: StatCache, lock: Lock) -> StageResult | None:
    """What this clone remembers to have made, if that is what the lock names."""
    made = lock.what in ("stage", "model") and lock.outputs
    text = cache.result(lock.key) if made and lock.key is not None else None
    if text is None:
        return None
    result = msgspec.json.decode(text, type=StageResult)
    same = (result.outputs, result.run, result.record) == (lock.outputs, lock.run, lock.record)
    return result if same else None


def _disagreement(context: Context, remote: Store, lock: Lock) -> str | None:
    """What to say if somebody else who is trusted has made other outputs from the same key."""
    try:
        key, trust = str(lock.key), trust_of(context)
    except ProjectError:
        return None  # whoever takes results by it is told
    makers = makers_of(trust, context.signer.public)
    days = trust.result_days if trust is not None else None
    offers, _ = offers_of(statements(remote, key), key, Rules(makers=makers, trust=trust, now=now(), days=days))
    return disagreement(in_order(offers))
