"""Write a release manifest and commit it: the only way in which what runs is changed.

``propose`` finds what is to be released from the committed locks; it refuses a model without a certificate for exactly
this model and the policy of HEAD, and one whose bytes do not verify. ``commit_manifest`` writes and commits.
"""

from __future__ import annotations

from mintage.attest.trust import Trust
from mintage.certify.certificate import check_certificate
from mintage.certify.revocation import check_not_revoked, revocations_at
from mintage.errors import ReleaseRefusedError, ReleaseUncommittedError
from mintage.record.digest import sha256_bytes, short
from mintage.release.admit import open_certificate
from mintage.release.manifest import RELEASE_TRAILER, Manifest, Released, encode_release, manifest_path, parse_release
from mintage.repo.locks import Lock, lock_path, parse_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["commit_manifest", "committed_lock", "current_manifest", "propose"]


def committed_lock(workspace: Workspace, name: str, *, hint: str) -> Lock:
    """The lock ``name`` as HEAD has it; raises ReleaseRefusedError if there is none and ReleaseUncommittedError if the
    work tree's is another."""
    path = lock_path(name)
    here = workspace.root / path
    data = workspace.git.show("HEAD", path) if workspace.git.head() else None
    if data is None and not here.is_file():
        raise ReleaseRefusedError(f"there is no {name.partition(':')[0]} of {name.partition(':')[2]} yet", hint=hint)
    if data is None or not here.is_file() or here.read_bytes() != data:
        raise ReleaseUncommittedError(
            f"{path} is not committed",
            expected="a release names what a commit on a branch has",
            where=path,
            hint="git add mintage.lock && git commit",
        )
    return parse_lock(data, where=path)


def current_manifest(workspace: Workspace, environment: str, model: str) -> Manifest | None:
    """The committed manifest of a model in an environment."""
    path = manifest_path(environment, model)
    data = workspace.git.show("HEAD", path) if workspace.git.head() else None
    return parse_release(data, where=path) if data is not None else None


def propose(workspace: Workspace, model: str, *, trust: Trust, policy: str, now: str) -> Released:
    """The model of the committed lock, proven ready for release."""
    workspace.model_entry(model)
    lock = committed_lock(workspace, f"model:{model}", hint="make one with `mintage run`, then certify and commit")
    if lock.root is None or lock.record is None:
        raise ReleaseRefusedError("the lock names no model", where=lock_path(lock.name), hint="run `mintage run` again")
    store = Store(workspace.store_dir)
    record = store.get_record(lock.record, kind="model")
    store.verify_tree(str(record.body["tree"]))
    hint = f"judge it with `mintage certify {model}` and commit the result"
    certificate_lock = committed_lock(workspace, f"certificate:{model}", hint=hint)
    if certificate_lock.root != lock.root or certificate_lock.record is None:
        raise ReleaseRefusedError(
            f"the model {short(lock.root)} has no certificate",
            expected=short(lock.root),
            found=f"a certificate of {short(certificate_lock.root)}" if certificate_lock.root else "none",
            hint=hint,
        )
    certificate, _ = open_certificate(store, certificate_lock.record, trust)
    text = workspace.git.show("HEAD", policy)
    if text is None:
        builtin = certificate.policy.builtin
        raise ReleaseRefusedError(
            "the policy is not committed",
            expected="a policy in Git, which people have reviewed",
            found=None if builtin is None else f"a certificate by the built-in default of {builtin}",
            where=policy,
            hint=f"git add {policy} && git commit"
            if builtin is None
            else f"`mintage policy init {model}`, commit it, then certify by it: mintage certify {model}",
        )
    check_certificate(certificate, root=lock.root, policy_digest=sha256_bytes(text), now=now)
    revoked = revocations_at(workspace.git, "HEAD", model)
    check_not_revoked(revoked, root=lock.root, certificate=certificate_lock.record)
    return Released(root=lock.root, record=lock.record, certificate=certificate_lock.record)


def commit_manifest(workspace: Workspace, manifest: Manifest, *, subject: str) -> str:
    """Write the manifest and commit it alone; returns the commit."""
    path = manifest_path(manifest.environment, manifest.model)
    publish_bytes(workspace.root / path, encode_release(manifest))
    trailers = {
        RELEASE_TRAILER: f"{manifest.environment}/{manifest.model}",
        "Mintage-Champion": manifest.champion.root,
        **({"Mintage-Challenger": manifest.challenger.root} if manifest.challenger else {}),
        **({"Mintage-Decision": manifest.decision} if manifest.decision else {}),
        "Mintage-Why": " ".join(manifest.why.split()),
    }
    return workspace.git.commit([path], subject, trailers=trailers)
