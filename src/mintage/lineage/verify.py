"""Verify the chain of proof: from what answers requests back to model, certificate, run, data and commit.

Every digest is computed again and every signature checked against trust.yaml; nothing is believed because a database
says so. ``verify_target`` takes a model's name, ``environment/model``, or the address of a gateway.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mintage.attest.oms import verify_model
from mintage.attest.seal import open_sealed
from mintage.attest.trust import Trust, read_trust
from mintage.certify.certificate import Certificate
from mintage.certify.validity import what_ended
from mintage.errors import (
    IntegrityError,
    LinkBrokenError,
    ReleaseRefusedError,
    RunError,
    UnknownNameError,
)
from mintage.lineage.chain import Link, check_link
from mintage.lineage.holdout_link import OwnLog, holdout_links
from mintage.lineage.repository_now import repository_now
from mintage.lineage.run_links import run_link
from mintage.pipeline.provenance import PREDICATE_TYPE
from mintage.record.digest import hex_of, sha256_bytes, short
from mintage.release.admit import open_certificate
from mintage.release.history import manifests_at
from mintage.release.manifest import Manifest, Released, manifest_path
from mintage.release.write import current_manifest
from mintage.repo.locks import read_lock
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace
from mintage.serve.control import gateway_state
from mintage.store.local import Store

__all__ = ["verify_target"]

_ANSWER_LIMIT = 1 << 20
_MODEL_INFO = re.compile(r'^mintage_model_info\{[^}]*\bmodel="(?P<model>[^"]+)"', re.MULTILINE)


def verify_target(
    target: str, *, workspace: Workspace | None = None, now: str | None = None, own: OwnLog | None = None
) -> Link:
    """The chain behind ``target`` at ``now`` (RFC 3339 in UTC; by default the present), which ends waivers; its
    ``whole`` says whether everything verified. ``own`` is this clone's audit log, to hold certificates against. Raises
    only for a target that is not there."""
    workspace = workspace or Workspace.find(Path.cwd())
    prover = _Prover(workspace, now or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), own)
    if target.startswith(("http://", "https://")):
        return prover.address(target.rstrip("/"))
    if "/" in target:
        environment, _, model = target.partition("/")
        manifest = current_manifest(workspace, environment, model)
        if manifest is None:
            known = [f"{m.environment}/{m.model}" for m in prover.manifests]
            raise UnknownNameError(
                f"there is no release {target!r}",
                expected=", ".join(known) or "none yet",
                hint=nearest_hint(target, known, otherwise="see `mintage log`"),
            )
        return prover.release(manifest)
    return prover.unreleased(target)


class _Prover:
    """Builds links for one workspace at HEAD."""

    def __init__(self, workspace: Workspace, now: str, own: OwnLog | None) -> None:
        self.workspace, self.now, self.own = workspace, now, own
        self.git = workspace.git
        self.store = Store(workspace.store_dir)
        self.trust: Trust = read_trust(workspace.root / "trust.yaml")
        self.head = self.git.head() or ""
        self.manifests = manifests_at(self.git, self.head) if self.head else []

    def address(self, url: str) -> Link:
        """The chain behind a gateway: of each model that it serves."""
        links = []
        for name in _live_models(url):
            root = _live_root(url, name)
            manifest = next((m for m in self.manifests if m.model == name and m.champion.root == root), None)
            if manifest is None:
                detail = "no committed manifest releases this model"
                links.append(Link(kind="endpoint", title=f"{url} {name}", ok=False, digest=root, detail=detail))
            else:
                links.append(self.release(manifest, url=url))
        if len(links) == 1:
            return links[0]
        return Link(kind="gateway", title=url, ok=bool(links), detail=f"{len(links)} models", children=tuple(links))

    def release(self, manifest: Manifest, *, url: str | None = None) -> Link:
        """Endpoint, manifest, model."""
        if url is None:
            state = gateway_state(self.workspace.environments_dir / manifest.environment)
            url = state.url if state else None
        target = f"{manifest.environment}/{manifest.model}"
        below = self._manifest(manifest, target)
        if url is None:
            return below
        address = url

        def check() -> tuple[str, tuple[Link, ...]]:
            root = _live_root(address, manifest.model)
            if root != manifest.champion.root:
                raise LinkBrokenError(
                    "the endpoint serves another model than the manifest says",
                    expected=manifest.champion.root,
                    found=root,
                    hint=f"run `mintage reconcile {manifest.environment}`",
                )
            return f"answers as {short(root)}", (below,)

        return check_link("endpoint", url, check, digest=manifest.champion.root)

    def _manifest(self, manifest: Manifest, target: str) -> Link:
        path = manifest_path(manifest.environment, manifest.model)

        def check() -> tuple[str, tuple[Link, ...]]:
            commit = self.git.log(path, limit=1)[0]
            children = [self.model(manifest.model, manifest.champion, policy=manifest.policy)]
            if manifest.challenger is not None:
                children.append(self.model(manifest.model, manifest.challenger, policy=manifest.policy))
            return f"commit {commit.id[:10]} by {commit.author}: {manifest.why}", tuple(children)

        return check_link("release", target, check)

    def unreleased(self, name: str) -> Link:
        """The chain behind a model that the lock names."""
        self.workspace.model_entry(name)
        lock = read_lock(self.workspace.root, f"model:{name}")
        if lock is None or lock.root is None or lock.record is None:
            raise ReleaseRefusedError(f"the model {name} is not built yet", hint="run `mintage run`")
        certificate = read_lock(self.workspace.root, f"certificate:{name}")
        digest = certificate.record if certificate and certificate.root == lock.root else None
        if digest is None:
            return self._built(name, lock.root, lock.record, certificate=None, policy=None)
        return self.model(name, Released(root=lock.root, record=lock.record, certificate=digest), policy=None)

    def model(self, name: str, released: Released, *, policy: str | None) -> Link:
        """A model with its certificate."""
        return self._built(name, released.root, released.record, certificate=released.certificate, policy=policy)

    def _built(self, name: str, root: str, record_id: str, *, certificate: str | None, policy: str | None) -> Link:
        def check() -> tuple[str, tuple[Link, ...]]:
            record = self.store.get_record(record_id, kind="model")
            if record.body["root"] != root:
                raise LinkBrokenError("the record is of another model", expected=root, found=str(record.body["root"]))
            with TemporaryDirectory(prefix="mintage-verify-") as folder:
                manifest = self.store.checkout_tree(str(record.body["tree"]), Path(folder, "model"))
                signature = verify_model(Path(folder, "model"), self.trust.keys_for("model"))
            if signature.root != root:
                raise LinkBrokenError("the folder has another root", expected=root, found=signature.root)
            run = str(record.body["run"])
            children = [] if certificate is None else [self._certificate(certificate, root, policy)]
            children.append(self._provenance(str(record.body["provenance"]), root, run))
            estimator = str(record.body["estimator"]["path"])
            children.append(run_link(self.store, self.git, run, made=estimator))
            signer = self.trust.name_of(signature.key_id) or signature.key_id
            return f"{len(manifest.entries)} files, signed by {signer}", tuple(children)

        return check_link("model", f"{name} {short(root)}", check, digest=root)

    def _certificate(self, digest: str, root: str, policy: str | None) -> Link:
        def check() -> tuple[str, tuple[Link, ...]]:
            certificate, key = open_certificate(self.store, digest, self.trust)
            if certificate.root != root:
                raise LinkBrokenError("the certificate is of another model", expected=root, found=certificate.root)
            self._check_current(certificate, digest, policy)
            signer = self.trust.name_of(key) or key
            children = () if policy is None else (self._policy(policy, certificate),)
            waived = "".join(f", {item.requirement} waived until {item.expires}" for item in certificate.waivers)
            used = holdout_links(certificate, digest, key, workspace=self.workspace, trust=self.trust, own=self.own)
            return f"{certificate.verdict}{waived}, signed by {signer}", (*children, *used)

        return check_link("certificate", short(digest), check, digest=digest)

    def _check_current(self, certificate: Certificate, digest: str, policy: str | None) -> None:
        """Raise LinkBrokenError if something has ended it; of a release the policy is a link of its own."""
        repository = repository_now(self.git, certificate.model)
        for ended in what_ended(certificate, digest=digest, now=self.now, repository=repository):
            if ended.event != "policy" or policy is None:
                raise LinkBrokenError(f"the certificate is no longer current: {ended.sentence}", hint=ended.hint)

    def _policy(self, path: str, certificate: Certificate) -> Link:
        def check() -> tuple[str, tuple[Link, ...]]:
            data = self.git.show(self.head, path)
            found = sha256_bytes(data) if data is not None else "no file"
            if found != certificate.policy.digest:
                raise LinkBrokenError(
                    "the certificate is for another policy", expected=certificate.policy.digest, found=found
                )
            commit = self.git.log(path, limit=1)[0]
            return f"as in commit {commit.id[:10]} of {commit.when[:10]}", ()

        return check_link("policy", path, check, digest=certificate.policy.digest)

    def _provenance(self, digest: str, root: str, run: str) -> Link:
        def check() -> tuple[str, tuple[Link, ...]]:
            sealed = open_sealed(self.store.get_bytes(digest), self.trust.keys_for("model"))
            statement = sealed.statement
            if statement.predicate_type != PREDICATE_TYPE:
                raise LinkBrokenError("not a provenance", expected=PREDICATE_TYPE, found=statement.predicate_type)
            if statement.subjects[0].digest.get("sha256") != hex_of(root):
                raise LinkBrokenError("the provenance is of another model", expected=root)
            named = statement.predicate["runDetails"]["metadata"]["invocationId"]
            if named != run:
                raise LinkBrokenError("the provenance names another run", expected=run, found=str(named))
            return f"signed by {self.trust.name_of(sealed.key_id) or sealed.key_id}", ()

        return check_link("provenance", short(digest), check, digest=digest)


def _live_models(url: str) -> list[str]:
    """The names of all models that a gateway serves; raises IntegrityError if it is none of ours."""
    server = _json(url, "/v2")
    if not isinstance(server, dict) or server.get("name") != "mintage":
        raise _not_understood(url, f"/v2 answers {str(server)[:80]}")
    text = _get(url, "/metrics").decode(errors="replace")
    return sorted({found["model"] for found in _MODEL_INFO.finditer(text)})


def _get(url: str, path: str) -> bytes:
    """What a gateway answers; raises RunError if nobody does."""
    try:
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            return bytes(answer.read(_ANSWER_LIMIT))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RunError(
            "the gateway does not answer", found=str(error), where=url, hint="start it with `mintage reconcile`"
        ) from error


def _json(url: str, path: str) -> Any:
    """The JSON that a gateway answers with; raises IntegrityError if it is none."""
    try:
        return json.loads(_get(url, path))
    except ValueError as error:
        raise _not_understood(url, str(error)) from error


def _live_root(url: str, model: str) -> str:
    value = _json(url, f"/v2/models/{model}")
    versions = value.get("versions") if isinstance(value, dict) else None
    if not isinstance(versions, list) or not versions or not isinstance(versions[0], str):
        raise _not_understood(url, f"versions {versions!r}")
    return versions[0]


def _not_understood(url: str, found: str) -> IntegrityError:
    return IntegrityError(
        "the gateway's answer is not understood",
        expected="the Open Inference Protocol, version 2",
        found=found,
        where=url,
        hint="give the address that `mintage reconcile` printed",
    )
