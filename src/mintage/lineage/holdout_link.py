"""The links below a certificate on its hold-out: the log that a look was entered in, the opening, the witness.

Each finds a history that was rewritten since: an audit log that no longer begins with the checkpoint that the
certificate names, an opening that is gone or changed, a commit that a witness saw and Git has no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from mintage.attest.keys import PublicKey
from mintage.attest.trust import Trust
from mintage.audit.checkpoint import CheckpointKey, open_checkpoint
from mintage.audit.log import AuditLog
from mintage.certify.certificate import Certificate
from mintage.certify.holdout_use import HoldoutUse, LogMark, use_sentence
from mintage.certify.openings import read_openings
from mintage.certify.sealed import openings_path
from mintage.certify.witnessed import check_history, read_witnessed
from mintage.errors import LinkBrokenError
from mintage.lineage.chain import Link, check_link
from mintage.repo.removed_lines import removed_line
from mintage.repo.workspace import Workspace

__all__ = ["OwnLog", "holdout_links"]


@dataclass(frozen=True, kw_only=True)
class OwnLog:
    """The audit log of this clone, and the id of the key that signs certificates here."""

    log: AuditLog
    key_id: str


def holdout_links(
    certificate: Certificate, digest: str, signer: str, *, workspace: Workspace, trust: Trust, own: OwnLog | None
) -> tuple[Link, ...]:
    """What there is to prove of the hold-out's use and of the witnesses; ``digest`` and ``signer`` are those of the
    certificate."""
    links = []
    use, model = certificate.holdout, certificate.model
    if use is not None:
        title, known = use_sentence(use), use

        def check() -> tuple[str, tuple[Link, ...]]:
            said = [] if known.log is None else [_logged(known.log, signer, trust, own)]
            if known.sealed is not None:
                said.append(_opened(known, digest, workspace, trust, model))
            return ", ".join(said), ()

        links.append(check_link("hold-out", title, check, digest=use.digest))
    if (workspace.root / f"policies/{model}.witnessed").is_dir():

        def witnessed() -> tuple[str, tuple[Link, ...]]:
            words = read_witnessed(workspace.root, model, trust)
            for word in words:
                check_history(workspace.git, word, model)
            own_words = [word for word in words if word.policy == certificate.policy.digest]
            return ", ".join(f"{word.by} saw this policy at {word.at}" for word in own_words) or "of other policies", ()

        links.append(check_link("witness", f"policies/{model}.yaml", witnessed))
    return tuple(links)


def _logged(mark: LogMark, signer: str, trust: Trust, own: OwnLog | None) -> str:
    """Whose log the look was entered in; this clone's must begin with the checkpoint that the certificate names."""
    key = CheckpointKey.from_vkey(mark.key)
    checkpoint = open_checkpoint(mark.note, key)
    if own is not None and own.log.key.vkey == mark.key:
        if not own.log.begins_with(checkpoint):
            raise LinkBrokenError(
                "the audit log no longer begins with the checkpoint that the certificate names",
                expected=f"{checkpoint.size} entries under root {checkpoint.root.hex()[:16]}",
                found=f"{own.log.size} entries" if own.log.size < checkpoint.size else "another root",
                hint="entries were removed or changed: keep the database as evidence",
            )
        return f"entered in this clone's audit log, which still begins with its {checkpoint.size} entries"
    names = {trusted.key: trusted.name for trusted in trust.keys if "checkpoint" in trusted.roles}
    name = names.get(PublicKey.from_pem(key.pem))
    if own is not None and own.key_id == signer and name is not None:
        raise LinkBrokenError(
            f"the certificate was signed here, and entered in {name}, another audit log than the one that is here",
            expected=mark.key,
            found=own.log.key.vkey,
            hint="the log was begun anew: what it had is gone",
        )
    return f"entered in the audit log {name}" if name else "entered in a log that trust.yaml does not name"


def _opened(use: HoldoutUse, digest: str, workspace: Workspace, trust: Trust, model: str) -> str:
    """The opening stands in the chain, whole, as the certificate says."""
    path, sealed = openings_path(model), use.sealed
    assert sealed is not None
    file = workspace.root / path
    data = file.read_bytes() if file.is_file() else b""
    lines = read_openings(data, trust.keys_for("witness"), where=path)
    gone = removed_line(workspace.git, path, data)
    if gone is not None:
        raise LinkBrokenError(
            "an opening that a commit had is gone", expected=f"what commit {gone[1][:12]} has", where=path
        )
    for line in lines:
        opening = line.opening
        if (opening.seal, opening.number, opening.certificate) == (sealed.seal, sealed.number, digest):
            if (opening.budget, opening.committed, opening.passed) != (sealed.budget, sealed.committed, True):
                raise LinkBrokenError("the opening says otherwise than the certificate", where=path)
            return f"signed by {trust.name_of(line.key_id)} as number {opening.number} of {opening.budget}"
    raise LinkBrokenError(
        "the opening that the certificate was made in is gone",
        expected=f"number {sealed.number} of {sealed.budget}",
        found=f"{len(lines)} openings",
        where=path,
        hint="`git log` of that file shows who took it out; bring it back",
    )
