"""What a commit says now of a model whose certificate is looked at: its policy, domain, findings and revocations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mintage.certify.finding import findings_path, parse_findings
from mintage.certify.revocation import revocations_at
from mintage.certify.validity import RepositoryNow
from mintage.errors import FileMalformedError
from mintage.record.digest import sha256_bytes
from mintage.repo.git import Git
from mintage.repo.modelfile import domain_digest, parse_model_file

__all__ = ["repository_now"]


def repository_now(git: Git, model: str) -> RepositoryNow | None:
    """The facts of HEAD; None if there is no commit, or none that knows the model. Raises FileMalformedError."""
    head = git.head()
    if head is None:
        return None
    paths = f"policies/{model}.yaml", f"models/{model}.yaml"
    policy, declared = (git.show(head, path) for path in paths)
    if policy is None and declared is None:
        return None
    findings = git.show(head, findings_path(model)) or b""
    return RepositoryNow(
        commit=head,
        policy=None if policy is None else sha256_bytes(policy),
        domain=None if declared is None else _domain(declared, paths[1]),
        findings=parse_findings(findings, where=findings_path(model)),
        revocations=revocations_at(git, head, model),
        uncommitted=frozenset(_uncommitted(git, *paths)),
    )


def _uncommitted(git: Git, policy: str, declared: str) -> Iterator[str]:
    """The digests of the policy and of the domain in the work tree, as far as they can be read."""
    with contextlib.suppress(OSError):
        yield sha256_bytes((git.root / policy).read_bytes())
    with contextlib.suppress(OSError, FileMalformedError):
        yield _domain((git.root / declared).read_bytes(), declared)


def _domain(data: bytes, where: str) -> str:
    return domain_digest(parse_model_file(data, where=where))
