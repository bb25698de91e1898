"""Git through its own command: the one writer and reader of the repository's history.

``Git(root)`` works in the project's folder, which may be a sub-folder of the repository. Nothing here moves HEAD or the
index unless its name says so: snapshots of a dirty tree are made with a private index under ``refs/mintage/``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mintage.errors import GitError, GitMissingError

if TYPE_CHECKING:  # what asks Git nothing starts sooner
    import subprocess

__all__ = ["Commit", "Git"]

_FIELDS = "%H%x1f%aI%x1f%an%x1f%s%x1f%(trailers:only,unfold)%x1e"


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit: full id, author date (RFC 3339), author's name, subject line, trailers (``Key: value``)."""

    id: str
    when: str
    author: str
    subject: str
    trailers: Mapping[str, str]


class Git:
    """The Git repository that holds ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *args: str, env: Mapping[str, str] | None = None, data: bytes | None = None) -> str:
        """Run ``git args`` and return its output without the last newline; raises GitError."""
        result = self._call(args, env=env, data=data)
        if result.returncode != 0:
            raise self._failed(args[0], result)
        return result.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def _call(
        self, args: Sequence[str], *, env: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        import subprocess

        environment = {**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(env or {})}
        for leaked in ("GIT_DIR", "GIT_WORK_TREE") + (() if env and "GIT_INDEX_FILE" in env else ("GIT_INDEX_FILE",)):
            environment.pop(leaked, None)
        try:
            return subprocess.run(
                ["git", "-C", str(self.root), *args], input=data, capture_output=True, env=environment, check=False
            )
        except FileNotFoundError:
            raise GitMissingError(
                "the program `git` was not found", expected="Git 2.25 or later on PATH", hint="install Git"
            ) from None

    def _failed(self, command: str, result: subprocess.CompletedProcess[bytes]) -> GitError:
        return GitError(
            f"git {command} failed",
            found=result.stderr.decode(errors="replace").strip()[:2000] or f"exit code {result.returncode}",
            where=str(self.root),
            hint=_hint(result.stderr),
        )

    def is_repository(self) -> bool:
        """Whether ``root`` lies in a Git work tree."""
        return self._call(["rev-parse", "--is-inside-work-tree"]).stdout.strip() == b"true"

    def init(self) -> None:
        """Make a repository with the branch ``main``."""
        self.run("init", "-q")
        self.run("symbolic-ref", "HEAD", "refs/heads/main")

    def head(self) -> str | None:
        """The commit that HEAD names; None before the first one. Raises GitError outside a repository."""
        result = self._call(["rev-parse", "-q", "--verify", "HEAD^{commit}"])
        if result.returncode > 1:
            raise self._failed("rev-parse", result)
        return result.stdout.decode().strip() or None

    def resolve(self, revision: str) -> str:
        """The full commit id of a revision; raises GitError if there is none."""
        if revision.startswith("-"):
            raise GitError("not a revision", found=repr(revision))
        return self.run("rev-parse", "-q", "--verify", f"{revision}^{{commit}}")

    def branch(self) -> str | None:
        """The current branch; None on a detached HEAD."""
        return self._call(["symbolic-ref", "-q", "--short", "HEAD"]).stdout.decode().strip() or None

    def show(self, revision: str, path: str) -> bytes | None:
        """A file's bytes at a revision; None if it is not there."""
        result = self._call(["cat-file", "blob", f"{revision}:./{path}"])
        return result.stdout if result.returncode == 0 else None

    def list_files(self, revision: str, folder: str) -> list[str]:
        """Paths (relative to the root) of the files below ``folder`` at a revision."""
        result = self._call(["ls-tree", "-r", "-z", "--name-only", revision, "--", f"./{folder}"])
        return [name.decode() for name in result.stdout.split(b"\0") if name]

    def tree(self, revision: str) -> dict[str, str]:
        """Paths (relative to the root) of all files at a revision, with the ids of their blobs."""
        result = self._call(["ls-tree", "-r", "-z", revision, "--", "."])
        entries = (line.decode(errors="surrogateescape").partition("\t") for line in result.stdout.split(b"\0") if line)
        return {path: facts.split()[2] for facts, _, path in entries}

    def blobs(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The bytes of blobs by id, all read by one process."""
        output = self._call(["cat-file", "--batch"], data="".join(f"{each}\n" for each in ids).encode()).stdout
        found, start = {}, 0
        for each in ids:
            head = output[start : output.index(b"\n", start)]
            start += len(head) + 1
            if head.endswith(b" missing"):
                continue
            size = int(head.split()[2])
            found[each] = output[start : start + size]
            start += size + 1
        return found

    def commits_with(self, patterns: Sequence[str], revisions: Sequence[str]) -> list[str]:
        """Commits reachable from ``revisions`` (also ``--branches`` and the like) that changed a path like one of
        ``patterns`` (globs below the root), newest first; of merged branches too."""
        below = [f":(glob){pattern}" for pattern in patterns]
        return self.run("rev-list", "--full-history", *revisions, "--", *below).split()

    def tracked(self) -> set[str]:
        """Paths (relative to the root) that Git's index holds."""
        return {path for path in self.run("ls-files", "-z", "--", ".").split("\0") if path}

    def not_ignored(self) -> list[str]:
        """Paths (relative to the root) that Git tracks, and new ones that no .gitignore keeps out of it."""
        output = self.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
        return list(dict.fromkeys(path for path in output.split("\0") if path))  # a conflict has a path three times

    def prefix(self) -> str:
        """Where the root lies in the repository, with ``/`` at its end; empty at its top."""
        return self.run("rev-parse", "--show-prefix")

    def top(self) -> Path:
        """The repository's top folder."""
        return Path(self.run("rev-parse", "--show-toplevel"))

    def edited(self, revision: str) -> set[str]:
        """Paths (relative to the root) that HEAD has and that are otherwise, or gone, at a later ``revision``."""
        if self.head() is None:
            return set()
        output = self.run("diff-tree", "-r", "-z", "--name-only", "--relative", "--diff-filter=a", "HEAD", revision)
        return {path for path in output.split("\0") if path}

    def dirty_paths(self, *below: str) -> list[str]:
        """Changed, staged and untracked (not ignored) paths, of all or of those named."""
        options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
        output = self.run("status", *options, "--", *(below or (".",)))
        return [entry[3:] for entry in output.split("\0") if entry]

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Those of ``paths`` (relative to the root) that a .gitignore keeps out of Git."""
        data = "\0".join(paths).encode(errors="surrogateescape")
        found = self._call(["check-ignore", "-z", "--stdin"], data=data).stdout
        return {path.decode(errors="surrogateescape") for path in found.split(b"\0") if path}

    def snapshot(self, *, label: str) -> str:
        """A commit of the work tree as it is, without touching HEAD, branches or index; HEAD if nothing changed.

        It lies under ``refs/mintage/snapshots/``, so Git's own clean-up keeps it.
        """
        head = self.head()
        if head is not None and not self.dirty_paths():
            return head
        return self._keep_snapshot(self.work_tree(), head, label)

    def work_tree(self) -> str:
        """The id of the work tree as it is, as a tree object, with new files that are not ignored; the index stays."""
        import tempfile

        index = Path(self.run("rev-parse", "--absolute-git-dir"), "index")
        with tempfile.TemporaryDirectory(prefix="mintage-index-") as folder:
            private = Path(folder, "index")
            if index.is_file():
                private.write_bytes(index.read_bytes())
            env = {"GIT_INDEX_FILE": str(private)}
            self.run("add", "-A", "--", ".", env=env)
            return self.run("write-tree", env=env)

    def extend_snapshot(self, commit: str, paths: Sequence[str], *, head: str | None, label: str) -> str:
        """The snapshot ``commit``, made on top of ``head``, with the files at ``paths`` as they are now, ignored ones
        too, and nothing else."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="mintage-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            self.run("read-tree", commit, env=env)
            self.run("add", "-f", "--", *paths, env=env)
            tree = self.run("write-tree", env=env)
        same = tree == self.run("rev-parse", f"{commit}^{{tree}}")
        return commit if same else self._keep_snapshot(tree, head, label)

    def _keep_snapshot(self, tree: str, head: str | None, label: str) -> str:
        """A commit of ``tree`` on top of ``head``, under ``refs/mintage/snapshots/``."""
        parents = ["-p", head] if head else []
        identity = {} if self.has_identity() else _IDENTITY
        commit = self.run("commit-tree", tree, *parents, "-m", label, env=identity)
        self.run("update-ref", f"refs/mintage/snapshots/{commit}", commit)
        return commit

    def local_setting(self, name: str) -> str | None:
        """What this clone's own configuration says of ``name``."""
        result = self._call(["config", "--local", "--get", name])
        return result.stdout.decode(errors="surrogateescape").removesuffix("\n") if result.returncode == 0 else None

    def has_identity(self) -> bool:
        """Whether Git knows who commits."""
        return self._call(["var", "GIT_COMMITTER_IDENT"]).returncode == 0 and bool(
            self._call(["config", "user.email"]).stdout.strip() or os.environ.get("GIT_COMMITTER_EMAIL")
        )

    def author(self) -> str | None:
        """The e-mail address of whoever commits here; None if Git does not know it."""
        if not self.has_identity():
            return None
        return self.run("var", "GIT_AUTHOR_IDENT").partition("<")[2].partition(">")[0] or None

    def commit(self, paths: Sequence[str], message: str, *, trailers: Mapping[str, str] | None = None) -> str:
        """Commit just ``paths`` (added, changed or deleted) on the current branch; returns the new commit."""
        text = message + "".join(
            f"{'' if index else chr(10)}\n{key}: {value}" for index, (key, value) in enumerate((trailers or {}).items())
        )
        self.run("add", "-A", "--", *paths)
        self.run("commit", "-q", "--no-verify", "-F", "-", "--only", "--", *paths, data=text.encode())
        return self.resolve("HEAD")

    def revert(self, commit: str) -> str:
        """Make the commit that undoes ``commit`` on the current branch; returns it. A conflict leaves no trace.

        Raises GitError, too, while a merge or another revert is under way: that one is not touched.
        """
        for state in ("REVERT_HEAD", "CHERRY_PICK_HEAD", "MERGE_HEAD"):
            if self._call(["rev-parse", "-q", "--verify", state]).returncode == 0:
                raise GitError(
                    "another Git operation is under way",
                    found=state,
                    where=str(self.root),
                    hint="finish it or abort it (`git status` says how), then run the command again",
                )
        result = self._call(["revert", "--no-edit", commit])
        if result.returncode != 0:
            self._call(["revert", "--abort"])
            raise GitError(
                "the commit cannot be reverted",
                found=result.stderr.decode(errors="replace").strip()[:500],
                where=commit,
                hint=_hint(result.stderr) or "later commits changed the same lines: release the model you want instead",
            )
        return self.resolve("HEAD")

    def has_commit(self, commit: str) -> bool:
        """Whether the repository has the commit: a clone lacks the snapshots of runs from an edited work tree."""
        return self._call(["cat-file", "-e", f"{commit}^{{commit}}"]).returncode == 0

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``older`` is ``newer`` or one of its ancestors."""
        return self._call(["merge-base", "--is-ancestor", older, newer]).returncode == 0

    def log(self, *paths: str, revision: str = "HEAD", limit: int = 1000) -> list[Commit]:
        """Commits that touched ``paths`` (all, without), newest first."""
        if self.head() is None:
            return []
        output = self.run("log", f"--max-count={limit}", f"--format={_FIELDS}", revision, "--", *paths)
        return [_parse_commit(part) for part in output.split("\x1e") if part.strip()]

    def author_of(self, commit: str) -> str | None:
        """The e-mail address of a commit's author, as the commit has it; None if it has none."""
        return self.run("log", "-1", "--format=%ae", commit) or None

    def blame(self, path: str, first: int, last: int) -> list[str]:
        """The commits that wrote lines ``first`` to ``last`` of a file as HEAD has it, sorted by id."""
        output = self.run("blame", "--line-porcelain", "-L", f"{first},{last}", "HEAD", "--", path)
        words = [line.split(" ") for line in output.splitlines() if not line.startswith("\t")]
        return sorted({parts[0] for parts in words if len(parts[0]) in (40, 64) and len(parts) >= 3})

    def describe(self, commit: str) -> Commit:
        """One commit's facts."""
        return _parse_commit(self.run("log", "-1", f"--format={_FIELDS}", commit).split("\x1e")[0])


_IDENTITY = {
    "GIT_AUTHOR_NAME": "mintage",
    "GIT_AUTHOR_EMAIL": "mintage@localhost",
    "GIT_COMMITTER_NAME": "mintage",
    "GIT_COMMITTER_EMAIL": "mintage@localhost",
}


def _parse_commit(text: str) -> Commit:
    commit, when, author, subject, trailers = text.strip("\n").split("\x1f")
    pairs = (line.partition(": ")[::2] for line in trailers.splitlines() if ": " in line)
    return Commit(id=commit, when=when, author=author, subject=subject, trailers=dict(pairs))


def _hint(stderr: bytes) -> str | None:
    if b"tell me who you are" in stderr or b"empty ident" in stderr or b"auto-detect email" in stderr:
        return 'run `git config user.name "You"` and `git config user.email you@example.org`'
    if b"not a git repository" in stderr:
        return "run `mintage init` in the project's folder: what Mintage does is tied to commits"
    if b"would be overwritten" in stderr:
        return "commit or stash your changes first"
    if b"index.lock" in stderr:
        return "another Git command is running; wait for it, or delete the lock file it names if it crashed"
    return None
