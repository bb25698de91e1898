"""A change planted in code, data, parameters or the environment is attributed to it."""

from __future__ import annotations

import msgspec
import pytest
from change_project import ChangeProject, environment_with

from mintage.errors import StageFailedError, UnknownNameError
from mintage.pipeline.change.attribute import explain_change
from mintage.repo.locks import Item, read_lock, write_lock
from mintage.store.local import Store
from programs import program
from wheels import requirements, write_wheel


@pytest.fixture
def project(tmp_path):
    made = ChangeProject(tmp_path / "a project")
    made.add()
    made.commit("start")
    made.git("tag", "before")
    yield made
    made.connection.close()


def explained(project, old="before", new="HEAD", metric="score"):
    return explain_change(project.workspace, old=old, new=new, metric=metric, run=project.run_stages)


def shares(found) -> dict[tuple[str, ...], float]:
    (change,) = found.metrics
    own = {share.parts: share.share for share in change.shares}
    assert sum(own.values()) == pytest.approx(change.new - change.old)
    return own


def plant_code(project) -> None:
    project.replace("fit.py", "0 + total", "7 + total")


def plant_data(project) -> None:
    project.write("data/rows.txt", "1\n2\n30\n")
    project.add()


def plant_parameters(project) -> None:
    project.write("params.yaml", "fit:\n  depth: 5\n")


PLANTED = {"code": (plant_code, 7), "data": (plant_data, 30), "parameters": (plant_parameters, 40)}


@pytest.mark.parametrize("part", PLANTED)
def test_a_change_planted_in_one_part_is_all_its_own(project, part) -> None:
    plant, share = PLANTED[part]
    plant(project)
    project.commit("planted")
    found = explained(project)
    assert shares(found) == {(part,): share}
    assert list(found.differences) == [part]
    assert found.combinations == 2


def test_changes_in_three_parts_are_told_apart_and_the_second_time_nothing_runs(project) -> None:
    for plant, _ in PLANTED.values():
        plant(project)
    project.commit("planted")
    head = project.git("rev-parse", "HEAD")
    found = explained(project)
    assert shares(found) == {(part,): share for part, (_, share) in PLANTED.items()}
    assert found.differences == {"code": ["fit.py"], "data": ["data/rows.txt"], "parameters": ["fit.depth 1 -> 5"]}
    assert (found.combinations, project.ran("fit"), project.ran("prepare")) == (8, 8, 2)
    again = explained(project)
    assert (again.metrics, again.ran, project.ran("fit")) == (found.metrics, 0, 8)
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""
    assert project.git("worktree", "list").count("\n") == 0


def test_another_interpreter_is_the_environment(tmp_path) -> None:
    first, second = environment_with(tmp_path / "one", 1), environment_with(tmp_path / "two", 3)
    project = ChangeProject(tmp_path / "p", python=str(first))
    project.commit("start")
    project.git("tag", "before")
    project.replace("mintage.yaml", str(first), str(second))
    plant_parameters(project)
    project.commit("planted")
    found = explained(project)
    project.connection.close()
    assert shares(found) == {("parameters",): 40, ("environment",): 2000}
    assert found.differences["environment"] == ["weights 1 -> 3"]
    assert project.ran("prepare") == 2


@pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")
def test_a_package_of_a_lock_is_the_environment_wherever_the_lock_is(tmp_path) -> None:
    hashes = {n: write_wheel(tmp_path / "wheels", "weights", f"{n}.0", code=f"WEIGHT = {n}\n") for n in (1, 3)}
    project = ChangeProject(tmp_path / "p", python="{lock: locks/fit.txt}")
    (project.root / "locks").mkdir()
    for number, change in ((1, lambda _: None), (3, plant_code)):
        pins = {f"weights=={number}.0": hashes[number]}
        project.write("locks/fit.txt", requirements(tmp_path / "wheels", pins))
        change(project)
        project.commit("planted")
        project.git("tag", f"of-{number}")
    found = explained(project, old="of-1", new="of-3")
    project.connection.close()
    assert shares(found) == {("code",): 7, ("environment",): 2000}
    assert found.differences["environment"] == ["weights 1.0 -> 3.0"]


def test_packages_that_were_exchanged_in_place_are_told_from_the_records(tmp_path) -> None:
    python = environment_with(tmp_path / "one", 1)
    project = ChangeProject(tmp_path / "p", python=str(python))
    project.commit("start")
    project.run_stages(project.workspace)
    project.commit("run")
    project.git("tag", "before")
    environment_with(tmp_path / "one", 3)
    plant_code(project)
    project.run_stages(project.workspace)
    project.commit("planted")
    found = explained(project)
    project.connection.close()
    assert shares(found) == {("code",): 7, ("environment",): 2000}
    assert found.differences["environment"] == ["weights 1 -> 3"]
    assert "is not here any more" in found.remarks[0]


def test_an_edit_after_the_packages_were_exchanged_is_not_judged_by_an_older_record(tmp_path) -> None:
    python = environment_with(tmp_path / "one", 1)
    project = ChangeProject(tmp_path / "p", python=str(python))
    project.commit("start")
    project.run_stages(project.workspace)
    project.commit("run")
    environment_with(tmp_path / "one", 3)
    plant_code(project)
    found = explained(project, old="HEAD", new=None)
    project.connection.close()
    assert [(change.old, change.new) for change in found.metrics] == [(1013, 3020)]
    assert shares(found) == {("code",): 7, ("environment",): 2000}


def test_parts_that_fail_apart_are_joined(project) -> None:
    project.write("params.yaml", "fit:\n  deep: 5\n")
    project.replace("fit.py", 'params["depth"]', 'params.get("deep") if "depth" not in params else 1 / 0')
    plant_data(project)
    project.commit("renamed")
    found = explained(project)
    assert shares(found) == {("code", "parameters"): 40, ("data",): 30}
    assert any("cannot be swapped apart" in remark for remark in found.remarks)
    assert {failed.swapped for failed in found.failed} == {("code",), ("code", "data")}


def test_a_parameter_that_only_the_new_code_knows_goes_with_the_code(project) -> None:
    project.write("params.yaml", "fit:\n  depth: 2\n  bias: 5\n")
    project.replace("fit.py", "0 + total", 'params["bias"] + total')
    project.commit("bias")
    assert shares(explained(project)) == {("code",): 5, ("parameters",): 10}


def test_without_a_metric_all_that_changed_are_explained_against_the_work_tree(project) -> None:
    plant_code(project)
    project.write("new_helper.py", "")
    found = explained(project, new=None, metric=None)
    assert [(change.metric, change.old, change.new) for change in found.metrics] == [("score", 13, 20)]


def test_nothing_that_matters_changed(project) -> None:
    project.write("README.md", "hello\n")
    project.commit("words")
    found = explained(project, metric=None)
    assert (found.metrics, found.differences, found.combinations) == ((), {}, 2)


def test_an_option_of_the_command_and_a_seed_are_parameters(project) -> None:
    project.replace("mintage.yaml", "python fit.py", '"python fit.py --depth ${params.fit.depth}"')
    project.replace("mintage.yaml", "params: [fit]", "params: [fit], seed: 1, args: {rate: 1}")
    project.commit("arguments")
    project.git("tag", "-f", "before")
    project.replace("mintage.yaml", "seed: 1, args: {rate: 1}", "seed: 2, args: {rate: 3}")
    plant_parameters(project)
    project.commit("planted")
    found = explained(project)
    assert shares(found) == {("parameters",): 40}
    assert found.differences["parameters"][:3] == ["fit.depth 1 -> 5", "rate 1 -> 3", "seed 1 -> 2"]


def test_an_experiment_is_found_by_its_name_and_an_unknown_one_is_refused(project) -> None:
    plant_parameters(project)
    commit = project.commit("try")
    project.git("update-ref", "refs/mintage/exp/0123456789ab/deeper", commit)
    project.git("reset", "-q", "--hard", "before")
    assert shares(explained(project, new="deeper")) == {("parameters",): 40}
    with pytest.raises(UnknownNameError, match="there is no revision 'deepest'"):
        explained(project, new="deepest")


def test_a_commit_that_cannot_run_is_an_error(project) -> None:
    project.write("fit.py", "1 / 0\n")
    project.commit("broken")
    with pytest.raises(StageFailedError, match="ZeroDivisionError"):
        explained(project)


def test_a_metric_that_nobody_reports_names_those_that_are(project) -> None:
    plant_code(project)
    project.commit("planted")
    with pytest.raises(UnknownNameError, match="no stage reports the metric 'scor'"):
        explained(project, metric="scor")


def test_data_of_the_work_tree_count_before_they_are_added(project) -> None:
    project.write("data/rows.txt", "1\n2\n30\n")
    assert shares(explained(project, new=None)) == {("data",): 30}
    assert (project.root / "data/rows.txt").read_text() == "1\n2\n30\n"


def test_what_the_locks_say_need_not_be_run_again_where_the_cache_is_empty(project) -> None:
    project.run_stages(project.workspace)
    project.commit("run")
    project.git("tag", "-f", "before")
    plant_code(project)
    project.run_stages(project.workspace)
    project.commit("planted")
    for path in project.workspace.state.glob("cache.db*"):
        path.unlink()
    found = explained(project)
    assert shares(found) == {("code",): 7}
    assert (found.ran, project.ran("fit")) == (0, 2)


def test_a_lock_that_was_edited_does_not_fill_the_cache(project) -> None:
    project.run_stages(project.workspace)
    project.commit("run")
    lock = read_lock(project.root, "prepare")
    other = Store(project.workspace.store_dir).put_bytes(b"9000\n")
    forged = msgspec.structs.replace(lock, outputs=(Item(path="clean.txt", digest=other, size=5),))
    write_lock(project.root, forged)
    project.commit("forged")
    for path in project.workspace.state.glob("cache.db*"):
        path.unlink()
    found = explained(project)
    assert (found.metrics[0].old, found.metrics[0].new, found.differences) == (13, 13, {})


def test_a_stage_that_only_one_side_has_is_code(project) -> None:
    text = "  more: {run: python more.py, in: [clean.txt], out: [more.txt]}\n"
    project.write("mintage.yaml", (project.root / "mintage.yaml").read_text() + text)
    project.write("more.py", "open('more.txt', 'w').write('x')\n")
    plant_parameters(project)
    project.commit("more")
    found = explained(project, metric=None)
    assert shares(found) == {("code",): 0, ("parameters",): 40}
    assert found.differences["code"] == ["stage more is new"]
