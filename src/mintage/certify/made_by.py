"""Who made the stages behind a model: where trust.yaml names a CI, a release rests on CI's results alone.

A key with the role ``ci`` in trust.yaml makes the demand; without one nothing is asked. Each stage between the data and
the model then needs a signed statement of such a key about exactly the outputs that the lock names: from the project's
remote, from what was downloaded here, or, where this clone's own key is CI's, from its own runs. It is asked before the
hold-out is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from mintage.attest.keys import PublicKey
from mintage.attest.trust import Trust
from mintage.certify.run_facts import stages_behind
from mintage.errors import IntegrityError, MadeElsewhereError, RemoteError
from mintage.pipeline.facts import StageResult
from mintage.pipeline.shared.find import kept_statement
from mintage.pipeline.shared.makers import CI, Maker, Rules, makers_of, offers_of
from mintage.pipeline.shared.shelf import statements
from mintage.repo.locks import Lock, read_locks
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["check_made_by_ci"]

_SHOWN = 5


def check_made_by_ci(
    workspace: Workspace,
    estimator: str,
    *,
    trust: Trust,
    own: PublicKey,
    remote: Callable[[], Store],
    now: str,
) -> None:
    """Raise MadeElsewhereError unless CI made every stage behind the file ``estimator``; see the module."""
    makers = makers_of(trust, own)
    if not any(maker.rank == CI for maker in makers):
        return
    locks = {name: lock for name, lock in read_locks(workspace.root).items() if lock.what == "stage"}
    shelf = _opened(remote)
    with StatCache(workspace.cache_database) as cache:
        rules = Rules(makers=makers, trust=trust, now=now, days=None)
        is_ci = any(maker.key == own and maker.rank == CI for maker in makers)
        look = _Look(cache, Store(workspace.store_dir), shelf, rules, is_ci=is_ci)
        others = {name: who for name in stages_behind(locks, estimator) if (who := look.other(locks[name])) is not None}
    if others:
        raise _made_elsewhere(others, makers)


def _made_elsewhere(others: Mapping[str, str], makers: Sequence[Maker]) -> MadeElsewhereError:
    shown = [f"{name} was made by {who}" for name, who in list(others.items())[:_SHOWN]]
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return MadeElsewhereError(
        "a release rests on results of CI alone, and not every stage behind this model is one",
        expected="results signed by " + ", ".join(maker.name for maker in makers if maker.rank == CI),
        found="; ".join(shown) + more,
        where="trust.yaml",
        hint="let CI run it with `mintage run --share` and certify that; or ask for less: `--tier pull-request`",
    )


def _opened(remote: Callable[[], Store]) -> Store | None:
    try:
        return remote()
    except (RemoteError, OSError):
        return None  # what CI made may have been downloaded already


class _Look:
    """Looks for the statement of CI about one lock after the other."""

    def __init__(self, cache: StatCache, store: Store, shelf: Store | None, rules: Rules, *, is_ci: bool) -> None:
        self.cache, self.store, self.shelf, self.rules, self.is_ci = cache, store, shelf, rules, is_ci

    def other(self, lock: Lock) -> str | None:
        """Who but CI made the outputs of the lock; None if CI did."""
        if lock.key is None or (self.is_ci and self._made_here(lock)):
            return None
        there = kept_statement(self.cache, self.store, lock.key)
        if self.shelf is not None:
            try:
                there += statements(self.shelf, lock.key)
            except OSError:
                self.shelf = None
        offers, _ = offers_of(there, lock.key, self.rules)
        same = [offer for offer in offers if set(offer.shared.outputs) == set(lock.outputs)]
        if any(offer.rank == CI for offer in same):
            return None
        return next((offer.maker for offer in same), f"{self._actor(lock)}, unsigned")

    def _made_here(self, lock: Lock) -> bool:
        text = self.cache.result(str(lock.key))
        return text is not None and msgspec.json.decode(text, type=StageResult).outputs == lock.outputs

    def _actor(self, lock: Lock) -> str:
        """Who ran it, by the record of the run."""
        try:
            return str(self.store.get_record(str(lock.run)).body["actor"])
        except (IntegrityError, KeyError):
            return "an unknown run"
