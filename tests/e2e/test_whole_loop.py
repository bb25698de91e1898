"""The demo on a slice of the real data (all days, every tenth row), through the installed command line."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # the demo takes two minutes; `make demo` is the same

MINTAGE = [str(Path(sys.executable).with_name("mintage"))]
if not Path(MINTAGE[0]).exists():
    MINTAGE = [sys.executable, "-m", "mintage"]


def run(folder, *words, expect=0):
    done = subprocess.run([*MINTAGE, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "flights of 2013"
    # Inside another repository that ignores it, as `make demo` in a clone.
    git(folder.parent, "init", "-q")
    (folder.parent / ".gitignore").write_text("/flights*/\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # No identity and no configuration of the user's: a fresh machine.
    environment |= {"HOME": str(tmp_path_factory.mktemp("home")), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        [*MINTAGE, "demo", str(folder), "--every", "10", "--requests", "15"],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    return folder, done.stdout


@pytest.fixture
def copy(demo, tmp_path):
    """A copy of the demo's project to break."""
    folder = tmp_path / "copy"
    shutil.copytree(demo[0], folder, symlinks=True)
    return folder


def test_the_demo_tells_its_story_in_order(demo):
    story = demo[1]
    titles = [
        "1. Data",
        "2. Run",
        "3. Certify",
        "4. Release",
        "5. Predict",
        "6. Live traffic",
        "7. Retrain",
        "8. Prove",
    ]
    places = [story.index(f"== {title}") for title in titles]
    assert places == sorted(places)
    assert "error[release.refused]" in story
    assert "error[store.digest-mismatch]" in story
    assert "up to date: 4 stages" in story
    assert "params.train.iterations changed: 40 -> 41" in story
    assert len(story.split("== What happened")[1].strip().splitlines()) >= 10


def test_the_demo_leaves_a_clean_repository_and_no_process(demo):
    folder, _ = demo
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "branch", "--show-current") == "main"
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in processes


def test_the_policy_is_older_than_the_run_and_the_releases_are_in_git(demo):
    folder, _ = demo
    policy = git(folder, "log", "-1", "--format=%H", "--", "policies/late.yaml")
    trained = json.loads(run(folder, "show", "late", "--json"))["commit"]
    assert (
        subprocess.run(["git", "merge-base", "--is-ancestor", policy, trained], cwd=folder, check=False).returncode == 0
    )
    kinds = [entry["kind"] for entry in json.loads(run(folder, "log", "--json"))["releases"]]
    assert kinds == ["rollback", "rollback", "promoted", "canary", "first"]
    decision = git(folder, "log", "--format=%(trailers:key=Mintage-Decision,valueonly)", "--", "releases").split()
    assert decision and all(digest.startswith("b3:") for digest in decision)


def test_the_decisions_were_none_until_one_to_retrain(demo):
    folder, _ = demo
    index = folder / ".mintage/environments/production/decisions/late.txt"
    actions = [
        json.loads(run(folder, "show", line))["body"]["decision"]["action"] for line in index.read_text().split()
    ]
    assert actions[-1] == "retrain"
    assert set(actions[:-1]) <= {"none", "warn"}


def test_a_second_run_does_nothing_and_status_is_clean(demo):
    folder, _ = demo
    assert run(folder, "run") == "up to date: 4 stages\n"
    assert run(folder, "status", "--exit-code") == "everything is up to date\n"


def test_a_model_folder_has_no_pickle_and_loads_by_name(demo):
    folder, _ = demo
    shown = json.loads(run(folder, "show", "late", "--json"))
    names = {file["path"] for file in shown["files"]}
    assert {"model.onnx", "signature.json", "profile.json", "model.sig", "card.json", "CARD.md"} <= names
    assert not any(Path(shown["folder"], name).read_bytes()[:2] == b"\x80\x04" for name in names)
    code = (
        "import mintage\nmodel = mintage.load('late')\n"
        "row = dict(carrier='UA', origin='EWR', dest='IAH', minute_of_day=315.0, weekday=2.0, distance=1400.0,"
        " humid=None, wind_speed=10.0, wind_gust=None, precip=0.0, visib=10.0)\n"
        "print(float(model.predict(row).scores[0]))\n"
        "import sys\nassert 'sklearn' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 1


def test_the_whole_chain_verifies_from_a_live_endpoint_and_the_gateway_can_be_stopped(copy):
    state = json.loads(run(copy, "reconcile", "production", "--json"))
    try:
        with urllib.request.urlopen(f"{state['url']}/v2/models/late", timeout=10) as answer:
            assert json.loads(answer.read())["versions"][0] == state["models"]["late"]["champion"]
        chain = run(copy, "verify", state["url"])
        for link in ("endpoint", "release", "model", "certificate", "policy", "provenance", "run", "data", "commit"):
            assert f"ok  {link} " in chain
        assert json.loads(run(copy, "verify", "production/late", "--json"))["whole"] is True
        assert json.loads(run(copy, "reconcile", "production", "--json"))["changed"] is False
    finally:
        run(copy, "stop", "production")
    assert "was not running" in run(copy, "stop", "production")


def test_one_flipped_bit_anywhere_in_the_proof_breaks_the_chain(copy):
    shown = json.loads(run(copy, "show", "late", "--json"))
    graph = next(file["digest"] for file in shown["files"] if file["path"] == "model.onnx")
    for digest in (graph, shown["certificate"], shown["run"], shown["record"]):
        value = digest.removeprefix("b3:")
        blob = copy / ".mintage/store/b3" / value[:2] / value[2:]
        whole = blob.read_bytes()
        blob.chmod(0o644)
        blob.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
        assert "NOT VERIFIED" in run(copy, "verify", "production/late", expect=4)
        blob.write_bytes(whole)
    assert "verified: all" in run(copy, "verify", "production/late")


def test_a_clone_with_the_store_continues_where_the_project_was(copy, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(copy), str(clone))
    shutil.copytree(copy / ".mintage/store", clone / ".mintage/store")
    run(clone, "checkout")
    assert "verified: all" in run(clone, "verify", "production/late")


def test_the_page_tells_the_story_without_the_network(demo):
    page = (demo[0] / ".mintage/reports/index.html").read_text()
    for word in ("Certificates", "Releases", "Traffic and loss", "Drift", "Decisions", "Chain of proof"):
        assert word in page
    assert "<script" not in page and 'src="http' not in page and "@import" not in page
    assert run(demo[0], "report", "-o", ".mintage/reports/again.html").strip() == ".mintage/reports/again.html"
