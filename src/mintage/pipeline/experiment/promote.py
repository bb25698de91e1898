"""Make an experiment a commit on the branch: its changes since its base, put onto HEAD, the work tree with it.

The work tree must be clean, or just as it was when the experiment was made. A conflict leaves all as it was. The
outputs that the new locks name are put in place from the store.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from mintage.data.checkout import checkout_item
from mintage.errors import BlobMissingError, DataModifiedError, GitError, RefusedError
from mintage.pipeline.experiment.experiment import Found
from mintage.repo.git import Git
from mintage.repo.locks import read_locks
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Promoted", "promote"]


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """The commit; the files that were put in place, and those that were not, with why."""

    commit: str
    placed: tuple[str, ...]
    left: dict[str, str]


def promote(workspace: Workspace, found: Found, *, message: str | None = None) -> Promoted:
    """Commit it; raises RefusedError or GitError with nothing changed. The caller holds the run lock."""
    git, one = workspace.git, found.experiment
    if one.state != "done":
        raise RefusedError(
            f"the experiment {one.name} is {one.state}", expected="one that is done", hint="run it first"
        )
    if git.branch() is None:
        raise RefusedError("HEAD is on no branch", hint="`git switch` to the branch that shall have the experiment")
    _check_idle(git)
    text = message or _message(found)
    if git.dirty_paths():
        _commit_over_own_changes(git, found, text)
    else:
        _pick(git, found, text)
    # Its run's record names the commit that was run; Git's clean-up keeps that even when the experiment is deleted.
    planned = git.resolve(f"{found.commit}^")
    git.run("update-ref", f"refs/mintage/snapshots/{planned}", planned)
    placed, left = _place(workspace)
    return Promoted(commit=git.resolve("HEAD"), placed=placed, left=left)


def _check_idle(git: Git) -> None:
    folder = Path(git.run("rev-parse", "--absolute-git-dir"))
    for state in ("CHERRY_PICK_HEAD", "MERGE_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"):
        if (folder / state).exists():
            raise RefusedError(
                "another Git operation is under way",
                found=state,
                hint="finish it or abort it (`git status` says how), then run the command again",
            )


def _message(found: Found) -> str:
    one = found.experiment
    subject = f"exp: {one.name}"
    values = [f"{key} = {value}" for key, value in one.set.items()]
    values += [f"{key}: {value:.6g}" for key, value in one.metrics.items()]
    return "\n".join([subject if len(subject) <= 72 else f"{subject[:71]}…", "", *values[:20]])


def _pick(git: Git, found: Found, text: str) -> None:
    base = git.resolve(found.experiment.base)
    commit = git.run("commit-tree", f"{found.commit}^{{tree}}", "-p", base, "-F", "-", data=text.encode())
    try:
        git.run("cherry-pick", "--allow-empty", commit)
    except GitError as error:
        with contextlib.suppress(GitError):  # it may not even have begun
            git.run("cherry-pick", "--abort")
        raise RefusedError(
            f"the experiment {found.experiment.name} does not fit onto the branch as it is now",
            found=(error.found or "").splitlines()[0] if error.found else None,
            hint="commits since then changed the same lines: run the experiment again from here, or merge by hand "
            f"(`git cherry-pick {commit[:12]}`)",
        ) from error


def _commit_over_own_changes(git: Git, found: Found, text: str) -> None:
    """The work tree has changes: only those that the experiment was made with may be committed with it."""
    snapshot = git.snapshot(label="snapshot before a promotion")
    tree = git.run("rev-parse", f"{snapshot}^{{tree}}")
    if git.head() != found.experiment.base or tree != found.experiment.tree:
        raise RefusedError(
            "the work tree has changes that are not committed, and are not the experiment's",
            found=", ".join(git.dirty_paths()[:5]),
            hint="commit or stash them first",
        )
    git.run("add", "-A", "--", ".")
    git.run("read-tree", "-m", "-u", tree, found.commit)
    git.run("commit", "-q", "--no-verify", "--allow-empty", "-F", "-", data=text.encode())


def _place(workspace: Workspace) -> tuple[tuple[str, ...], dict[str, str]]:
    """What the stages made, put where the locks say; what was changed here and is nowhere else stays."""
    store, placed, left = Store(workspace.store_dir), [], {}
    with StatCache(workspace.cache_database) as cache:
        for lock in read_locks(workspace.root).values():
            for item in lock.outputs if lock.what == "stage" else ():
                try:
                    if checkout_item(store, item, workspace.root, cache):
                        placed.append(item.path)
                except DataModifiedError:
                    left[item.path] = "it was changed here"
                except BlobMissingError:
                    left[item.path] = "its bytes are not in the store"
    return tuple(placed), left
