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
from mintage.pipeline.shared.find import Found, first_whole, fitting, kept_statement, remember
from mintage.pipeline.shared.makers import Rules, makers_of, offers_of
from mintage.pipeline.shared.publish import publish_result
from mintage.pipeline.shared.shelf import statements
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

    def find(self, inspector: Inspector, facts: StageFacts, tell: Tell) -> Found | None:
        """What somebody who is trusted has made for the key of ``facts``, brought here whole; None: it has to run."""
        if not facts.stage.outputs:
            return None
        try:
            kept = self._taken(inspector, facts, tell, remote=None)
            if kept is not None or (remote := self.reached(tell)) is None:
                return kept
            return self._taken(inspector, facts, tell, remote=remote)
        except OSError as error:
            self._fail(error, tell)
            return None

    def _taken(self, inspector: Inspector, facts: StageFacts, tell: Tell, *, remote: Store | None) -> Found | None:
        """The same of what was downloaded before (without ``remote``), or of what the remote has."""
        key, here = facts.key, inspector.store
        there = list(kept_statement(inspector.cache, here, key) if remote is None else statements(remote, key))
        if not there:
            return None
        now = self.clock()
        judged = self._judged(there, key, tell, now=now)
        if judged is None:
            return None
        offers, refused = judged
        fit = fitting(offers, facts.stage.outputs)
        if fit and remote is not None:
            self._tell_size(fit[0], tell)
        offer, said = first_whole(inspector, facts, fit, remote=here if remote is None else remote)
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
            self.enter("result.take", facts.name, details)
        return Found(result=offer.shared.result, said=made, statement=statement, came=remote is not None)

    def _judged(
        self, there: list[tuple[Path, bytes]], key: str, tell: Tell, *, now: str
    ) -> tuple[list[Offer], list[str]] | None:
        """What counts by trust.yaml and what does not; None if that file cannot be read."""
        try:
            trust = self.trust()
        except ProjectError as error:
            tell(f"shared results are not used: {error.message}" + (f", at {error.where}" if error.where else ""))
            return None
        days = trust.result_days if trust is not None else None
        return offers_of(there, key, Rules(makers=makers_of(trust, self.own()), trust=trust, now=now, days=days))

    def promised(self, inspector: Inspector, key: str, outputs: Sequence[str]) -> str | None:
        """Who has made a result of ``key`` that counts, by their statements alone: no bytes are asked for."""
        try:
            there = list(kept_statement(inspector.cache, inspector.store, key))
            if (remote := self.reached(_silent)) is not None:
                there += statements(remote, key)
        except OSError:
            return None
        now = self.clock()
        offers, _ = (self._judged(there, key, _silent, now=now) if there else None) or ([], [])
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
        if not self.publishes or not result.outputs or (remote := self.reached(tell)) is None:
            return
        try:
            new = publish_result(
                facts.name,
                facts.key,
                result,
                store=inspector.store,
                remote=remote,
                signer=self.signer(),
                sent=self._sent,
            )
        except (RemoteError, OSError) as error:
            self._fail(error, tell)
            return
        except MintageError as error:
            tell(f"not shared: {error.message}")
            return
        self._sent.add(str(result.run))
        if new:
            self.enter("result.share", facts.name, {"key": facts.key})
            tell("shared: who trusts this clone's key need not run it")

    def _fail(self, error: RemoteError | OSError, tell: Tell) -> None:
        """From here on this run goes without."""
        self._off = True
        what = error.message if isinstance(error, RemoteError) else f"the remote did not answer: {error}"
        tell(f"{what}; this run shares nothing more")


def _silent(_: str) -> None:
    """For who only looks."""
