"""Another repository: fetched into a bare clone under ``.mintage/uses``, and its files at a commit, written beside it.

Nothing of it is run here, no hook, filter or submodule: files are written from Git's own blobs; symbolic links and
submodules are left out. Only what Git itself verified by commit id is written.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from mintage.errors import GitError, RecordInvalidError, UseError
from mintage.record.digest import blake3_bytes
from mintage.record.manifest import safe_path
from mintage.repo.git import Git
from mintage.repo.use import Use
from mintage.repo.workspace import Workspace

__all__ = ["Foreign"]

_MOST_FILES = 50_000
_MOST_BYTES = 1 << 30
_BATCH = 500
_PROTOCOLS = {"GIT_ALLOW_PROTOCOL": "https:ssh:file"}


class Foreign:
    """The repository that a ``use`` names, as far as this clone knows it."""

    def __init__(self, workspace: Workspace, use: Use) -> None:
        self.use = use
        self.address = use.repo
        self.local: Path | None = None
        if use.is_local:
            path = Path.home() / use.repo[2:] if use.repo.startswith("~/") else Path(use.repo)
            self.local = Path(os.path.normpath(workspace.base / path))
            self.address = str(self.local)
        self.folder = workspace.state / "uses"
        self.git = Git(self.folder / f"{blake3_bytes(self.address.encode())[3:35]}.git")

    def fetch(self) -> None:
        """Bring its branches and tags; raises UseError if it cannot be reached."""
        self.git.root.mkdir(parents=True, exist_ok=True)
        try:
            self.git.run("init", "-q", "--bare")
            options = ("--quiet", "--prune", "--force", "--no-recurse-submodules", "--no-write-fetch-head")
            wanted = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self.git.run("fetch", *options, "--", self.address, *wanted, env=_PROTOCOLS)
        except GitError as error:
            raise UseError(
                f"the repository {self.use.repo} cannot be fetched",
                found=error.found,
                where="mintage.yaml",
                hint="correct `repo:`, or give Git access to it",
            ) from error

    def resolve(self) -> str:
        """The commit of the revision, as last fetched: of a tag, else a branch, else itself; raises UseError."""
        rev = self.use.rev
        for name in (f"refs/tags/{rev}", f"refs/heads/{rev}", rev):
            if (commit := self._commit(name)) is not None:
                return commit
        known = self.git.run("for-each-ref", "--format=%(refname:lstrip=2)").split()
        raise UseError(
            f"{self.use.repo} has no revision {rev!r}",
            expected=", ".join(known[:8]) or "no branch or tag",
            where="mintage.yaml",
            hint="correct `rev:`, or push it there",
        )

    def _commit(self, name: str) -> str | None:
        try:
            return self.git.resolve(name)
        except GitError:
            return None

    def _blob(self, name: str) -> str | None:
        try:
            return self.git.run("rev-parse", "-q", "--verify", name)
        except GitError:
            return None

    def knows(self, commit: str) -> bool:
        """Whether the commit was fetched."""
        return (self.git.root / "HEAD").is_file() and self._commit(commit) == commit

    def files_dir(self, commit: str) -> Path:
        """Where its files at a commit are written."""
        return self.folder / commit

    def write_files(self, commit: str) -> Path:
        """Its files at a commit, fetched before; raises UseError for a tree that is too large or has strange paths."""
        target = self.files_dir(commit)
        if target.is_dir():
            return target
        entries = self._entries(commit)
        temporary = self.folder / f".tmp-{secrets.token_hex(8)}"
        try:
            temporary.mkdir()
            for start in range(0, len(entries), _BATCH):
                part = entries[start : start + _BATCH]
                found = self.git.blobs([blob for _, blob, _ in part])
                for path, blob, mode in part:
                    file = temporary / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(found[blob])
                    file.chmod(mode)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return target

    def is_as_committed(self, commit: str, path: str) -> bool:
        """Whether the written file still is what the commit has."""
        file = self.files_dir(commit) / path
        there = self._blob(f"{commit}:{path}")
        return there is not None and there == self.git.run("hash-object", "--no-filters", "--", str(file))

    def _safe(self, path: str) -> str:
        """The path, if it stays within the folder and is none of Git's own, whose settings could name programs."""
        try:
            if not any(part.lower().rstrip(". ") == ".git" or part.lower() == "git~1" for part in path.split("/")):
                return safe_path(path)
        except RecordInvalidError:
            pass
        raise UseError(f"{self.use.repo} has a file with a path that is refused", found=repr(path[:200]))

    def _entries(self, commit: str) -> list[tuple[str, str, int]]:
        found, size = [], 0
        for line in self.git.run("ls-tree", "-r", "-l", "-z", commit).split("\0"):
            facts, _, path = line.partition("\t")
            words = facts.split()
            if len(words) == 4 and words[0] in ("100644", "100755"):
                found.append((self._safe(path), words[2], 0o555 if words[0] == "100755" else 0o444))
                size += int(words[3])
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            raise UseError(
                f"{self.use.repo} is too large to be used",
                expected=f"at most {_MOST_FILES} files and {_MOST_BYTES >> 20} MiB in Git",
                found=f"{len(found)} files, {size >> 20} MiB",
                hint="keep its data out of Git with `mintage add`",
            )
        return found
