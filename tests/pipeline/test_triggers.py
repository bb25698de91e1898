"""Schedules of mintage.yaml, and the files that they become; each is read by a reader of its kind."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mintage.errors import FileMalformedError, ScheduleInvalidError
from mintage.pipeline.triggers.job import Place
from mintage.pipeline.triggers.render import SCHEDULERS, differences, render, stale
from mintage.repo.project import Project, parse_project
from programs import program

STAGES = """
project: churn
stages:
  prepare: {run: python prepare.py, in: [data/raw.csv], out: [clean.csv], secrets: [API_KEY], env: [REGION]}
  train: {run: python train.py, in: [clean.csv, "data/of [2026]"], out: [model.bin]}
"""
SCHEDULES = """
schedule:
  nightly: {cron: "30 3 * * mon-fri", timezone: Europe/Berlin, stages: [train], commit: true}
  either: {cron: "0 6 1 * 1", branch: next/one}
  fresh: {on: data}
"""
DIGEST = "reg.example/team/image@sha256:" + "0a" * 32
PLACE = Place(
    folder="/srv/my clones/churn",
    program=("/opt/py/bin/python", "-m", "mintage"),
    repository="https://github.com/a/b.git",
    image=DIGEST,
)


def project(schedules: str = SCHEDULES, *, stages: str = STAGES) -> Project:
    return parse_project((stages + schedules).encode(), where="mintage.yaml")


def rendered(target: str, place: Place = PLACE) -> dict[str, str]:
    return render(project(), place, target=target)


def workflow(name: str, place: Place = PLACE) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(rendered("github", place)[f"mintage-churn-{name}.yml"])
    return found


@pytest.mark.parametrize(
    ("written", "place", "says"),
    [
        ("n: {}", "7:3", "not when"),
        ("n: {cron: '@daily', on: data}", "7:3", "twice when"),
        ("n: {cron: '61 * * * *'}", "7:7", "minute"),
        ("n: {cron: '@daily', timezone: CEST}", "7:23", "zone"),
        ("n: {cron: '@daily', data: [a.csv]}", "7:23", "on: data"),
        ("n: {on: data, data: [../a.csv]}", "7:24", "out of the project"),
        ("n: {cron: '@daily', stages: [trian]}", "7:32", "not there"),
        ("n: {cron: '@daily', branch: a..b}", "7:23", "branch"),
        ("n: {cron: '@daily', branch: --upload-pack=x}", "7:23", ""),
        ("n: {cron: '@daily', branch: 'a;b'}", "7:23", ""),
        ("n: {crom: '@daily'}", "7:", "crom"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_with_its_place(written: str, place: str, says: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        project(f"schedule:\n  {written}\n")
    assert f"mintage.yaml:{place}" in str(caught.value.where)
    assert says in f"{caught.value.message} {caught.value.expected} {caught.value.found}"


def test_github_gets_the_zone_and_secrets_and_may_write_only_where_it_commits() -> None:
    nightly = workflow("nightly")
    assert nightly["on"]["schedule"] == [{"cron": "30 3 * * 1-5", "timezone": "Europe/Berlin"}]
    assert nightly["permissions"] == {"contents": "write"}
    step = nightly["jobs"]["run"]["steps"][-1]
    assert step["env"] == {"REGION": "${{ vars.REGION }}", "API_KEY": "${{ secrets.API_KEY }}"}
    assert step["run"].startswith("mintage run train\ngit add -A")
    assert workflow("either")["permissions"] == {"contents": "read"}
    assert workflow("either")["jobs"]["run"]["steps"][0]["with"] == {"ref": "next/one"}


def test_changed_data_is_a_push_that_changes_its_lock_and_nothing_that_a_stage_writes() -> None:
    place = Place(folder="/srv/churn", prefix="models/churn/")
    fresh = workflow("fresh", place)
    assert fresh["on"]["push"]["branches"] == ["main"]
    paths = fresh["on"]["push"]["paths"]
    assert "models/churn/mintage.lock/data%2Fraw.csv.json" in paths
    assert "models/churn/data/of \\[2026\\]/**" in paths
    assert not [path for path in paths if "clean" in path]
    assert fresh["jobs"]["run"]["defaults"] == {"run": {"working-directory": "models/churn"}}


def test_data_that_no_stage_reads_cannot_be_waited_for() -> None:
    stages = "project: a\nstages:\n  t: {run: python t.py, out: [x]}\n"
    with pytest.raises(ScheduleInvalidError, match="read none"):
        render(project("schedule: {n: {on: data}}\n", stages=stages), PLACE, target="github")


def test_what_github_does_not_run_is_refused() -> None:
    often = project("schedule: {n: {cron: '0-59/4 * * * *'}}\n")
    with pytest.raises(ScheduleInvalidError, match="that often"):
        render(often, PLACE, target="github")
    assert render(often, PLACE, target="systemd")


def test_a_crontab_has_five_fields_a_zone_and_a_command_that_a_shell_reads() -> None:
    text = rendered("cron")["mintage.crontab"]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0::2] == ["CRON_TZ=Europe/Berlin", "CRON_TZ=UTC", "CRON_TZ=UTC"]
    for line in lines[1::2]:
        command = line.split(maxsplit=5)[5]
        assert re.match(r"(\S+ ){5}cd '/srv/my clones/churn' && git switch", line)
        subprocess.run(["sh", "-n", "-c", command], check=True)
    assert text.endswith("\n")


def test_a_percent_sign_is_escaped_for_cron() -> None:
    place = Place(folder="/srv/a", program=("/opt/50%/python",))
    assert "/opt/50\\%/python run" in rendered("cron", place)["mintage.crontab"]


def test_systemd_gets_either_day_as_two_events_and_one_quoted_command() -> None:
    files = rendered("systemd")
    assert "OnCalendar=*-*-01 06:00:00 UTC\nOnCalendar=Mon *-*-* 06:00:00 UTC\n" in files["mintage-churn-either.timer"]
    command = re.search(r"ExecStart=(.*)", files["mintage-churn-nightly.service"])
    assert command
    words = shlex.split(command[1])
    assert words[:2] == ["/bin/sh", "-c"]
    assert len(words) == 3
    subprocess.run(["sh", "-n", "-c", words[2]], check=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: install systemd")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    place = Place(folder=str(tmp_path), program=("/opt/50%/py $HOME", 'a"b'))
    for name, text in rendered("systemd", place).items():
        (tmp_path / name).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line or "mintage" in line] == []


@pytest.mark.skipif(program("check-jsonschema") is None, reason="needs check-jsonschema: pip install check-jsonschema")
def test_githubs_schema_accepts_the_workflows(tmp_path: Path) -> None:
    for name, text in rendered("github").items():
        (tmp_path / name).write_text(text)
    files = sorted(str(path) for path in tmp_path.iterdir())
    subprocess.run(
        [str(program("check-jsonschema")), "--builtin-schema", "vendor.github-workflows", *files], check=True
    )


_CRON_JOB = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "spec": {"schedule", "timeZone", "concurrencyPolicy", "startingDeadlineSeconds", "jobTemplate"},
    "spec.jobTemplate.spec": {"backoffLimit", "template"},
    "spec.jobTemplate.spec.template.spec": {
        "restartPolicy",
        "automountServiceAccountToken",
        "securityContext",
        "containers",
        "volumes",
    },
}


def test_a_cron_job_has_the_fields_of_batch_v1_and_a_script_that_a_shell_reads() -> None:
    files = rendered("kubernetes")
    manifest = yaml.safe_load(files["mintage-churn-nightly.yaml"])
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", manifest["metadata"]["name"])
    for path, fields in _CRON_JOB.items():
        value = manifest
        for key in path.split(".") if path else ():
            value = value[key]
        assert set(value) == fields
    spec = manifest["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("30 3 * * 1-5", "Europe/Berlin")
    container = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == DIGEST
    assert container["env"][-1]["valueFrom"] == {"secretKeyRef": {"name": "mintage-churn", "key": "API_KEY"}}
    subprocess.run(["sh", "-n", "-c", container["command"][2]], check=True)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("reg.example/image:latest", "https://github.com/a/b"),
        (DIGEST, None),
        (DIGEST, "https://user:word@github.com/a/b"),
        (DIGEST, "ext::sh -c touch% x"),
        (DIGEST, "--upload-pack=x"),
    ],
)
def test_a_tag_or_a_strange_address_is_refused(image: str, repository: str | None) -> None:
    with pytest.raises(ScheduleInvalidError) as caught:
        rendered("kubernetes", Place(folder="/srv/a", image=image, repository=repository))
    assert "word" not in str(caught.value.found)


def test_a_dag_is_python_and_says_when_and_what() -> None:
    for name, text in rendered("airflow").items():
        calls = [node for node in ast.walk(ast.parse(text, filename=name)) if isinstance(node, ast.Call)]
        given = {
            call.func.id: {word.arg: ast.unparse(word.value) for word in call.keywords}
            for call in calls
            if isinstance(call.func, ast.Name)
        }
        assert ast.literal_eval(given["BashOperator"]["cwd"]) == PLACE.folder
        command = ast.literal_eval(given["BashOperator"]["bash_command"])
        assert command.endswith(" ")
        assert "{" not in command
        subprocess.run(["sh", "-n", "-c", command], check=True)
        if name == "mintage_churn_nightly.py":
            assert ast.literal_eval(given["DAG"]["schedule"]) == "30 3 * * 1-5"
            assert "tz='Europe/Berlin'" in given["DAG"]["start_date"]


@pytest.mark.parametrize("folder", ["/srv/{{ x }}", "/srv/a\nb", "/srv/$HOME", "/srv/a'b", "srv/a", '/srv/"a'])
@pytest.mark.parametrize("target", ["cron", "systemd", "airflow"])
def test_a_folder_with_signs_of_a_scheduler_is_refused(folder: str, target: str) -> None:
    with pytest.raises(ScheduleInvalidError):
        rendered(target, Place(folder=folder))


def test_two_schedules_with_one_file_are_refused() -> None:
    twice = project("schedule: {a.b: {cron: '@daily'}, a-b: {cron: '@hourly'}}\n")
    with pytest.raises(ScheduleInvalidError, match="one name"):
        render(twice, PLACE, target="systemd")


@pytest.mark.parametrize("target", SCHEDULERS)
def test_rendering_twice_gives_the_same_files(target: str) -> None:
    assert differences(rendered(target), rendered(target), gone=[]) == ""


def test_only_files_of_this_project_and_scheduler_count_as_left_over() -> None:
    now = rendered("github")
    before = now | {"mintage-churn-old.yml": now["mintage-churn-nightly.yml"], "ci.yml": "name: ci\n"}
    assert stale(before, now, project="churn", target="github") == ["mintage-churn-old.yml"]
    assert stale(before, now, project="other", target="github") == []
    assert "+++ /dev/null" in differences(before, now, gone=["mintage-churn-old.yml"])
