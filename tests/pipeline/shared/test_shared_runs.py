"""What a colleague has run is a download, if whole and trusted; all else is a miss, and one line says why."""

from __future__ import annotations

import json
import shutil

import pytest
from team import Team, make_key

from small_project import ended, flip


def test_what_another_ran_is_a_download_with_its_maker(team: Team) -> None:
    ben = team.clone("ben")
    answer = ben.run("run", "--json")
    assert answer.json["actions"] == {"clean": "download", "fit": "download"}
    assert "downloaded (made by local, " in answer.err
    assert ben.read("model/shape.txt") == "3" and ben.read("clean.csv") == "A,B\n1,2\n"
    assert ben.git("status", "--porcelain") == "", "the locks are Ana's, byte for byte"
    taken = [event for event in ben.audit() if event["action"] == "result.take"]
    assert [event["resource"] for event in taken] == ["clean", "fit"]
    shown = json.loads(ben.run("show", taken[1]["details"]["statement"]).out)
    assert "in run " in ben.run("logs", "fit").err and ben.run("logs", "fit").out == "fitting\n"
    assert shown["signed_by"] == "local" and shown["predicate"]["metrics"] == [["depth", 3, 0]]
    assert ben.run("run").out == "up to date: 2 stages\n"


def test_status_why_and_a_dry_run_say_where_a_result_would_come_from(team: Team) -> None:
    ben = team.clone("ben")
    shutil.copy(team.ana.root / "clean.csv", ben.root / "clean.csv")
    ben.run("run", "clean")
    ben.replace("params.yaml", "3", "4")
    assert "has its result" not in ben.run("why", "fit").out
    ben.replace("params.yaml", "4", "3")
    assert "but `mintage run` has its result: downloaded, made by local, " in ben.run("why", "fit").out
    assert "`mintage run` would not run it: downloaded, made by local, " in ben.run("status").out
    row = ben.run("run", "--dry", "--json").json["plan"][1]
    assert row["action"] == "download" and row["reasons"][0].startswith("made by local, ")
    assert ben.run("run", "--dry", "--no-shared", "--json").json["plan"][1]["action"] == "run"
    ben.replace("trust.yaml", ", result]", "]")
    assert ben.run("status", "--json").json["known"] == {}


def test_a_result_that_was_downloaded_is_restored_without_the_remote(team: Team) -> None:
    ben = team.clone("ben")
    ben.run("run")
    ben.replace("params.yaml", "3", "4")
    assert ben.run("run", "--json").json["actions"]["fit"] == "run"
    shutil.rmtree(team.remote)
    ben.replace("params.yaml", "4", "3")
    answer = ben.run("run", "--json")
    assert answer.json["actions"]["fit"] == "restore" and "restored, made by local" in answer.err


def test_one_result_comes_without_the_data_of_other_stages_of_its_run(team: Team) -> None:
    ana = team.ana
    ana.write("other.py", 'open("other.bin", "w").write("x" * 1000)\n')
    ana.replace(
        "mintage.yaml", "stages:\n", "stages:\n  other: {run: python other.py, in: [params.yaml], out: [other.bin]}\n"
    )
    ana.replace("params.yaml", "3", "5")
    ana.run("run", "--share", "--yes")
    ana.commit("another stage")
    ben = team.clone("ben")
    ben.run("run", "fit")
    other = ana.lock("other")["outputs"][0]["digest"]
    assert team.blob(other).is_file() and not ben.blob(other).exists()
    assert ben.record(ana.lock("fit")["run"])["body"]["stages"].keys() == {"clean", "fit", "other"}


def test_no_shared_runs_it_and_asks_nobody(team: Team) -> None:
    ben = team.clone("ben")
    assert ben.run("run", "--no-shared", "--json").json["actions"] == {"clean": "run", "fit": "run"}


def test_force_runs_it(team: Team) -> None:
    ben = team.clone("ben")
    assert ben.run("run", "--force", "--json").json["actions"] == {"clean": "run", "fit": "run"}


@pytest.mark.parametrize("remote", ["remote: /nowhere/at/all\n", ""])
def test_without_a_remote_that_can_be_used_a_run_runs(team: Team, remote: str) -> None:
    ben = team.clone("ben")
    ben.replace("mintage.yaml", "remote: ~/remote\n", remote)
    answer = ben.run("run", "--json")
    assert answer.json["actions"] == {"clean": "run", "fit": "run"} and "remote" not in answer.err


def test_a_remote_that_breaks_is_told_of_once_and_costs_the_run_nothing(team: Team) -> None:
    ben = team.clone("ben")
    results = team.remote / "results"
    key = team.ana.lock("clean")["key"]
    folder = results / key[3:5] / key[5:]
    shutil.rmtree(folder)
    folder.symlink_to(folder)  # reading it is an error that is no missing file
    answer = ben.run("run", "--json")
    assert answer.json["actions"] == {"clean": "run", "fit": "run"}
    assert answer.err.count("this run shares nothing more") == 1


def test_a_run_with_nothing_to_do_does_not_ask_the_remote(team: Team) -> None:
    (team.remote / "mintage-remote.json").unlink()
    (team.remote / "mintage-remote.json").symlink_to("mintage-remote.json")
    answer = team.ana.run("run")
    assert answer.out == "up to date: 2 stages\n" and answer.err == ""


def test_every_finished_stage_is_shared_at_once(team: Team) -> None:
    ana = team.ana
    ana.replace("mintage.yaml", "remote:", "share: true\nremote:")
    ana.write("clean.py", ana.read("clean.py") + "# again\n")
    ana.write("data.csv", "a,b\n3,4\n")
    ana.replace("fit.py", "import json", "raise SystemExit(1)\nimport json")
    answer = ana.run("run", expect=6)
    assert "clean        shared: " in answer.err
    ben = team.clone("ben")
    for name in ("clean.py", "data.csv", "mintage.yaml"):
        shutil.copy(ana.root / name, ben.root / name)
    assert ben.run("run", "clean", "--json").json["actions"] == {"clean": "download"}


def test_a_push_that_breaks_half_way_leaves_no_statement_and_the_next_goes_on(team: Team) -> None:
    ana = team.ana
    before = team.statements()
    ana.replace("params.yaml", "3", "8")
    ana.run("run")
    blob = team.blob(ana.lock("fit")["run"])  # the record: it goes after the outputs
    shutil.rmtree(blob.parent, ignore_errors=True)
    blob.parent.write_bytes(b"a file where a folder should be")
    assert ana.run("push", expect=None).code != 0
    assert team.statements() == before
    blob.parent.unlink()
    assert ana.run("push", "--json").json["shared"] == ["fit"]
    assert len(team.statements()) == len(before) + 1


def test_two_who_push_at_once_are_both_heard(team: Team) -> None:
    ben = team.clone("ben")
    ben.run("run", "--no-shared")
    shutil.rmtree(team.remote)
    with ended(team.ana.start("push")) as one, ended(ben.start("push")) as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert len(team.statements()) == 4
    assert "downloaded (made by local" in team.clone("cleo").run("run").err
    assert not list(team.remote.rglob(".tmp-*"))


def test_what_cannot_be_proven_elsewhere_is_not_shared(team: Team) -> None:
    ana = team.ana
    ana.replace("params.yaml", "3", "8")
    ana.run("run")
    ana.blob(ana.record(ana.lock("fit")["run"])["body"]["environment"]).unlink()
    shutil.rmtree(team.remote)
    answer = ana.run("push", expect=4)
    assert "1 blob that the locks or their records name is nowhere" in answer.err
    assert team.statements() == []


def test_only_what_this_clone_ran_is_shared(team: Team) -> None:
    ben = team.clone("ben")
    ben.run("pull")
    assert ben.run("push", "--json").json["shared"] == []
    ben.replace("params.yaml", "3", "8")
    ben.run("run")
    answer = ben.run("push")
    assert answer.out.endswith("shared the 1 result of fit\n")
    lines = answer.err.partition("under `keys:`, with a name of yours:\n")[2].splitlines()[:7]
    ben.write("trust.yaml", ben.read("trust.yaml") + "\n".join(lines).replace("NAME", "ben") + "\n")
    cleo = team.clone("cleo")
    shutil.copy(ben.root / "trust.yaml", cleo.root / "trust.yaml")
    cleo.replace("params.yaml", "3", "8")
    assert "fit          downloaded (made by ben, " in cleo.run("run").err
    assert ben.run("push", "--json").json == ben.run("push", "--json").json


def test_a_key_that_trust_does_not_name_is_a_miss_that_says_so(team: Team) -> None:
    ben = team.clone("ben")
    ben.replace("params.yaml", "3", "7")
    assert "others take these results once trust.yaml has this" in ben.run("run", "--share").err
    cleo = team.clone("cleo")
    cleo.replace("params.yaml", "3", "7")
    answer = cleo.run("run", "--json")
    assert answer.json["actions"] == {"clean": "download", "fit": "run"}
    assert answer.err.count("a shared result is not used: it is by key") == 1
    assert "which trust.yaml does not name" in answer.err
    team.trust(cleo, ben=(ben, ["certificate"]))
    cleo.replace("fit.py", "import json", "import  json")
    shutil.copy(cleo.root / "fit.py", ben.root / "fit.py")
    ben.run("run", "--share")
    assert "it is by ben, whose key has not the role `result` or `ci`" in cleo.run("run").err


def test_a_key_that_was_removed_from_trust_counts_no_longer_even_for_what_was_downloaded(team: Team) -> None:
    ben = team.clone("ben")
    ben.run("run")
    shutil.rmtree(ben.root / "model")
    ben.replace("trust.yaml", ", result]", "]")
    answer = ben.run("run", "--json")
    assert answer.json["actions"] == {"clean": "keep", "fit": "run"}
    assert "whose key has not the role `result`" in answer.err


def test_results_may_end_after_days(team: Team) -> None:
    ben = team.clone("ben")
    ben.write("trust.yaml", "results: {days: 30}\n" + ben.read("trust.yaml"))
    assert ben.run("run", "--json").json["actions"]["fit"] == "download"


@pytest.mark.parametrize("which", ["clean.csv", "model"])
def test_a_tampered_output_in_the_remote_is_never_taken(team: Team, which: str) -> None:
    locks = team.ana.lock("clean"), team.ana.lock("fit")
    item = next(each for lock in locks for each in lock["outputs"] if each["path"] == which)
    digest = item["digest"]
    if item.get("folder"):
        digest = json.loads(team.blob(digest).read_bytes())["entries"][1]["digest"]
    flip(team.blob(digest))
    ben = team.clone("ben")
    answer = ben.run("run", "--json")
    stage = "clean" if which == "clean.csv" else "fit"
    assert answer.json["actions"] == {"clean": "download", "fit": "download"} | {stage: "run"}
    assert "that of local is not whole: blob " in answer.err and "does not match its name" in answer.err
    assert ben.read("clean.csv") == "A,B\n1,2\n" and ben.read("model/weights.bin") == "A,B\n1,2\n" * 3


def test_bytes_that_the_remote_lost_are_a_miss_that_names_the_file(team: Team) -> None:
    team.blob(team.ana.lock("clean")["outputs"][0]["digest"]).unlink()
    answer = team.clone("ben").run("run", "--json")
    assert answer.json["actions"] == {"clean": "run", "fit": "download"}
    assert "that of local is not whole: clean.csv is not in the remote" in answer.err


def test_a_tampered_statement_is_a_miss_that_says_so(team: Team) -> None:
    path = team.statement(team.ana.lock("fit")["key"])
    flip(path)
    answer = team.clone("ben").run("run", "--json")
    assert answer.json["actions"] == {"clean": "download", "fit": "run"}
    assert f"a shared result is not used: {path.name}: " in answer.err


def test_a_statement_about_another_key_counts_for_nothing(team: Team) -> None:
    path, other = (team.statement(team.ana.lock(name)["key"]) for name in ("fit", "clean"))
    shutil.copy(other, path)
    assert "what local signed is about another key" in team.clone("ben").run("run").err


def test_of_two_makers_who_disagree_the_most_trusted_is_taken_and_told(team: Team) -> None:
    ben, ci = team.clone("ben"), team.clone("ci")
    for clone in (ben, ci):
        make_key(clone)
    team.trust(team.ana, ben=(ben, ["result"]), ci=(ci, ["ci"]))
    team.ana.write("fit.py", team.ana.read("fit.py") + '(folder / "luck.txt").write_text(os.getcwd())\n')
    team.ana.commit("a stage that is never the same")
    for clone in (ben, ci):
        clone.git("pull", "-q")
        clone.run("run", "--no-shared")
        told = clone.run("push").err
    assert "fit: two makers disagree: ci and ben made different model" in told, "whoever comes second hears of it"
    cleo = team.clone("cleo")
    answer = cleo.run("run")
    assert "fit          downloaded (made by ci, " in answer.err
    assert "two makers disagree: ci and ben made different model from the same key" in answer.err
    assert cleo.read("model/luck.txt") == ci.read("model/luck.txt") != ben.read("model/luck.txt")


def test_an_own_result_whose_bytes_are_gone_here_comes_back_from_the_remote(team: Team) -> None:
    ana = team.ana
    digest = ana.lock("clean")["outputs"][0]["digest"]
    ana.blob(digest).unlink()
    (ana.root / "clean.csv").unlink()
    assert ana.run("run", "--json").json["actions"] == {"clean": "restore", "fit": "keep"}
    assert ana.read("clean.csv") == "A,B\n1,2\n"


@pytest.mark.parametrize("path", ["clean.csv", "model/weights.bin"])
def test_a_result_whose_bytes_are_gone_from_every_store_is_a_miss_that_names_the_file(team: Team, path: str) -> None:
    ana = team.ana
    stage = "clean" if path == "clean.csv" else "fit"
    item = next(each for each in ana.lock(stage)["outputs"] if each["path"] == path.partition("/")[0])
    digest = item["digest"]
    if item.get("folder"):
        entries = json.loads(ana.blob(digest).read_bytes())["entries"]
        digest = next(each["digest"] for each in entries if path.endswith(each["path"]))
    for blob in (ana.blob(digest), team.blob(digest)):
        blob.unlink()
    (ana.root / path).unlink()
    answer = ana.run("run", "--json")
    assert answer.json["actions"][stage] == "run"
    assert f"was made before, but {path} is in no store any more: it runs again" in answer.err
    assert (ana.root / path).is_file()


@pytest.mark.slow
def test_a_bisection_over_what_others_have_run_runs_nothing(team: Team) -> None:
    ana = team.ana
    for depth in ("4", "5"):
        ana.replace("params.yaml", str(int(depth) - 1), depth)
        ana.run("run", "--share")
        ana.commit(f"depth {depth}")
    ben = team.clone("ben")
    ben.run("pull")
    found = ben.run("bisect", "HEAD~2", "--metric", "depth", "--above", "4", "--json").json
    assert found["ran"] == 0
    assert found["good"] is not None
