"""The files of the project that a policy names as checks: found, read, and held to what Git has. Nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from mintage.certify.order import OrderFacts
from mintage.certify.own_code import OwnFile
from mintage.certify.own_requirement import FileRequirement
from mintage.certify.policy import Policy
from mintage.errors import CheckMismatchError, CheckUncommittedError, FileMissingError
from mintage.repo.git import Git

__all__ = ["check_committed", "find_own_files", "with_own_files"]


def find_own_files(root: Path, policy: Policy) -> dict[str, OwnFile]:
    """The files by their path; raises FileMissingError, or CheckMismatchError for another digest than is pinned."""
    found = {}
    for requirement in policy.requirements:
        if not isinstance(requirement, FileRequirement):
            continue
        path = root / requirement.path
        if not path.is_file() or path.is_symlink() or path.parent.is_symlink():
            raise FileMissingError(
                f"the requirement {requirement.id} is decided by {requirement.path}, which is not there",
                expected="a plain file of the project",
                where=policy.where,
                hint="write it (docs/spec/own-check.md has examples), and commit it",
            )
        file = OwnFile(path=requirement.path, data=path.read_bytes())
        if requirement.digest is not msgspec.UNSET and requirement.digest != file.digest:
            raise CheckMismatchError(
                f"{file.path} is not the file that the requirement {requirement.id} was written for",
                expected=requirement.digest,
                found=file.digest,
                where=policy.where,
                hint=f"take the change of the file back, or have the policy's owner ({policy.owner}) review it and set "
                f"`digest: {file.digest}`",
            )
        found[file.path] = file
    return found


def check_committed(git: Git, files: Mapping[str, OwnFile]) -> None:
    """Raise CheckUncommittedError for a file that is not what the commit HEAD has."""
    for file in files.values():
        committed = git.show("HEAD", file.path) if git.head() else None
        if committed != file.data:
            raise CheckUncommittedError(
                f"{file.path} {'is in no commit' if committed is None else 'was edited and not committed'}",
                expected="a check that people can look up in Git, as they can the policy",
                where=file.path,
                hint=f"git add {file.path} && git commit, then certify again",
            )


def with_own_files(order: OrderFacts, git: Git, files: Mapping[str, OwnFile]) -> OrderFacts:
    """The order of policy and evidence, the files being parts of the policy: one that is younger makes it younger."""
    evidence = order.evidence_commit
    if evidence is None or order.policy_commit is None:
        return order
    for file in files.values():
        commits = git.log(file.path, limit=1)
        if not commits or not git.is_ancestor(commits[0].id, evidence):
            order = msgspec.structs.replace(order, policy_is_ancestor=False)
        if git.show(evidence, file.path) != file.data:
            order = msgspec.structs.replace(order, policy_unchanged=False)
    return order
