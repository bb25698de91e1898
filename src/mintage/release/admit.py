"""Admit a model to an environment: fetch it by digest and prove it, before any process loads it.

The record must name the root, every byte must match its digest, the folder's signature must be by a key that trust.yaml
names for models and must cover exactly the root, and the certificate must be by a key for certificates, for this root,
for the policy of the same commit, passed, not expired and not revoked there. One miss refuses it; nothing is loaded.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mintage.attest.oms import verify_model
from mintage.attest.seal import open_sealed
from mintage.attest.trust import Trust
from mintage.certify.certificate import Certificate, check_certificate, parse_certificate
from mintage.certify.revocation import check_not_revoked, revocations_at
from mintage.errors import ReleaseRefusedError
from mintage.record.digest import hex_of, sha256_bytes
from mintage.release.manifest import Manifest, Released
from mintage.repo.git import Git
from mintage.store.local import Store

__all__ = ["Admitted", "admit", "open_certificate"]


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A proven model: its folder on this machine, its certificate, and the keys that signed both."""

    root: str
    folder: Path
    certificate: Certificate
    model_key: str
    certificate_key: str


def open_certificate(store: Store, digest: str, trust: Trust) -> tuple[Certificate, str]:
    """The certificate with that digest, its signature proven, and the id of the key that signed it."""
    sealed = open_sealed(store.get_bytes(digest), trust.keys_for("certificate"), where=f"certificate {digest[:15]}")
    return parse_certificate(sealed.statement), sealed.key_id


def admit(
    released: Released,
    *,
    manifest: Manifest,
    revision: str,
    git: Git,
    store: Store,
    trust: Trust,
    folder: Path,
    now: str,
) -> Admitted:
    """Fetch and prove one model of ``manifest`` (which stands at ``revision``) into ``folder``; see the module."""
    record = store.get_record(released.record, kind="model")
    if record.body.get("root") != released.root or record.body.get("model") != manifest.model:
        raise ReleaseRefusedError(
            "the manifest's record is of another model",
            expected=f"{manifest.model} {released.root}",
            found=f"{record.body.get('model')} {record.body.get('root')}",
            hint="the manifest was edited by hand: write it with `mintage release`",
        )
    certificate, certificate_key = open_certificate(store, released.certificate, trust)
    policy = git.show(revision, manifest.policy)
    if policy is None:
        raise ReleaseRefusedError(
            "the policy is not in the manifest's commit", expected=manifest.policy, where=revision[:12]
        )
    check_certificate(certificate, root=released.root, policy_digest=sha256_bytes(policy), now=now)
    revoked = revocations_at(git, revision, manifest.model)
    check_not_revoked(revoked, root=released.root, certificate=released.certificate)
    target = folder / hex_of(released.root)
    incoming = folder / f".incoming-{hex_of(released.root)[:16]}"
    shutil.rmtree(incoming, ignore_errors=True)
    store.checkout_tree(str(record.body["tree"]), incoming)
    signature = verify_model(incoming, trust.keys_for("model"))
    if signature.root != released.root:
        shutil.rmtree(incoming, ignore_errors=True)
        raise ReleaseRefusedError("the folder is of another model", expected=released.root, found=signature.root)
    shutil.rmtree(target, ignore_errors=True)
    incoming.rename(target)
    return Admitted(
        root=released.root,
        folder=target,
        certificate=certificate,
        model_key=signature.key_id,
        certificate_key=certificate_key,
    )
