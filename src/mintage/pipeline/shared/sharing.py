"""What a run does with results that are shared: asks for them, takes them, publishes its own.

One object a run, made by the face, which says where the remote is, who signs and what trust.yaml says. All of it is
asked for only when a stage would run: a run with nothing to do never looks at the remote. Whatever fails here is told
in one line and costs the run nothing but the sharing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mintage.attest.keys import FileSigner, PublicKey
from mintage.attest.trust import Trust
from mintage.errors import MintageError, ProjectError, RemoteError
from mintage.pipeline.facts import Inspector, StageFacts, StageResult
from mintage.pipeline.shared.choose import Offer, made_by
from mintage.pipeline.shared.find import Found, Wanted, first_whole, fitting, kept_statement, remember
from mintage.pipeline.shared.makers import Rules, makers_of, offers_of
from mintage.pipeline.shared.publish import model_result, publish_result, stage_result
from mintage.pipeline.shared.shelf import statements
from mintage.pipeline.shared.statement import SharedResult
from mintage.repo.locks import Lock
from mintage.store.local import Store

__all__ = ["Sharing"]

Tell = Callable[[str], None]

_LARGE = 64 << 20
"""Bytes from which on it is said beforehand that they are brought."""


@dataclass(kw_only=True)
class Sharing:
    """``remote`` opens the project's remote and raises RemoteError; ``trust`` reads trust.yaml, None without one;
    ``own`` is the public key of this clone if it has one; with ``publishes`` what runs is shared, signed by ``signer``;
    ``enter`` is told what was taken or shared, of which stage, with details, for the audit log.
    """

    remote: Callable[[], Store]
    trust: Callable[[], Trust | None]
    own: Callable[[], PublicKey | None]
    signer: Callable[[], FileSigner]
    clock: Callable[[], str]
    enter: Callable[[str, str, dict[str, str]], None]
    publishes: bool = False
    _remote: Store | None = None
    _asked: bool = False
    _off: bool = False
    _sent: set[str] = field(default_factory=set)

    def reached(self, tell: Tell) -> Store | None:
        """The remote, if there is one to use; one that is there and cannot be used is told of once."""
        if not self._asked:
            self._asked = True
            try:
                self._remote = self.remote()
            except RemoteError as error:
                if self.publishes:
                    tell(f"results are not shared: {error.message}")
            except OSError as error:
                self._fail(error, tell)
        return None if self._off else self._remote

    def find(self, inspector: Inspector, wanted: Wanted, tell: Tell) -> Found | None:
        """What somebody who is trusted has made for the key of ``wanted``, brought here whole; None: it has to run."""
        if not wanted.outputs:
            return None
        try:
            kept = self._taken(inspector, wanted, tell, remote=None)
            if kept is not None or (remote := self.reached(tell)) is None:
                return kept
            return self._taken(inspector, wanted, tell, remote=remote)
        except OSError as error:
            self._fail(error, tell)
            return None

    def _taken(self, inspector: Inspector, wanted: Wanted, tell: Tell, *, remote: Store | None) -> Found | None:
        """The same of what was downloaded before (without ``remote``), or of what the remote has."""
        key, here = wanted.key, inspector.store
        there = list(kept_statement(inspector.cache, here, key) if remote is None else statements(remote, key))
        if not there:
            return None
        now = self.clock()
        judged = self._judged(there, key, tell, now=now, is_model=wanted.is_model)
        if judged is None:
            return None
        offers, refused = judged
        fit = fitting(offers, wanted.outputs)
        if fit and remote is not None:
            self._tell_size(fit[0], tell)
        offer, said = first_whole(inspector, wanted, fit, remote=here if remote is None else remote)
        if offer is None:
            if remote is not None:
                self._tell_refused([*said, *refused], tell)
            return None
        for line in said:
            tell(line)
        made = made_by(offer, now=now)
        statement = remember(inspector, key, offer)
        if remote is not None:
            details = {"key": key, "maker": offer.maker, "statement": statement}
            self.enter("result.take", wanted.name, details)
        return Found(result=offer.shared.result, said=made, statement=statement, came=remote is not None)

    def _judged(
        self, there: list[tuple[Path, bytes]], key: str, tell: Tell, *, now: str, is_model: bool
    ) -> tuple[list[Offer], list[str]] | None:
        """What counts by trust.yaml and what does not; None if that file cannot be read."""
        try:
            trust = self.trust()
        except ProjectError as error:
            tell(f"shared results are not used: {error.message}" + (f", at {error.where}" if error.where else ""))
            return None
        days = trust.result_days if trust is not None else None
        rules = Rules(makers=makers_of(trust, self.own()), trust=trust, now=now, days=days)
        offers, refused = offers_of(there, key, rules)
        if is_model:  # its signature has to count too
            signers = {each.name for each in (() if trust is None else trust.keys) if "model" in each.roles}
            refused += [f"{each.maker} may not sign models here" for each in offers if each.maker not in signers]
            offers = [each for each in offers if each.maker in signers]
        return offers, refused

    def promised(self, inspector: Inspector, key: str, outputs: Sequence[str], *, is_model: bool) -> str | None:
        """Who has made a result of ``key`` that counts, by their statements alone: no bytes are asked for."""
        try:
            there = list(kept_statement(inspector.cache, inspector.store, key))
            if (remote := self.reached(_silent)) is not None:
                there += statements(remote, key)
        except OSError:
            return None
        now = self.clock()
        offers, _ = (self._judged(there, key, _silent, now=now, is_model=is_model) if there else None) or ([], [])
        best = next(iter(fitting(offers, outputs)), None)
        return None if best is None else made_by(best, now=now)

    def _tell_size(self, offer: Offer, tell: Tell) -> None:
        size = sum(item.size for item in offer.shared.outputs)
        if size > _LARGE:
            tell(f"downloading {size / 1e6:,.0f} MB, made by {offer.maker}")

    def _tell_refused(self, refused: list[str], tell: Tell) -> None:
        if refused:
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            tell(f"a shared result is not used: {refused[0]}{more}")

    def offer(self, inspector: Inspector, facts: StageFacts, result: StageResult, tell: Tell) -> None:
        """Publish what the stage just made, if this run shares."""
        if self.publishes and result.outputs:
            self._publish(inspector, lambda: stage_result(facts.name, facts.key, result, inspector.store), tell)

    def offer_model(self, inspector: Inspector, lock: Lock, result: StageResult, tell: Tell) -> None:
        """Publish the model that was just built, if this run shares."""
        if self.publishes:
            name, key, parts = lock.name, str(lock.key), lock.parts
            self._publish(inspector, lambda: model_result(name, key, parts, result, inspector.store), tell)

    def _publish(self, inspector: Inspector, said: Callable[[], SharedResult], tell: Tell) -> None:
        if (remote := self.reached(tell)) is None:
            return
        try:
            shared = said()
            new = publish_result(shared, store=inspector.store, remote=remote, signer=self.signer(), sent=self._sent)
        except (RemoteError, OSError) as error:
            self._fail(error, tell)
            return
        except MintageError as error:
            tell(f"not shared: {error.message}")
            return
        self._sent.add(shared.run)
        if new:
            self.enter("result.share", shared.stage, {"key": shared.key})
            tell("shared: who trusts this clone's key need not run it")

    def _fail(self, error: RemoteError | OSError, tell: Tell) -> None:
        """From here on this run goes without."""
        self._off = True
        what = error.message if isinstance(error, RemoteError) else f"the remote did not answer: {error}"
        tell(f"{what}; this run shares nothing more")


def _silent(_: str) -> None:
    """For who only looks."""
