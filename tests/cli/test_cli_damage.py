"""A missing or damaged file: what is wrong, where, and what to do; nothing else is touched."""

import shutil

import pytest

from small_project import FILES, flip

GARBAGE = b"\xff\xfe\x00 garbage {[:\n\t- :" * 200

# file, what is done to it (None: deleted), command, exit code, what the message says
DAMAGE = [
    ("mintage.yaml", GARBAGE, "status", 3, ["file-malformed", "mintage.yaml"]),
    (
        "mintage.yaml",
        b"project: visits\nstage: {}\n",
        "status",
        3,
        ["'stage'", "mintage.yaml:2:1", "did you mean 'stages'"],
    ),
    ("mintage.yaml", b"project: [visits\n", "run", 3, ["not valid YAML", "mintage.yaml:2:1"]),
    ("params.yaml", GARBAGE, "run", 3, ["file-malformed", "params.yaml"]),
    ("params.yaml", b"strength: 1\nstrength: 2\n", "status", 3, ["stands twice", "params.yaml:2:1"]),
    ("params.yaml", None, "run", 3, ["'strength'", "params.yaml"]),
    (
        "mintage.lock/train.json",
        GARBAGE,
        "run",
        3,
        ["a lock cannot be read", "mintage.lock/train.json", "delete the file"],
    ),
    ("models/buys.yaml", GARBAGE, "run", 3, ["file-malformed", "models/buys.yaml"]),
    ("models/buys.yaml", b"model: buys\ntask: ternary\n", "status", 3, ["models/buys.yaml:2:", "ternary"]),
    ("models/buys.yaml", None, "certify buys", 3, ["models/buys.yaml is not there"]),
    ("policies/buys.yaml", GARBAGE, "certify buys", 3, ["file-malformed", "policies/buys.yaml"]),
    ("policies/buys.yaml", None, "policy check", 3, ["there is no policy buys.yaml"]),
    (
        "policies/buys.yaml",
        FILES["policies/buys.yaml"].replace("check: Z3", "check: parity").encode(),
        "certify buys",
        3,
        ["certify.unknown-check", "'parity'", "policies/buys.yaml:6:", "did you mean"],
    ),
    ("trust.yaml", GARBAGE, "verify buys", 3, ["file-malformed", "trust.yaml"]),
    ("trust.yaml", None, "reconcile production", 3, ["trust.yaml is not there", "mintage init"]),
    ("trust.yaml", b"keys: {}\n", "certify buys", 1, ["may not sign a certificate", "trust.yaml"]),
    (".mintage/keys/project.pem", GARBAGE, "certify buys", 3, ["project.pem"]),
    (".mintage/mintage.db", GARBAGE, "log", 4, ["database.corrupt", "mintage.db"]),
    (".mintage/mintage.db", GARBAGE, "audit verify", 4, ["database.corrupt", "mintage.db"]),
    ("work/holdout.parquet", None, "status", 0, ["split: its outputs are missing or changed"]),
    ("data/visits.csv", None, "status", 0, ["not here, but in the store", "mintage checkout"]),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: f"{damage[0]} {damage[2]}")
def test_damage_is_named_with_its_place_and_a_way_out(released, damage):
    name, data, command, code, said = damage
    path = released.root / name
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    answer = released.run(*command.split(), expect=code)
    for part in said:
        assert part in answer.out + answer.err, answer
    if code:
        assert answer.out == ""
    assert path.exists() == (data is not None) and (data is None or path.read_bytes() == data)


def test_what_cannot_be_entered_in_the_log_is_not_done(released):
    head = released.git("rev-parse", "HEAD")
    (released.root / ".mintage/mintage.db").write_bytes(GARBAGE)
    released.run("release", "buys", "--to", "production", expect=4)
    released.run("rollback", "production/buys", expect=4)
    released.run("reconcile", "production", expect=4)
    assert released.git("rev-parse", "HEAD") == head
    assert released.git("status", "--porcelain") == ""
    assert not (released.production / "live.json").exists()


def test_a_lost_or_damaged_cache_costs_time_and_nothing_else(released):
    lock = released.lock("model:buys")
    for data in (None, GARBAGE):
        for path in (released.root / ".mintage").glob("cache.db*"):
            path.unlink()
        if data is not None:
            (released.root / ".mintage/cache.db").write_bytes(data)
        assert released.run("status", "--exit-code").out == "everything is up to date\n"
        assert released.run("run").out == "up to date: 3 stages\n"
    assert released.lock("model:buys") == lock
    for path in (released.root / ".mintage").glob("cache.db*"):
        path.unlink()
    (released.root / ".mintage/cache.db").mkdir()
    assert "error[system.refused]" in released.run("status", expect=3).err


def test_a_truncated_blob_is_never_used(released):
    item = released.lock("data/visits.csv")["outputs"][0]
    blob = released.blob(item["digest"])
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:100])
    (released.root / "data/visits.csv").unlink()
    for words in (("checkout",), ("run",)):
        answer = released.run(*words, expect=4)
        assert "store.digest-mismatch" in answer.err and str(blob) in answer.err
    assert not (released.root / "data/visits.csv").exists()


def test_a_damaged_result_is_made_again_after_its_blob_was_deleted(released):
    model = released.lock("train")["outputs"][0]
    lock = released.lock("model:buys")
    flip(released.blob(model["digest"]))
    (released.root / "work/model.joblib").unlink()
    answer = released.run("run", expect=4)
    assert "delete it and run the command that made it again" in answer.err
    released.blob(model["digest"]).unlink()
    assert released.run("run", "--json").json["actions"] == {"split": "keep", "train": "run", "model:buys": "keep"}
    assert released.lock("train")["outputs"][0] == model and released.lock("model:buys") == lock
    assert "verified: all" in released.run("verify", "buys").out


@pytest.mark.slow
def test_without_the_store_a_run_makes_everything_again_with_the_same_ids(released):
    root = released.lock("model:buys")["root"]
    shutil.rmtree(released.root / ".mintage/store")
    assert "the record of its run is not in the store" in released.run("status").out
    assert set(released.run("run", "--json").json["actions"].values()) == {"run"}
    assert released.lock("model:buys")["root"] == root
    chain = released.run("verify", "buys", expect=4)
    assert "NOT VERIFIED: 1 of 8 links are broken; the first: certificate" in chain.out
