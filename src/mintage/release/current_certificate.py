"""The certificate that a model's lock names, opened with its signature proven."""

from __future__ import annotations

from mintage.attest.trust import read_trust
from mintage.certify.certificate import Certificate
from mintage.errors import RefusedError
from mintage.release.admit import open_certificate
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["current_certificate"]


def current_certificate(workspace: Workspace, model: str) -> tuple[Certificate, str, bool]:
    """The certificate, its digest, and whether it is of the model as it is built now.

    Raises UnknownNameError for a model that the project has not, RefusedError if none was certified yet, and what a
    damaged or badly signed certificate raises.
    """
    workspace.model_entry(model)
    lock = read_lock(workspace.root, f"certificate:{model}")
    if lock is None or lock.record is None:
        raise RefusedError(f"the model {model} has no certificate yet", hint=f"run `mintage certify {model}`")
    trust = read_trust(workspace.root / "trust.yaml")
    certificate, _ = open_certificate(Store(workspace.store_dir), lock.record, trust)
    built = read_lock(workspace.root, f"model:{model}")
    return certificate, lock.record, built is not None and built.root == certificate.root
