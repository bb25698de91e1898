"""Ctrl-C, kill -9 and two commands at once: nothing is lost, and the next command goes on."""

import http.client
import json
import os
import signal
import threading
import urllib.error

import pyarrow.parquet as pq
import pytest

from small_project import ended, wait_until

WAITING = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n"
READY = "import json\njson.dump({'good': 1}, open('work/score.json', 'w'))\n"


@pytest.fixture
def scored(fresh):
    """The project before its first run, with a stage after training that waits."""
    stage = "  score:\n    run: python score.py\n    in: [work/model.joblib]\n    metrics: [work/score.json]\nmodels:\n"
    fresh.replace("mintage.yaml", "models:\n", stage)
    fresh.write("score.py", WAITING)
    fresh.commit("a stage that waits")
    return fresh


def _until_line(process, text):
    """Read the talk of a command until a line has ``text``; returns what was said."""
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return said
    raise AssertionError(f"the command ended without {text!r}: {said}")


def _waits(project):
    return any("waiting" in path.read_text() for path in project.root.glob(".mintage/logs/*/score.log"))


def test_after_ctrl_c_a_run_says_that_nothing_is_lost_and_the_next_one_goes_on(scored):
    with ended(scored.start("run", "--json")) as process:
        wait_until(lambda: _waits(scored) or process.poll() is not None, "the stage that waits")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "nothing is lost" in err and "Traceback" not in err
    assert [row["status"] for row in scored.run("log", "--json").json["runs"]] == ["interrupted"]
    assert list((scored.root / ".mintage/tmp").glob("*")) == []
    scored.write("score.py", READY)
    actions = {"split": "keep", "train": "keep", "score": "run", "model:buys": "run"}
    assert scored.run("run", "--json").json["actions"] == actions
    assert scored.run("verify", "buys", "--json").json["whole"] is True


def test_after_kill_9_at_several_moments_the_next_run_goes_on(scored):
    for moment in ("split ", "score ", "model:buys "):
        if moment == "model:buys ":
            scored.write("score.py", READY)
        with ended(scored.start("run")) as process:
            _until_line(process, f"  {moment}")
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
        assert scored.run("status", "--exit-code", expect=1).err == ""
    actions = {"split": "keep", "train": "keep", "score": "keep", "model:buys": "run"}
    assert scored.run("run", "--json").json["actions"] == actions
    statuses = [row["status"] for row in scored.run("log", "--json").json["runs"]]
    assert statuses == ["finished", "interrupted", "interrupted", "interrupted"]
    assert scored.run("verify", "buys", "--json").json["whole"] is True
    assert scored.run("status", "--exit-code").out == "everything is up to date\n"


def test_of_two_runs_at_once_one_does_the_work(fresh):
    with ended(fresh.start("run", "--json")) as one, ended(fresh.start("run", "--json")) as other:
        answers = [(*process.communicate(timeout=120), process.returncode) for process in (one, other)]
    assert all("Traceback" not in err for _, err, _ in answers)
    assert [code for _, _, code in answers] == [0, 0]
    done = [set(json.loads(out)["actions"].values()) for out, _, _ in answers]
    assert sorted(map(sorted, done)) == [["keep"], ["run"]]
    assert [row["status"] for row in fresh.run("log", "--json").json["runs"]] == ["finished"]


def test_of_two_reconciles_at_once_one_starts_the_gateway(released):
    with ended(released.start("reconcile", "production", "--json")) as one:
        other = released.run("reconcile", "production", "--json").json
        first = json.loads(one.communicate(timeout=60)[0])
    assert sorted((first["changed"], other["changed"])) == [False, True]
    assert first["url"] == other["url"]


def test_after_kill_9_of_reconcile_at_several_moments_it_goes_on(released):
    for moment in ("verifying", "starting the gateway"):
        with ended(released.start("reconcile", "production")) as process:
            _until_line(process, moment)
            process.kill()
            process.wait(60)
        state = released.run("reconcile", "production", "--json").json
        assert released.infer(state["url"], request_id=moment)["model_version"] == state["models"]["buys"]["champion"]
        released.run("stop", "production")
    with ended(released.start("reconcile", "production")) as process:
        wait_until((released.production / "live.json").exists, "the gateway")
        process.kill()
        process.wait(60)
    assert released.run("reconcile", "production", "--json").json["changed"] is False


def test_kill_9_of_the_gateway_loses_no_answered_prediction(released):
    url = released.run("reconcile", "production", "--json").json["url"]
    answered, stop = [], threading.Event()

    def ask():
        number = 0
        while not stop.is_set():
            try:
                answered.append(released.infer(url, request_id=f"r{number}", pages=number % 100)["id"])
            except urllib.error.HTTPError:
                raise
            except (OSError, http.client.HTTPException):
                return  # killed, before or within an answer
            number += 1

    for moment in (1, 150):
        asking = threading.Thread(target=ask)
        count = len(answered)
        asking.start()
        wait_until(lambda count=count, moment=moment: len(answered) >= count + moment, "answers")
        os.kill(released.gateway_pid(), signal.SIGKILL)
        asking.join()
        state = released.run("reconcile", "production", "--json").json
        assert state["changed"] and state["url"] == url
    stop.set()
    released.run("stop", "production")
    logged = [
        request
        for path in (released.production / "predictions/buys").rglob("*.parquet")
        for request in pq.read_table(path)["request_id"].to_pylist()
    ]
    assert len(logged) >= len(answered)
    for request in set(answered):
        assert logged.count(request) >= answered.count(request)
