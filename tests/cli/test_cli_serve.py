"""``mintage serve`` of a project's model: proven by trust.yaml, entered in the audit log, beside the releases."""

import contextlib
import json
import shutil
import subprocess
import sys

import yaml
from test_cli_export import folder_of

from small_project import ended, flip


@contextlib.contextmanager
def serving(project, *words):
    """A started `mintage serve` and the first line that it printed."""
    with ended(project.start("serve", *words, "--port", "0")) as process:
        yield process, process.stdout.readline().strip()


def test_a_model_of_the_project_is_served_by_name_and_entered_in_the_audit_log(released):
    with serving(released, "buys", "--json") as (process, line):
        found = json.loads(line)
        assert found["root"] == released.lock("model:buys")["root"]
        assert released.infer(found["url"], request_id="one")["outputs"][0]["name"] == "score"
        process.terminate()
        _, talk = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "signed by key" in talk and "only digests" not in talk
    entry = released.audit()[-1]
    assert (entry["action"], entry["resource"]) == ("model.serve", "buys")
    assert entry["details"]["root"] == found["root"]
    assert released.git("status", "--porcelain") == ""
    assert not (released.production / "desired.json").exists()


def test_a_model_that_trust_yaml_does_not_know_or_that_was_changed_is_not_served(released):
    trust = yaml.safe_load(released.read("trust.yaml"))
    for key in trust["keys"].values():
        key["roles"] = [role for role in key["roles"] if role != "model"]
    before = released.read("trust.yaml")
    released.write("trust.yaml", yaml.safe_dump(trust))
    assert released.run("serve", "buys", "--port", "0", expect=None).code in (3, 4)
    released.write("trust.yaml", before)
    flip(folder_of(released) / "model.onnx")
    answer = released.run("serve", "buys", "--port", "0", expect=4)
    assert "model.onnx" in answer.err and answer.out == ""
    assert all(entry["action"] != "model.serve" for entry in released.audit())


def test_a_model_by_name_may_be_bound_to_one_key_more_strictly(released, tmp_path):
    key = released.root / ".mintage" / "keys" / "project.pem.pub"
    with serving(released, "buys", "--trust", str(key)) as (process, line):
        assert line.startswith("http://127.0.0.1:")
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
    shutil.copy(released.root / ".mintage" / "keys" / "project.pem", tmp_path / "private.pem")
    answer = released.run("serve", "buys", "--trust", str(tmp_path / "private.pem"), expect=None)
    assert answer.code != 0 and "private key" in answer.err


def test_the_export_for_containers_serves_the_projects_model_and_its_own_test_passes(_released, tmp_path):
    folder = tmp_path / "export"
    _released.run("export", "buys", "--to", "docker", "--out", str(folder))
    with serving(_released, str(folder / "model"), "--trust", str(folder / "trust.pem")) as (process, url):
        command = [sys.executable, "-I", str(folder / "smoke_test.py"), url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        process.terminate()
        process.communicate(timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: ")
