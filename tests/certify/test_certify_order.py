"""The order of policy and evidence: proven takes a witness before the first look, and a history that was kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from certify_evidence import make_evidence

from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.attest.trust import Trust, TrustedKey
from mintage.certify.certify import certify
from mintage.certify.holdout_use import LogMark
from mintage.certify.order import OrderFacts, order_reason, order_state
from mintage.certify.policy import parse_policy
from mintage.certify.witnessed import check_history, read_witnessed, witnessed_path, witnessed_statement
from mintage.errors import HoldoutHistoryError, IntegrityError
from mintage.record.digest import sha256_bytes
from mintage.repo.git import Git

EARLY, LATE = "2026-11-01T12:00:00Z", "2026-11-01T12:00:01Z"
PROVEN = OrderFacts(
    policy_commit="4a",
    evidence_commit="77",
    policy_is_ancestor=True,
    policy_unchanged=True,
    witness="ben",
    witnessed_at=EARLY,
    first_look_at=EARLY,
    history_kept=True,
)
POLICY = b"model: late\nowner: o\nrequirements:\n  - {id: order, check: V4}\n"


def test_a_witness_at_or_before_the_first_look_proves_the_order_and_v4_passes() -> None:
    assert order_state(PROVEN) == order_state(msgspec.structs.replace(PROVEN, first_look_at=LATE)) == "proven"
    outcome = certify(make_evidence(order=PROVEN, train_days=2, days=2), parse_policy(POLICY, where="x"))
    assert outcome.verdict == "PASS"
    assert outcome.results[0].reason == f"ben witnessed the policy at {EARLY}, before the first look at the hold-out"


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({"witness": None, "witnessed_at": None}, "not proven", "nobody else witnessed it"),
        ({"witnessed_at": LATE}, "violated", "after the first look"),
        ({"history_kept": False}, "violated", "history was rewritten"),
        ({"policy_unchanged": False}, "violated", "was changed after"),
        ({"policy_is_ancestor": False}, "violated", "not an ancestor"),
        ({"policy_commit": None, "policy_is_ancestor": None}, "not proven", "in no commit"),
    ],
)
def test_whatever_is_missing_or_late_proves_nothing(
    changes: dict[str, str | bool | None], state: str, said: str
) -> None:
    facts = msgspec.structs.replace(PROVEN, **changes)
    assert order_state(facts) == state
    assert said in order_reason(facts)


@pytest.fixture
def ben(tmp_path: Path) -> FileSigner:
    return FileSigner.create(tmp_path / "ben.pem", name="ben")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    root = tmp_path / "project"
    (root / "policies").mkdir(parents=True)
    (root / "policies/late.yaml").write_bytes(POLICY)
    commit(root, "init", "-q")
    commit(root, "add", "-A")
    commit(root, "commit", "-qm", "a policy")
    return Git(root)


def commit(root: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath="]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def witness(git: Git, ben: FileSigner, *, model: str = "late") -> Path:
    log = LogMark(key="k", note="n")
    said = witnessed_statement(model=model, policy=sha256_bytes(POLICY), commit=git.head() or "", at=EARLY, log=log)
    path = git.root / witnessed_path("late", sha256_bytes(POLICY))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(seal(said, ben))
    return path


def trusting(ben: FileSigner, role: str = "witness") -> Trust:
    return Trust([TrustedKey(name="ben", key=ben.public, roles=msgspec.convert((role,), tuple))])


def test_a_word_is_read_and_its_commit_found(git: Git, ben: FileSigner) -> None:
    witness(git, ben)
    (word,) = read_witnessed(git.root, "late", trusting(ben))
    assert (word.by, word.at, word.policy) == ("ben", EARLY, sha256_bytes(POLICY))
    check_history(git, word, "late")


def test_a_history_that_was_rewritten_since_is_noticed(git: Git, ben: FileSigner) -> None:
    witness(git, ben)
    (word,) = read_witnessed(git.root, "late", trusting(ben))
    commit(git.root, "commit", "-q", "--amend", "--date=2020-01-01T00:00:00Z", "-m", "an older policy")
    with pytest.raises(HoldoutHistoryError, match="not the one that ben witnessed"):
        check_history(git, word, "late")


def test_a_word_of_another_key_model_name_or_bytes_does_not_count(git: Git, ben: FileSigner) -> None:
    path = witness(git, ben)
    with pytest.raises(IntegrityError):
        read_witnessed(git.root, "late", trusting(ben, role="certificate"))
    with pytest.raises(IntegrityError):
        path.rename(path.with_name("0123456789abcdef.json"))
        read_witnessed(git.root, "late", trusting(ben))
    path.with_name("0123456789abcdef.json").unlink()
    path = witness(git, ben, model="other")
    with pytest.raises(IntegrityError):
        read_witnessed(git.root, "late", trusting(ben))
    bundle = json.loads(witness(git, ben).read_bytes())
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][:-8] + "AAAAAAAA"
    path.write_text(json.dumps(bundle))
    with pytest.raises(IntegrityError):
        read_witnessed(git.root, "late", trusting(ben))
