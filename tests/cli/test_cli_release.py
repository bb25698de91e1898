"""Releases from the command line: every answer as JSON, uncommitted locks, identities, ports, rollbacks, clones."""

import socket

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from small_project import SmallProject


@pytest.fixture
def replaced(released):
    """Model ``b`` replaced ``a`` in production; nothing serves."""
    released.run("release", "buys", "--to", "production", "--why", "the second")
    return released


def test_the_loop_answers_in_json_at_every_step(released):
    day = pa.table(
        {
            "visit": [f"new{number}" for number in range(60)],
            "at": pa.array([1_770_000_000 + 600 * number for number in range(60)], pa.timestamp("s")),
            "pages": [float(number) for number in range(60)],
            "minutes": [3.0] * 60,
        }
    )
    pq.write_table(day, released.root / "in.parquet")
    labels = pa.table({"request_id": day["visit"], "label": [number % 2 for number in range(60)]})
    pq.write_table(labels, released.root / "labels.parquet")
    a, b = released.manifest()["champion"]["root"], released.lock("model:buys")["root"]
    assert released.run("release", "buys", "--to", "production", "--canary", "30", "--json").json["commit"]
    state = released.run("reconcile", "production", "--json").json
    assert state["models"]["buys"] == {"champion": a, "challenger": b, "share": 0.3}
    scored = released.run("predict", "buys", "in.parquet", "out.parquet", "--json").json
    assert scored["rows"] == 60 and set(scored["by_variant"]) == {"champion", "challenger"}
    assert released.run("labels", "buys", "labels.parquet", "--json").json["rows"] == 60
    decision = released.run("monitor", "buys", "--no-candidate", "--json").json
    assert decision["decision"]["action"] in ("none", "warn")
    assert released.run("show", "decision", "--json").json["record"] == decision["record"]
    assert released.run("retrain", "buys", "--json", expect=1).json["error"]["code"] == "refused.by-rule"
    verdict = released.run("release", "buys", "--to", "production", "--promote", "--json", expect=1).json
    assert verdict["canary"]["action"] == "hold" and verdict["commit"] is None
    ended = released.run("release", "buys", "--to", "production", "--end-canary", "--json").json
    assert ended["manifest"]["champion"]["root"] == a and "challenger" not in ended["manifest"]
    assert released.run("rollback", "production/buys", "--json").json["champion"] == a
    assert released.run("reconcile", "production", "--json").json["changed"] is False
    assert released.run("verify", state["url"], "--json").json["whole"] is True
    assert released.run("policy", "check", "--json").json["buys"]["model"] == "buys"
    assert released.run("why", "train", "--json").json["reasons"] == []
    assert released.run("add", "data/visits.csv", "--json").json[0]["path"] == "data/visits.csv"
    assert released.run("checkout", "--json").json == []
    assert released.run("stop", "production", "--json").json == {"environment": "production", "stopped": True}
    assert released.run("report", "--json").json["report"].endswith("index.html")
    assert released.run("audit", "--json").json[-1]["action"] == "release.stop"
    kinds = [entry["kind"] for entry in released.run("log", "--json").json["releases"]]
    assert kinds == ["rollback", "canary ended", "canary", "first"]


def test_saying_the_same_release_again_changes_nothing(replaced):
    head = replaced.git("rev-parse", "HEAD")
    again = replaced.run("release", "buys", "--to", "production", "--why", "the second", "--json").json
    assert again["commit"] is None and again["manifest"] == replaced.manifest()
    assert replaced.git("rev-parse", "HEAD") == head


def test_a_release_of_an_uncommitted_lock_is_refused(released):
    released.git("checkout", "HEAD~2", "--", "mintage.lock")
    answer = released.run("release", "buys", "--to", "production", expect=3)
    assert "error[release.uncommitted]" in answer.err and "git add mintage.lock && git commit" in answer.err


def test_a_dirty_tree_does_not_enter_a_release(released):
    released.write("train.py", released.read("train.py") + "# later\n")
    released.write("notes.txt", "mine\n")
    released.git("add", "notes.txt")
    released.run("release", "buys", "--to", "production")
    assert released.git("show", "--name-only", "--format=", "HEAD") == "releases/production/buys.yaml"
    assert released.git("status", "--porcelain").splitlines() == ["A  notes.txt", " M train.py"]
    assert "train" in released.run("status").out


def test_without_an_identity_git_is_asked_for_one_and_the_next_try_succeeds(released):
    nobody = dict.fromkeys([key for key in released.environment if key.startswith("GIT_")])
    nobody |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"}
    answer = released.run("release", "buys", "--to", "production", expect=3, **nobody)
    assert "git config user.email" in answer.err
    answer = released.run("release", "buys", "--to", "production")
    assert released.git("log", "-1", "--format=%an") == "Tess"
    assert released.manifest()["champion"]["root"] == released.lock("model:buys")["root"]


@pytest.mark.slow
def test_a_declared_port_that_is_taken_is_an_error_and_a_remembered_one_is_given_up(released):
    url = released.run("reconcile", "production", "--json").json["url"]
    released.run("stop", "production")
    with socket.create_server(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as taken:
        port = taken.getsockname()[1]
        answer = released.run("reconcile", "production")
        assert f"port {port} is in use by another process now: taking a new one" in answer.err
        second = released.run("reconcile", "production", "--json").json["url"]
        assert second != url
        released.run("stop", "production")
        released.replace("mintage.yaml", "production: {}", f"production: {{port: {port}}}")
        answer = released.run("reconcile", "production", expect=7)
        assert f"port {port} is in use" in answer.err and "hint:" in answer.err
    assert released.run("reconcile", "production", "--json").json["url"] == url


def test_a_rollback_is_a_commit_that_needs_no_clean_tree(replaced):
    a = replaced.git("show", "HEAD~1:releases/production/buys.yaml")
    replaced.write("train.py", replaced.read("train.py") + "# later\n")
    assert "again" in replaced.run("rollback", "production/buys").out
    assert replaced.git("show", "HEAD:releases/production/buys.yaml") == a
    assert replaced.git("status", "--porcelain") == "M train.py"
    assert replaced.audit()[-1]["action"] == "release.rollback"


@pytest.mark.parametrize("obstacle", ["edited", "staged", "conflict", "under way"])
def test_a_rollback_that_cannot_be_done_leaves_everything_as_it_was(replaced, obstacle):
    said = "commit or stash your changes first"
    manifest = replaced.manifest()
    if obstacle == "edited":
        replaced.write_manifest(manifest | {"why": "edited by hand"})
    elif obstacle == "staged":
        replaced.write_manifest(manifest | {"why": "edited by hand"})
        replaced.git("add", "-A")
    elif obstacle == "conflict":
        # The last change of the manifest came with one of train.py, which changed again since.
        replaced.write_manifest(manifest | {"why": "together with code"})
        replaced.write("train.py", replaced.read("train.py") + "# one\n")
        replaced.commit("both")
        replaced.replace("train.py", "# one", "# two")
        replaced.commit("code alone")
        said = "release the model you want instead"
    else:
        replaced.write("train.py", "# other\n")
        replaced.commit("other")
        replaced.write("train.py", "# another\n")
        replaced.commit("another")
        with pytest.raises(AssertionError, match="CONFLICT"):
            replaced.git("revert", "HEAD~1")
        said = "finish it or abort it"
    before = (replaced.git("rev-parse", "HEAD"), replaced.git("status", "--porcelain"), replaced.read("train.py"))
    answer = replaced.run("rollback", "production/buys", expect=3)
    assert "error[git.failed]" in answer.err and said in answer.err
    after = (replaced.git("rev-parse", "HEAD"), replaced.git("status", "--porcelain"), replaced.read("train.py"))
    assert after == before


@pytest.mark.slow
def test_a_clone_says_what_it_lacks_and_runs_again_when_the_data_are_there(released, tmp_path):
    clone = SmallProject(tmp_path / "clone", released.home)
    released.git("clone", "-q", str(released.root), str(clone.root))
    assert "data/visits.csv" in clone.run("status").out
    answer = clone.run("run", expect=3)
    assert "data/visits.csv, which is not there" in answer.err and "copy it here" in answer.err
    answer = clone.run("checkout", expect=4)
    assert "data/visits.csv is neither here nor in the store" in answer.err and "mintage pull" in answer.err
    assert "error[store.blob-missing]" in clone.run("release", "buys", "--to", "production", expect=4).err
    assert "error[store.blob-missing]" in clone.run("reconcile", "production", expect=4).err
    assert "NO  model buys" in clone.run("verify", "buys", expect=4).out
    (clone.root / "data").mkdir(exist_ok=True)
    (clone.root / "data/visits.csv").write_bytes((released.root / "data/visits.csv").read_bytes())
    answer = clone.run("run")
    assert "note: what was built cannot be certified or released here" in answer.err
    assert clone.lock("model:buys")["root"] == released.lock("model:buys")["root"]
    answer = clone.run("certify", "buys", expect=1)
    assert "may not sign a certificate" in answer.err and "trust.yaml" in answer.err
    assert "holdout.open" not in [entry["action"] for entry in clone.audit()]
