"""How far a model that the lock names is certified, and where it is released: what `serve` and `predict` say of it."""

from __future__ import annotations

from mintage.certify.validity import what_ended
from mintage.cli.context import Context, now
from mintage.cli.model_target import ModelTarget
from mintage.errors import MintageError
from mintage.lineage.repository_now import repository_now
from mintage.model.package import Package
from mintage.record.digest import short
from mintage.release.admit import open_certificate
from mintage.release.history import manifests_at
from mintage.repo.locks import read_lock
from mintage.serve.trial import Standing
from mintage.store.local import Store

__all__ = ["environments_of", "proof_of", "standing_of"]


def standing_of(target: ModelTarget) -> Standing:
    """The certificate that the lock names for exactly this model, its signature proven."""
    model = target.package.signature.model
    if target.context is None:
        return Standing(verdict=None, sentence="Nothing here says how far it is certified: it is a bare folder.")
    lock = read_lock(target.context.workspace.root, f"certificate:{model}")
    if lock is None or lock.record is None or lock.root != target.package.root:
        earlier = "" if lock is None else " The certificate in the lock is of an earlier model."
        return Standing(verdict=None, sentence=f"Not certified yet: `mintage certify {model}` judges it.{earlier}")
    return _certified(target.context, lock.record)


def _certified(context: Context, digest: str) -> Standing:
    try:
        certificate, _ = open_certificate(Store(context.workspace.store_dir), digest, context.trust)
        repository = repository_now(context.workspace.git, certificate.model)
    except MintageError as error:
        return Standing(verdict=None, sentence=f"Its certificate does not verify: {error.message}.")
    verdict = certificate.verdict
    ended = what_ended(certificate, digest=digest, now=now(), repository=repository)
    if verdict == "PASS" and ended:
        return Standing(
            verdict=None, sentence=f"Its certificate passed, but is no longer current: {ended[0].sentence}."
        )
    return Standing(
        verdict="PASS" if verdict == "PASS" else "FAIL" if verdict == "FAIL" else "INCONCLUSIVE",
        sentence=certificate.sentence,
    )


def environments_of(context: Context, model: str) -> list[str]:
    """The environments whose manifests of the present commit release the model."""
    git = context.workspace.git
    head = git.head()
    manifests = manifests_at(git, head) if head else []
    return sorted({manifest.environment for manifest in manifests if manifest.model == model})


def proof_of(package: Package) -> str:
    """Who signed it, in words."""
    if package.key_id is None:
        return "only its digests were checked"
    return f"signed by key {short(package.key_id)}"
