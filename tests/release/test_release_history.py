"""The history of releases, told by a real repository."""

import os
import subprocess

import msgspec
import pytest

from mintage.release.history import history, manifests_at
from mintage.release.manifest import Challenger, Manifest, Released, encode_release, manifest_path
from mintage.release.write import commit_manifest
from mintage.repo.workspace import Workspace

PATH = manifest_path("production", "late")


def released(digit, **more):
    kind = Challenger if more else Released
    return kind(root="sha256:" + digit * 64, record="b3:" + digit * 64, certificate="b3:" + digit * 64, **more)


FIRST = Manifest(
    model="late", environment="production", champion=released("1"), policy="p.yaml", salt="s1", why="the first"
)
CANARY = msgspec.structs.replace(FIRST, challenger=released("2", share=0.1), salt="s2", why="try it")
WIDER = msgspec.structs.replace(CANARY, challenger=released("2", share=0.5), why="more of it")
PROMOTED = msgspec.structs.replace(FIRST, champion=released("2"), salt="s2", why="it is no worse")
OTHER = msgspec.structs.replace(FIRST, champion=released("3"), salt="s3", why="by hand")


class Book:
    """A repository with releases in it."""

    def __init__(self, root):
        self.workspace = Workspace(root)
        self.git("init", "-q")
        for key, value in (("user.name", "T"), ("user.email", "t@example.org")):
            self.git("config", key, value)
        (root / "code.py").write_text("1\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "start")

    def git(self, *words):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-C", str(self.workspace.root), *words], capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout.strip()

    def release(self, manifest):
        return commit_manifest(self.workspace, manifest, subject="release: late in production")

    def kinds(self):
        return [change.kind for change in history(self.workspace.git, "production", "late")]


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def test_each_change_is_called_what_it_did(book):
    assert book.kinds() == []
    for manifest in (FIRST, CANARY, WIDER, PROMOTED, OTHER):
        book.release(manifest)
    canary = msgspec.structs.replace(OTHER, challenger=released("1", share=0.2), why="again")
    book.release(canary)
    book.release(msgspec.structs.replace(OTHER, why="it was worse"))
    (book.workspace.root / PATH).unlink()
    book.git("commit", "-qam", "out of service")
    assert book.kinds() == [
        "withdrawn", "canary ended", "canary", "replaced", "promoted", "changed", "canary", "first"
    ]  # fmt: skip


def test_a_revert_is_a_rollback_and_so_is_the_revert_of_a_revert(book):
    book.release(FIRST)
    book.release(PROMOTED)
    git = book.workspace.git
    for _ in range(3):
        git.revert(history(git, "production", "late")[0].commit.id)
    assert book.kinds() == ["rollback", "rollback", "rollback", "replaced", "first"]
    states = [change.after.champion.root[-1] for change in history(git, "production", "late")]
    assert states == ["1", "2", "1", "2", "1"]


def test_two_reverts_in_a_row_go_back_two_steps(book):
    git = book.workspace.git
    book.release(FIRST)
    canary, promoted = book.release(CANARY), book.release(PROMOTED)
    git.revert(promoted)
    git.revert(canary)
    assert book.kinds() == ["rollback", "rollback", "promoted", "canary", "first"]
    assert manifests_at(git, "HEAD") == [FIRST]


def test_the_words_of_a_commit_do_not_make_a_rollback(book):
    book.release(FIRST)
    commit_manifest(book.workspace, PROMOTED, subject='Revert "my opinion" and take the new one')
    assert book.kinds() == ["replaced", "first"]
    book.release(FIRST)
    assert book.kinds() == ["replaced", "replaced", "first"]


def test_who_replaced_whom_and_why_is_in_the_commit(book):
    book.release(FIRST)
    book.release(msgspec.structs.replace(CANARY, decision="b3:" + "d" * 64, why="line one\n  line two"))
    change = history(book.workspace.git, "production", "late")[0]
    assert change.before == FIRST and change.after.challenger.share == 0.1
    assert change.commit.trailers["Mintage-Why"] == "line one line two"
    assert change.commit.trailers["Mintage-Challenger"] == CANARY.challenger.root
    assert change.commit.trailers["Mintage-Decision"] == "b3:" + "d" * 64


def test_a_state_that_cannot_be_read_does_not_hide_the_others(book):
    book.release(FIRST)
    (book.workspace.root / PATH).write_bytes(b"\xff")
    book.git("commit", "-qam", "by hand")
    (book.workspace.root / PATH).write_bytes(encode_release(PROMOTED))
    book.git("commit", "-qam", "by hand again")
    assert book.kinds() == ["first", "withdrawn", "first"]


def test_a_release_commits_the_manifest_alone(book):
    (book.workspace.root / "code.py").write_text("2\n")
    (book.workspace.root / "more.py").write_text("3\n")
    book.git("add", "more.py")
    book.release(FIRST)
    assert book.git("show", "--name-only", "--format=", "HEAD") == PATH
    assert book.git("status", "--porcelain").splitlines() == ["M code.py", "A  more.py"]
