"""`mintage run` of a stage that declares nothing: it is recorded, declared, locked, and from then on like any other."""

from __future__ import annotations

import threading

import pytest
from recorded import single

from mintage.errors import DataError, StageChangesInputError, StageFailedError
from mintage.pipeline.recording.mirror import SMALL
from mintage.pipeline.status import stage_states
from mintage.store.local import Store
from mintage.store.statcache import StatCache
from small_project import wait_until

PROJECT = """\
# ours
project: churn

stages:
  prepare: {run: python prepare.py}   # first
  train:
    # the model
    run: python train.py --rate 0.5   # why this rate

models: {}
"""
FILES = {
    "mintage.yaml": PROJECT,
    "prepare.py": """\
import os
from lib.clean import clean
os.makedirs("work", exist_ok=True)
names = sorted(os.listdir("raw"))
open("work/table.csv", "w").write("".join(clean(open("raw/" + name).read()) for name in names))
""",
    "lib/clean.py": "def clean(text):\n    return text.strip() + '\\n'\n",
    "train.py": """\
import argparse, json, importlib, random
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.1)
rate = parser.parse_args().rate
random.seed(11)
plugin = importlib.import_module("plugin_" + "one")
rows = open("work/table.csv").read().split()
open("model.bin", "w").write(f"{plugin.FACTOR * rate * len(rows)}")
json.dump({"rows": len(rows), "note": "x"}, open("metrics.json", "w"))
""",
    "plugin_one.py": "FACTOR = 3\n",
    "raw/a.csv": "1\n",
    "raw/b.csv": "2\n",
    "notes.txt": "not read by anything\n",
}
DECLARED = """\
# ours
project: churn

stages:
  prepare: {run: python prepare.py, in: [raw/], out: [work/table.csv]}   # first
  train:
    # the model
    run: python train.py --rate 0.5   # why this rate
    in: [work/table.csv]
    out: [model.bin]
    metrics: [metrics.json]

models: {}
"""


def test_stages_are_recorded_declared_and_locked_and_the_second_run_does_nothing(make) -> None:
    project = make(FILES)
    outcome = project.run()
    assert outcome.actions == {"prepare": "run", "train": "run"}
    assert project.read("mintage.yaml") == DECLARED
    assert project.read("model.bin") == "3.0"
    assert {"mintage.yaml", ".gitignore", "mintage.lock/train.json"} <= set(outcome.wrote)
    assert project.run().actions == {"prepare": "keep", "train": "keep"}
    with StatCache(project.workspace.cache_database) as cache:
        assert [state.reasons for state in stage_states(project.workspace, cache, [])] == [(), ()]


def test_the_record_has_what_was_found_and_metrics_are_tracked(make) -> None:
    project = make(FILES)
    outcome = project.run()
    entry = Store(project.workspace.store_dir).get_record(outcome.record, kind="run").body["stages"]["train"]
    assert entry["recorded"]["parameters"] == [
        {"name": "FACTOR", "value": 3, "where": "plugin_one.py:1"},
        {"name": "rate", "value": 0.1, "where": "train.py:3"},
    ]
    assert entry["recorded"]["seeds"] == [{"name": "random.seed", "value": 11, "where": "train.py:5"}]
    assert entry["recorded"]["declared"]["out"] == ["model.bin"]
    assert entry["metrics"] == {"rows": 2.0}
    assert [item["path"] for item in entry["inputs"]] == ["work/table.csv"]


def test_what_was_declared_is_enough_to_run_again_in_the_sandbox(make) -> None:
    project = make(FILES)
    project.run()
    before = project.tree()
    assert project.run(force=True).actions == {"prepare": "run", "train": "run"}
    changed = {name for name, content in project.tree().items() if before.get(name) != content}
    assert changed == {"mintage.lock/prepare.json", "mintage.lock/train.json"}


@pytest.mark.parametrize(
    ("path", "text", "reruns"),
    [
        ("raw/a.csv", "7\n", {"prepare", "train"}),
        ("raw/c.csv", "3\n", {"prepare", "train"}),
        ("lib/clean.py", "def clean(text):\n    return 'z\\n'\n", {"prepare", "train"}),
        ("plugin_one.py", "FACTOR = 4\n", {"train"}),
        ("notes.txt", "changed\n", set()),
    ],
)
def test_a_change_of_what_was_recorded_reruns_and_of_nothing_else(make, path: str, text: str, reruns: set[str]) -> None:
    project = make(FILES)
    project.run()
    project.write(path, text)
    assert {name for name, action in project.run().actions.items() if action == "run"} == reruns


@pytest.mark.parametrize(
    ("script", "word", "hint"),
    [
        ("open('out', 'w').write('half')\nraise ValueError('half way')", "half way", "last lines"),
        ("input('Continue? ')", "EOFError", "no terminal"),
        ("open('absent.csv')", "absent.csv", "bring what it needs into the project"),
        ("import nothing_of_that_name", "nothing_of_that_name", "install nothing_of_that_name"),
    ],
    ids=["fails", "asks", "lacks-a-file", "lacks-a-module"],
)
def test_a_script_that_fails_leaves_everything_as_it_was(make, script: str, word: str, hint: str) -> None:
    project = make(single(script))
    before = project.tree()
    with pytest.raises(StageFailedError, match=word) as caught:
        project.run()
    assert hint in caught.value.hint
    assert project.tree() == before
    assert not list(project.workspace.tmp_dir.iterdir())


def test_a_stage_that_changes_its_own_input_is_refused_and_nothing_is_changed(make) -> None:
    project = make(single("t = open('d.csv').read()\nopen('d.csv', 'w').write(t + 'x')", **{"d.csv": "a"}))
    before = project.tree()
    with pytest.raises(StageChangesInputError, match=r"changes what it reads: d\.csv"):
        project.run()
    assert project.tree() == before


def test_an_input_that_somebody_changes_meanwhile_is_told(make) -> None:
    script = "import os\nopen('d.csv').read()\nopen('ready', 'w')\nwhile not os.path.exists('go'):\n    pass\n"
    project = make(single(script, **{"d.csv": "a"}))

    def interfere() -> None:
        wait_until(lambda: list(project.workspace.tmp_dir.glob("**/ready")), "the script")
        project.write("d.csv", "another")
        (next(project.workspace.tmp_dir.glob("**/ready")).parent / "go").touch()

    other = threading.Thread(target=interfere)
    other.start()
    with pytest.raises(DataError, match=r"d\.csv changed while stage s read it"):
        project.run()
    other.join()
    assert project.read("d.csv") == "another"
    assert "in:" not in project.read("mintage.yaml")


def test_a_stage_without_files_is_declared_nothing_and_kept(make) -> None:
    project = make(single("print('hello')"))
    text = project.read("mintage.yaml")
    assert project.run().actions == {"s": "run"}
    assert project.read("mintage.yaml") == text
    assert project.run().actions == {"s": "keep"}


def test_parameters_taken_through_the_api_are_declared(make) -> None:
    files = single("import mintage\nopen('out.txt', 'w').write(str(mintage.params()['depth']))")
    project = make({**files, "params.yaml": "depth: 3\nrate: 0.1\n"})
    project.run()
    assert "    params: [depth, rate]\n" in project.read("mintage.yaml")
    assert project.run().actions == {"s": "keep"}
    project.write("params.yaml", "depth: 4\nrate: 0.1\n")
    assert project.run().actions == {"s": "run"}
    assert project.read("out.txt") == "4"


def test_a_secret_is_not_declared_and_not_kept(make) -> None:
    project = make(single("open('.env').read()\nopen('out', 'w').write('x')", **{".env": "TOKEN=hunter2hunter2"}))
    outcome = project.run()
    assert ".env" not in project.read("mintage.yaml")
    assert "looks like a secret" in outcome.learned["s"].proposal.remarks[0]
    kept = [path for path in project.workspace.store_dir.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter2hunter2" in path.read_bytes()]


def test_names_that_yaml_would_take_for_something_else_are_quoted(make) -> None:
    names = ["1", "true", "a b.csv", "x,y", "é.csv", "- d", "a: b", "#c"]
    script = f"for name in {names!r}:\n    open('in/' + name).read()\n    open(name, 'w').write('o')\n"
    project = make(single(script, **{f"in/{name}": "i" for name in names}, **{"in/unused": "u"}))
    project.run()
    stage = project.workspace.project().stages["s"]
    assert sorted(stage.inputs) == sorted(f"in/{name}" for name in names)
    assert sorted(stage.out) == sorted(names)
    assert project.run(force=True).actions == {"s": "run"}
    assert project.run().actions == {"s": "keep"}


def test_a_large_output_of_an_earlier_run_is_written_anew_by_a_native_library(make) -> None:
    project = make(single("import polars as pl\npl.DataFrame({'a': [1]}).write_parquet('t.parquet')"))
    (project.root / "t.parquet").write_bytes(bytes(SMALL + 1))
    project.run()
    assert project.workspace.project().stages["s"].out == ("t.parquet",)
    assert (project.root / "t.parquet").stat().st_size < SMALL
    assert project.run().actions == {"s": "keep"}


def test_a_large_input_that_a_native_library_writes_over_is_an_error_and_stays(make) -> None:
    script = "import polars as pl\nd = pl.read_csv('t.csv')\nd.write_csv('t.csv')"
    project = make(single(script, **{"t.csv": "a\n" + "1234567\n" * (SMALL // 7)}))
    before = project.tree()
    with pytest.raises((StageFailedError, StageChangesInputError)):
        project.run()
    assert project.tree() == before


def test_a_folder_of_many_outputs_is_one_output(make) -> None:
    script = "import os\nos.makedirs('plots/x')\nfor n in range(9):\n    open(f'plots/x/{n}.svg', 'w').write('p')\n"
    project = make(single(script))
    project.run()
    assert project.workspace.project().stages["s"].out == ("plots/",)
    assert project.run().actions == {"s": "keep"}


def test_an_undeclared_read_of_a_declared_stage_gets_the_line_to_write(make) -> None:
    project = make(single("open('a.csv')\nopen('out', 'w')", **{"a.csv": "a", "b.csv": "b"}))
    project.run()
    project.write("s.py", "open('a.csv')\nopen('b.csv')\nopen('out', 'w')")
    with pytest.raises(StageFailedError) as caught:
        project.run()
    assert "`in: [a.csv, b.csv]`" in caught.value.hint
