"""What a statement about a result must hold, in which order makers count, and how statements lie in a remote."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec
import pytest

from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.attest.trust import Role, Trust, TrustedKey, parse_trust, render_trust
from mintage.errors import FileMalformedError, RemoteError, StatementInvalidError
from mintage.pipeline.key import cache_key
from mintage.pipeline.shared.choose import Offer, age, disagreement, ended, in_order
from mintage.pipeline.shared.makers import Rules, makers_of, offers_of
from mintage.pipeline.shared.shelf import MOST_BYTES, MOST_STATEMENTS, put_statement, statement_path, statements
from mintage.pipeline.shared.statement import SharedResult, read_shared, shared_statement
from mintage.record.digest import blake3_bytes
from mintage.repo.locks import Item
from mintage.store.local import Store

PARTS = {"command": ["python", "fit.py"], "params": {"rate": 1.0}}
KEY = cache_key(PARTS)
NOW = "2026-03-01T12:00:00Z"


def shared(output: bytes = b"model", *, made: str = "2026-02-01T12:00:00Z", key: str = KEY) -> SharedResult:
    return SharedResult(
        stage="fit",
        key=key,
        parts=PARTS,
        outputs=(Item(path="model.bin", digest=blake3_bytes(output), size=len(output)),),
        run=blake3_bytes(b"record"),
        commit="a" * 40,
        by="tester",
        made=made,
        metrics=(("loss", 0.5, 0), ("worse", None, 1)),
    )


def sealed(result: SharedResult, signer: FileSigner) -> bytes:
    return seal(shared_statement(result, sha256={"model.bin": "sha256:" + "0" * 64}), signer)


def offer(maker: str, rank: int, result: SharedResult) -> Offer:
    return Offer(shared=result, maker=maker, rank=rank, sealed=b"")


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileSigner]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: FileSigner.create(folder / f"{name}.pem", name=name) for name in ("ana", "ben", "ci")}


def trust_of(signers: dict[str, FileSigner], **roles: tuple[Role, ...]) -> Trust:
    keys = [TrustedKey(name=name, key=signers[name].public, roles=role) for name, role in roles.items()]
    return Trust(keys)


def rules(trust: Trust) -> Rules:
    return Rules(makers=makers_of(trust, None), trust=trust, now=NOW, days=7)


def test_a_statement_is_read_as_it_was_written() -> None:
    statement = shared_statement(shared(), sha256={"model.bin": "sha256:" + "0" * 64})
    assert read_shared(statement) == shared()
    assert statement.subjects[0].digest.keys() == {"blake3", "sha256"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": blake3_bytes(b"another")}, "its key is not that of its parts"),
        ({"outputs": (Item(path="other.bin", digest=blake3_bytes(b"x"), size=1),)}, "its outputs are not its subjects"),
        ({"outputs": (Item(path="../out", digest=blake3_bytes(b"x"), size=1),)}, "unsafe path"),
        ({"run": "b3:zz"}, "digest"),
        ({"commit": "HEAD"}, "a commit or a time that is none"),
        ({"made": "2026-13-45T00:00:00Z"}, "month"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_statement_that_does_not_hold_together_is_refused(change: dict[str, object], said: str) -> None:
    statement = shared_statement(shared(), sha256={"model.bin": "sha256:" + "0" * 64})
    predicate = {**statement.predicate, **msgspec.to_builtins(change)}
    with pytest.raises(StatementInvalidError) as caught:
        read_shared(msgspec.structs.replace(statement, predicate=predicate))
    assert said in str(caught.value.found)


def test_a_statement_of_another_version_is_refused() -> None:
    statement = shared_statement(shared(), sha256={"model.bin": "sha256:" + "0" * 64})
    later = msgspec.structs.replace(statement, predicate_type="https://mintage.dev/shared-result/v1")
    with pytest.raises(StatementInvalidError, match="does not hold together"):
        read_shared(later)


def test_ci_comes_before_oneself_and_oneself_before_others(signers: dict[str, FileSigner]) -> None:
    trust = trust_of(signers, ana=("model", "result"), ben=("result",), ci=("ci",))
    ranks = {maker.name: maker.rank for maker in makers_of(trust, signers["ben"].public)}
    assert ranks == {"ana": 2, "ben": 1, "ci": 0}
    assert [maker.name for maker in makers_of(None, signers["ana"].public)] == ["this clone"]
    assert makers_of(trust_of(signers, ana=("model",)), None) == []


def test_of_equals_the_newest_counts() -> None:
    old, new = shared(made="2026-01-01T00:00:00Z"), shared(made="2026-02-01T00:00:00Z")
    order = in_order([offer("ben", 2, new), offer("ci", 0, old), offer("ci", 0, new)])
    assert [(each.maker, each.shared.made[:7]) for each in order] == [
        ("ci", "2026-02"),
        ("ci", "2026-01"),
        ("ben", "2026-02"),
    ]


def test_makers_whose_outputs_differ_are_named_and_the_outputs_too() -> None:
    same = [offer("ci", 0, shared()), offer("ben", 2, shared())]
    assert disagreement(same) is None
    said = disagreement([*same, offer("ana", 2, shared(b"other"))])
    assert said is not None and said.startswith("two makers disagree: ci and ana made different model.bin")
    assert str(disagreement([offer("ci", 0, shared()), offer("ci", 0, shared(b"x"))])).startswith("ci twice made")


def test_a_result_ends_after_the_days_of_trust_and_none_is_from_the_future() -> None:
    assert ended("2026-02-01T12:00:00Z", now=NOW, days=28) is None
    assert "was made 28 days ago" in str(ended("2026-02-01T11:59:59Z", now=NOW, days=28))
    assert ended("2020-01-01T00:00:00Z", now=NOW, days=None) is None
    assert ended("2026-03-02T11:00:00Z", now=NOW, days=None) is None, "clocks differ"
    assert "has not come yet" in str(ended("2026-03-03T00:00:00Z", now=NOW, days=None))
    assert [age(made, now=NOW) for made in ("2026-03-01T11:59:30Z", "2026-03-01T10:00:00Z")] == [
        "just now",
        "2 hours ago",
    ]


def test_each_statement_that_does_not_count_says_why(signers: dict[str, FileSigner]) -> None:
    trust = trust_of(signers, ana=("model",), ci=("ci",))
    whole = sealed(shared(made="2026-02-28T00:00:00Z"), signers["ci"])
    given = {
        "which trust.yaml does not name": sealed(shared(), signers["ben"]),
        "by ana, whose key has not the role": sealed(shared(), signers["ana"]),
        "takes results of the last 7 days": sealed(shared(), signers["ci"]),
        "malformed": b"{}",
    }
    for said, data in given.items():
        offers, refused = offers_of([(Path("f"), data)], KEY, rules(trust))
        assert not offers and len(refused) == 1, said
        assert said in refused[0]
    offers, refused = offers_of([(Path("f"), whole)], KEY, rules(trust))
    assert [each.maker for each in offers] == ["ci"] and not refused
    _, refused = offers_of([(Path("f"), whole)], "b3:" + "0" * 64, rules(trust))
    assert refused == ["what ci signed is about another key"]


def test_any_changed_byte_of_a_statement_makes_it_count_for_nothing(signers: dict[str, FileSigner]) -> None:
    whole, trust = sealed(shared(made=NOW), signers["ci"]), trust_of(signers, ci=("ci",))
    assert offers_of([(Path("f"), whole)], KEY, rules(trust))[0]
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        offers, refused = offers_of([(Path("f"), bytes(damaged))], KEY, rules(trust))
        assert not offers and len(refused) == 1, at


def test_what_the_own_key_signed_under_another_hint_does_not_verify(signers: dict[str, FileSigner]) -> None:
    """The hint only finds a key: the signature has to be that key's."""
    data = sealed(shared(made=NOW), signers["ben"]).replace(
        signers["ben"].public.hint.encode(), signers["ci"].public.hint.encode()
    )
    trust = trust_of(signers, ci=("ci",))
    offers, refused = offers_of([(Path("f"), data)], KEY, rules(trust))
    assert not offers and "the signature does not verify" in refused[0]


def test_two_who_share_one_key_at_once_are_both_heard(tmp_path: Path, signers: dict[str, FileSigner]) -> None:
    remote = Store(tmp_path)
    barrier = threading.Barrier(8)

    def share(name: str, output: bytes) -> None:
        path = statement_path(remote, KEY, maker=signers[name].key_id, outputs=output.decode())
        barrier.wait()
        put_statement(path, sealed(shared(output), signers[name]))

    words = [(name, output) for name in ("ana", "ben") for output in (b"one", b"two")]
    threads = [threading.Thread(target=share, args=each) for each in (*words, *words)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [data for _, data in statements(remote, KEY)]
    assert sorted(found) == sorted(sealed(shared(output), signers[name]) for name, output in words)


def test_sharing_the_same_again_writes_nothing_and_a_damaged_word_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "results/a/b.json"
    assert put_statement(path, b"word") and not put_statement(path, b"word")
    path.write_bytes(b"wo")
    assert put_statement(path, b"word") and path.read_bytes() == b"word"


def test_a_statement_that_cannot_be_written_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "results").write_bytes(b"a file where a folder should be")
    with pytest.raises(RemoteError, match="not in the remote as it was written"):
        put_statement(tmp_path / "results/a/b.json", b"word")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_half_written_foreign_endless_and_blocking_files_in_the_remote_are_passed_over(tmp_path: Path) -> None:
    remote = Store(tmp_path)
    folder = statement_path(remote, KEY, maker="sha256:" + "0" * 64, outputs="x").parent
    folder.mkdir(parents=True)
    (folder / ".tmp-0123").write_bytes(b"half")
    (folder / "notes.txt").write_bytes(b"hello")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    (folder / "large.json").write_bytes(b"0" * (MOST_BYTES + 1))
    assert list(statements(remote, KEY)) == []
    for number in range(MOST_STATEMENTS + 8):
        (folder / f"{number:04}.json").write_bytes(b"{}")
    assert len(list(statements(remote, KEY))) == MOST_STATEMENTS
    assert list(statements(remote, blake3_bytes(b"unknown"))) == []


def test_trust_says_how_long_results_count(signers: dict[str, FileSigner]) -> None:
    text = render_trust({"ci": (signers["ci"].public_pem, ["ci", "model"])})
    assert parse_trust(text.encode(), where="trust.yaml").result_days is None
    assert parse_trust(("results: {days: 90}\n" + text).encode(), where="trust.yaml").result_days == 90
    for wrong in ("results: {days: 0}", "results: {weeks: 2}", "results: 5"):
        with pytest.raises(FileMalformedError):
            parse_trust(f"{wrong}\n{text}".encode(), where="trust.yaml")
