"""A witness's word that a policy was there: its digest, when, and at which commit. See docs/spec/witness.md.

``policies/<model>.witnessed/<digest>.json`` is signed by a key that trust.yaml names as ``witness``, which never signs
models. It makes the order of policy and evidence provable: the author alone could date both as he likes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.attest.seal import open_sealed
from mintage.attest.statement import Statement, Subject
from mintage.attest.trust import Trust
from mintage.certify.holdout_use import LogMark
from mintage.errors import HoldoutHistoryError, StatementInvalidError
from mintage.record.digest import hex_of, sha256_bytes
from mintage.repo.git import Git

__all__ = ["WITNESSED_TYPE", "Witnessed", "check_history", "read_witnessed", "witnessed_path", "witnessed_statement"]

WITNESSED_TYPE = "https://mintage.dev/witnessed/v1"
_TYPES = ("https://mintage.dev/witnessed/v0", WITNESSED_TYPE)
_Sha256 = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed; ``log`` is a checkpoint of the witness's own log, in which the entry stands."""

    kind: Literal["witnessed"] = "witnessed"
    version: Literal[0, 1] = 1
    model: str
    policy: _Sha256
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40,64}$")]
    at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    log: LogMark


class Witnessed(msgspec.Struct, frozen=True, kw_only=True):
    """Who (the key's name in trust.yaml) saw the policy with that digest in which commit, and when."""

    by: str
    policy: str
    commit: str
    at: str


def witnessed_path(model: str, policy: str) -> str:
    """Where the word on the policy with that digest stands, below the project's root."""
    return f"policies/{model}.witnessed/{hex_of(policy)[:16]}.json"


def witnessed_statement(*, model: str, policy: str, commit: str, at: str, log: LogMark) -> Statement:
    """The statement to sign; its subject is the policy."""
    return _statement_of(_Said(model=model, policy=policy, commit=commit, at=at, log=log))


def read_witnessed(root: Path, model: str, trust: Trust) -> tuple[Witnessed, ...]:
    """The words of all witnesses on a model's policies; raises an IntegrityError for one that does not verify."""
    return tuple(_read(path, model, trust) for path in sorted((root / f"policies/{model}.witnessed").glob("*.json")))


def check_history(git: Git, witnessed: Witnessed, model: str) -> None:
    """Raise HoldoutHistoryError if Git no longer has the commit that was witnessed, with that policy, behind HEAD."""
    data = git.show(witnessed.commit, f"policies/{model}.yaml")
    if data is not None and sha256_bytes(data) == witnessed.policy and git.is_ancestor(witnessed.commit, "HEAD"):
        return
    raise HoldoutHistoryError(
        f"Git's history is not the one that {witnessed.by} witnessed at {witnessed.at}",
        expected=f"commit {witnessed.commit[:12]} with policy {witnessed.policy[:19]} behind HEAD",
        found="no such commit there" if data is None else "another history, or another policy in it",
        where=witnessed_path(model, witnessed.policy),
        hint="bring the commit back; a history that was rewritten proves no order",
    )


def _statement_of(said: _Said) -> Statement:
    return Statement(
        subjects=(Subject(name=f"policies/{said.model}.yaml", digest={"sha256": hex_of(said.policy)}),),
        predicate_type=_TYPES[said.version],
        predicate=msgspec.to_builtins(said),
    )


def _read(path: Path, model: str, trust: Trust) -> Witnessed:
    sealed = open_sealed(path.read_bytes(), trust.keys_for("witness"), where=str(path))
    try:
        said = msgspec.convert(sealed.statement.predicate, _Said)
        fits = said.model == model and path.name == Path(witnessed_path(model, said.policy)).name
        if not fits or sealed.statement != _statement_of(said):
            raise ValueError(f"it is of {said.model}, policy {said.policy[:19]}")
    except (msgspec.ValidationError, ValueError) as error:
        raise StatementInvalidError(
            "not a witness's word on this policy",
            expected="what `mintage audit witness` writes",
            found=str(error),
            where=str(path),
        ) from error
    by = trust.name_of(sealed.key_id) or sealed.key_id
    return Witnessed(by=by, policy=said.policy, commit=said.commit, at=said.at)
