"""A sealed hold-out between two people: Tess, who makes models, and Ben, who holds the labels."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cli_sealed import Pair, labelled, make_pair

from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.certify.sealed import Commitment, statement_of
from small_project import SmallProject

OPENINGS, COMMITTED = "holdouts/buys/openings.jsonl", "holdouts/buys/committed.json"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _committed(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Tess has committed to her first model, and Ben has it; nothing is opened."""
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "home").mkdir()
    pair = make_pair(folder, folder / "home")
    answer = pair.tess.run("certify", "buys", expect=1)
    assert (
        answer.out
        == "INCONCLUSIVE: buys is not decided: its answers to 180 rows are committed, and ben holds the labels.\n"
    )
    pair.give(pair.tess, "answers")
    return pair


@pytest.fixture(scope="module")
def _opened(_committed: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Ben has opened once, the model has passed, and Tess has the certificate."""
    pair = _committed.copy_to(tmp_path_factory.mktemp("opened"))
    answer = pair.ben.run("holdout", "open", "buys")
    assert answer.out == "opening 1 of 3: passed\n"
    pair.give(pair.ben, "opened")
    return pair


@pytest.fixture
def committed(_committed: Pair, tmp_path: Path) -> Pair:
    return _committed.copy_to(tmp_path)


@pytest.fixture
def opened(_opened: Pair, tmp_path: Path) -> Iterator[Pair]:
    pair = _opened.copy_to(tmp_path)
    yield pair
    pair.tess.stop_gateway()


def refused(project: SmallProject, *words: str, code: str) -> str:
    """The message of a command that must end with this error."""
    answer = project.run(*words, expect=None)
    assert f"error[{code}]" in answer.err, answer
    return answer.err


def commitment_of(project: SmallProject) -> Commitment:
    """What waits in a clone."""
    payload = json.loads(project.read(COMMITTED))["dsseEnvelope"]["payload"]
    return msgspec.convert(json.loads(base64.b64decode(payload))["predicate"], Commitment)


def sign(project: SmallProject, said: Commitment, *, by: SmallProject) -> None:
    """Put another commitment in its place, signed by somebody's own key."""
    signer = FileSigner.load(by.root / ".mintage/keys/project.pem")
    (project.root / COMMITTED).write_bytes(seal(statement_of(said), signer))


def broken(project: SmallProject) -> str:
    """What `verify` says of the first link that does not hold."""
    answer = project.run("verify", "buys", expect=4)
    return next(line for line in answer.out.splitlines() if "NO  hold-out" in line or "NO  witness" in line)


def test_labels_are_nowhere_in_what_tess_has(committed: Pair, tmp_path: Path) -> None:
    secret = [row.split(",")[-1] for row in labelled(tmp_path).read_text().splitlines()[1:]]
    rows = committed.tess.read("data/holdout.csv").splitlines()
    assert "bought" not in rows[0] and len(rows) == len(secret) + 1


def test_the_first_opening_passes_and_the_certificate_names_holder_opening_and_proven_order(opened: Pair) -> None:
    shown = opened.tess.run("verify", "buys").out
    assert (
        "PASS, signed by ben" in shown and "entered in the audit log ben-log, signed by ben as number 1 of 3" in shown
    )
    assert "ok  witness policies/buys.yaml: ben saw this policy" in shown
    assert opened.tess.run("show", "buys").out
    listed = opened.tess.run("holdout", "list", "buys", "--json").json
    assert [item["passed"] for item in listed["openings"]] == [True] and listed["holder"] == "ben"
    assert "1 opening of sealed hold-outs" in opened.ben.run("audit", "verify").out
    opened.tess.run("release", "buys", "--to", "production")


def test_a_model_that_does_not_pass_gets_one_bit_and_the_next_must_be_another(committed: Pair) -> None:
    ben, tess = committed.ben, committed.tess
    for project in (tess, ben):
        project.replace("policies/buys.yaml", "min: 0.60", "min: 0.99")
        project.commit("more")
    tess.run("certify", "buys", expect=1)
    ben.write(COMMITTED, tess.read(COMMITTED))
    answer = ben.run("holdout", "open", "buys", expect=1)
    assert answer.out == "opening 1 of 3: not passed\n"
    public = ben.read(OPENINGS)
    assert not [path for path in (ben.root / "mintage.lock").iterdir() if "certificate" in path.name]
    payload = json.loads(base64.b64decode(json.loads(public)["dsseEnvelope"]["payload"]))["predicate"]
    assert payload["passed"] is False and not {"results", "sentence", "verdict"} & set(payload)
    tess.write(OPENINGS, public)
    assert "did not pass" in refused(tess, "certify", "buys", code="holdout.already-opened")
    assert "as number 1 of 3" in refused(ben, "holdout", "open", "buys", code="holdout.already-opened")


def test_only_who_joined_seals_and_only_labels_that_the_project_never_had(committed: Pair, tmp_path: Path) -> None:
    ben, tess, table = committed.ben, committed.tess, labelled(tmp_path)
    assert "may not sign a witness" in refused(tess, "holdout", "seal", "buys", str(table), code="refused.by-rule")
    assert "has this key already" in refused(tess, "holdout", "join", "tess", code="refused.by-rule")
    assert "sealed already" in refused(ben, "holdout", "seal", "buys", str(table), code="refused.by-rule")
    inside = ben.root / "labelled.csv"
    inside.write_bytes(table.read_bytes())
    refused(ben, "holdout", "seal", "buys", str(inside), code="holdout.labels-shared")
    ben.replace("models/buys.yaml", "data/holdout.csv", "work/train.parquet")
    refused(ben, "holdout", "seal", "buys", str(table), code="holdout.labels-shared")
    rows = table.read_text().replace("bought", "sold")
    (tmp_path / "other.csv").write_text(rows)
    ben.git("checkout", "models/buys.yaml")
    ben.replace("models/buys.yaml", "data/holdout.csv", "data/next.csv")
    assert "with their labels" in ben.run("holdout", "seal", "buys", str(tmp_path / "other.csv"), expect=3).err
    assert "no witness 'eve'" in ben.run("holdout", "seal", "buys", str(table), "--to", "eve", expect=3).err
    assert ben.run("holdout", "seal", "buys", str(table), "--budget", "0", expect=2).err
    assert "for 7 openings" in ben.run("holdout", "seal", "buys", str(table), "--budget", "7").out


def test_labels_sealed_to_another_are_not_opened_here(committed: Pair, tmp_path: Path) -> None:
    ben, tess = committed.ben, committed.tess
    eve = ben.copy_to(tmp_path / "eve")
    for key in (eve.root / ".mintage/keys").iterdir():
        key.unlink()
    for name in ("mintage.db", "mintage.db-wal", "mintage.db-shm", "audit.checkpoint"):
        (eve.root / ".mintage" / name).unlink(missing_ok=True)
    eve.run("holdout", "join", "eve")
    assert "expected ben, found eve" in refused(eve, "holdout", "open", "buys", code="holdout.another-holder")
    assert tess.run("holdout", "list", "buys").out.endswith("0 of 3 openings\n")


def test_each_thing_that_does_not_fit_is_refused_before_the_labels_are_decrypted(committed: Pair) -> None:
    ben, tess = committed.ben, committed.tess
    refused(tess, "holdout", "open", "buys", code="refused.by-rule")
    ben.replace("policies/buys.yaml", "min: 0.60", "min: 0.61")
    refused(ben, "holdout", "open", "buys", code="certify.policy-for-another-model")
    ben.git("checkout", "policies/buys.yaml")

    kept = ben.read(COMMITTED)
    ben.write(COMMITTED, kept.replace('"payload":"e', '"payload":"f'))
    assert ben.run("holdout", "open", "buys", expect=4)
    (ben.root / COMMITTED).unlink()
    refused(ben, "holdout", "open", "buys", code="holdout.already-opened")
    ben.write(COMMITTED, kept)

    said = commitment_of(ben)
    sign(ben, msgspec.structs.replace(said, answers="sha256:" + "0" * 64), by=tess)
    refused(ben, "holdout", "open", "buys", code="holdout.predictions-differ")
    sign(ben, msgspec.structs.replace(said, root="sha256:" + "0" * 64), by=tess)
    assert "another model" in refused(ben, "holdout", "open", "buys", code="model.package-invalid")
    sign(ben, msgspec.structs.replace(said, last="sha256:" + "0" * 64), by=tess)
    assert "author knew is gone" in refused(ben, "holdout", "open", "buys", code="holdout.history-rewritten")
    sign(ben, said, by=ben)
    assert "committed these answers himself" in refused(ben, "holdout", "open", "buys", code="holdout.another-holder")
    ben.write(COMMITTED, kept)

    rows = ben.read("data/holdout.csv")
    ben.write("data/holdout.csv", rows.replace("v300", "v301"))
    ben.run("add", "data/holdout.csv")
    refused(ben, "holdout", "open", "buys", code="holdout.rows-changed")
    assert not any(event["action"] == "holdout.open" for event in ben.audit())


def test_tuning_on_noise_uses_the_budget_up_and_never_passes(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    pair = make_pair(tmp_path, tmp_path / "home", budget=2, noise=True)
    ben, tess = pair.ben, pair.tess
    for number, strength in ((1, "1.0"), (2, "0.05"), (3, "0.001")):
        if number > 1:
            tess.write("params.yaml", f"strength: {strength}\n")
            tess.run("run")
        tess.run("certify", "buys", expect=1)
        pair.give(tess, f"round {number}")
        if number == 3:
            assert "fewer than 2 openings" in refused(ben, "holdout", "open", "buys", code="holdout.budget-spent")
            break
        assert ben.run("holdout", "open", "buys", expect=1).out == f"opening {number} of 2: not passed\n"
        pair.give(ben, f"opening {number}")
    assert [item["passed"] for item in tess.run("holdout", "list", "buys", "--json").json["openings"]] == [False, False]


def test_rewritten_histories_are_noticed(opened: Pair) -> None:
    ben, tess = opened.ben, opened.tess
    line = tess.read(OPENINGS)
    for project in (tess, ben):
        project.write(OPENINGS, "")
    assert "is gone" in broken(tess)
    refused(ben, "audit", "verify", code="holdout.history-rewritten")
    refused(ben, "holdout", "open", "buys", code="holdout.history-rewritten")
    for project in (tess, ben):
        project.write(OPENINGS, line)
    assert "verified" in ben.run("verify", "buys").out

    for name in ("mintage.db", "mintage.db-wal", "mintage.db-shm"):
        (ben.root / ".mintage" / name).unlink(missing_ok=True)
    (ben.root / ".mintage/audit.checkpoint").unlink()
    assert "no longer begins with the checkpoint" in broken(ben)
    for key in (ben.root / ".mintage/keys").glob("audit.pem*"):
        key.unlink()
    assert "another audit log than the one that is here" in broken(ben)

    tess.git("checkout", "-q", "--orphan", "again")
    tess.commit("a history that was always so")
    assert "not the one that ben witnessed" in broken(tess)
