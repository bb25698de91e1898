"""What Git says of a model's waivers: who committed their lines and when, and whose the model's commit is.

An author's address in Git is a claim, not a proof. What makes it one is the branch: require signed commits and reviews
there, and let ``CODEOWNERS`` name the approvers for ``policies/``.
"""

from __future__ import annotations

from datetime import datetime

from mintage.certify.waive import Presented
from mintage.certify.waiver import WaiverEntry, read_waivers, waivers_path
from mintage.repo.workspace import Workspace

__all__ = ["present_waivers"]


def present_waivers(workspace: Workspace, model: str, *, evidence_commit: str, now: str) -> tuple[Presented, ...]:
    """The waivers of a model with what is known of each; ``evidence_commit`` is what the model was trained from."""
    entries = read_waivers(workspace.root, model)
    if not entries:
        return ()
    git, path = workspace.git, waivers_path(model)
    committed = git.head() is not None and git.show("HEAD", path) == (workspace.root / path).read_bytes()
    author = git.author_of(evidence_commit) if git.has_commit(evidence_commit) else None

    def approvals(entry: WaiverEntry) -> tuple[tuple[str, str, str], ...]:
        if not committed:
            return ()
        commits = [git.describe(commit) for commit in git.blame(path, entry.first_line, entry.last_line)]
        newest = sorted(commits, key=lambda commit: datetime.fromisoformat(commit.when), reverse=True)
        return tuple((commit.id, git.author_of(commit.id) or "nobody", commit.when) for commit in newest)

    return tuple(
        Presented(
            waiver=entry.waiver,
            committed=committed,
            approvals=approvals(entry),
            author=author,
            covers=git.is_ancestor(entry.waiver.approved_commit, evidence_commit),
            now=now,
        )
        for entry in entries
    )
