"""What a commit says now of a model whose certificate is looked at: its policy, domain, findings and revocations."""

from __future__ import annotations

from mintage.certify.finding import findings_path, parse_findings
from mintage.certify.revocation import revocations_at
from mintage.certify.validity import RepositoryNow
from mintage.record.digest import sha256_bytes
from mintage.repo.git import Git
from mintage.repo.modelfile import domain_digest, parse_model_file

__all__ = ["repository_now"]


def repository_now(git: Git, model: str) -> RepositoryNow | None:
    """The facts of HEAD; None if there is no commit, or none that knows the model. Raises FileMalformedError."""
    head = git.head()
    if head is None:
        return None
    policy = git.show(head, f"policies/{model}.yaml")
    declared = git.show(head, f"models/{model}.yaml")
    if policy is None and declared is None:
        return None
    findings = git.show(head, findings_path(model)) or b""
    spec = None if declared is None else parse_model_file(declared, where=f"models/{model}.yaml")
    return RepositoryNow(
        commit=head,
        policy=None if policy is None else sha256_bytes(policy),
        domain=None if spec is None else domain_digest(spec),
        findings=parse_findings(findings, where=findings_path(model)),
        revocations=revocations_at(git, head, model),
    )
