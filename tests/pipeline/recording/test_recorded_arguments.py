"""Options of a script are written as `args` of its stage where that changes nothing, and count from then on."""

from __future__ import annotations

import pytest
from recorded import single

from mintage.errors import FileMalformedError, ProjectError
from mintage.pipeline.recording.insert import insert_keys
from mintage.pipeline.recording.options import safe_options
from mintage.pipeline.status import stage_states
from mintage.repo.project import parse_project
from mintage.store.local import Store
from mintage.store.statcache import StatCache

TRAIN = """\
import argparse, json
def options():
    parser = argparse.ArgumentParser()
    model = parser.add_argument_group("model")
    model.add_argument("--max-depth", "-d", type=int, default=5, help="of the tree")
    parser.add_argument("--rate", type=float, default=1e-05)
    parser.add_argument("--shift", type=float, default=-1e-05)
    parser.add_argument("--kind", default="gini", choices=["gini", "entropy"])
    parser.add_argument("--data", default="d.csv")
    parser.add_argument("--turns", type=int)
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()
if __name__ == "__main__":
    args = options()
    open(args.data).read()
    json.dump(sorted(map(repr, vars(args).items())), open("out.json", "w"))
"""
CLICK = """\
import click
@click.command()
@click.option("--depth", default=3)
@click.option("--name", type=str, default="a b")
@click.option("--loud/--quiet", default=False)
@click.option("--many", default=["x"], multiple=True)
def main(depth, name, loud, many):
    open("out.txt", "w").write(f"{depth!r} {name!r}")
if __name__ == "__main__":
    main()
"""


def test_options_with_plain_defaults_are_written_and_mean_the_same(make) -> None:
    project = make(single(TRAIN, **{"d.csv": "a"}))
    project.run()
    first = project.read("out.json")
    line = "    args: {max-depth: 5, rate: 1.0e-05, shift: -1.0e-05, kind: gini}\n"
    assert line in project.read("mintage.yaml")
    assert project.run().actions == {"s": "keep"}
    project.run(force=True)
    assert project.read("out.json") == first


def test_a_changed_argument_reruns_with_it_and_why_names_it(make) -> None:
    project = make(single(TRAIN, **{"d.csv": "a"}))
    project.run()
    project.write("mintage.yaml", project.read("mintage.yaml").replace("max-depth: 5", "max-depth: 6"))
    with StatCache(project.workspace.cache_database) as cache:
        assert stage_states(project.workspace, cache, [])[0].reasons == ("args.max-depth changed: 5 -> 6",)
    outcome = project.run()
    assert "('max_depth', 6)" in project.read("out.json")
    assert project.runs.params_of(outcome.run_id)["s.max-depth"] == 6
    assert project.notes == []


def test_another_default_in_the_script_is_told_because_args_overrules_it(make) -> None:
    project = make(single(TRAIN, **{"d.csv": "a"}))
    project.run()
    project.write("s.py", TRAIN.replace("default=5", "default=7"))
    project.run()
    assert project.notes == ["is run with --max-depth 5, as `args` says; the default in s.py is 7 now"]
    assert "('max_depth', 5)" in project.read("out.json")
    project.run(force=True)
    assert project.notes == []


def test_the_parameters_of_every_run_can_be_compared(make) -> None:
    script = "import json, yaml\nDEPTH = 3\nc = yaml.safe_load(open('c.yaml'))\nopen('out', 'w').write(str(c))"
    files = {"c.yaml": "model: {rate: 0.1}\ndb: {password: hunter2hunter2}\n"}
    project = make(single(script, stage="run: python s.py --mode fast", **files))
    first = project.run()
    expected = {"s.DEPTH": 3, "s.mode": "fast", "c.yaml:model.rate": 0.1}
    assert project.runs.params_of(first.run_id) == expected
    project.write("c.yaml", "model: {rate: 0.2}\n")
    second = project.run()
    assert project.runs.params_of(second.run_id) == {**expected, "c.yaml:model.rate": 0.2}
    entry = Store(project.workspace.store_dir).get_record(second.record, kind="run").body["stages"]["s"]
    assert entry["parameters"]["c.yaml:model.rate"] == 0.2


def test_click_options_are_written_too(make) -> None:
    project = make(single(CLICK))
    project.run()
    assert '    args: {depth: 3, name: "a b"}\n' in project.read("mintage.yaml")
    project.run(force=True)
    assert project.read("out.txt") == "3 'a b'"


ONE = "p = argparse.ArgumentParser()\n{}\np.parse_args()\n"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("p.add_argument('--a', type=int, default=1)", "python t.py -- x"),
        ("p.add_argument('--a', type=int, default=1)", "python t.py --a 2"),
        ("p.add_argument('--alpha', type=int, default=1)", "python t.py --al=2"),
        ("p.add_argument('--alpha', '-a', type=int, default=1)", "python t.py -a2"),
        ("p.add_argument('--a', type=float, default=1)", "python t.py"),
        ("p.add_argument('--a', default=1)", "python t.py"),
        ("p.add_argument('--a', type=int, default='1')", "python t.py"),
        ("p.add_argument('--a', type=int, default=1, nargs='*')", "python t.py"),
        ("p.add_argument('--a', type=bool, default=True)", "python t.py"),
        ("p.add_argument('--a', type=int, default=ONE)", "python t.py"),
        ("p.add_argument('-a', type=int, default=1)", "python t.py"),
        ("p.add_argument('--a', default='x', choices=KINDS)", "python t.py"),
        ("p.add_argument('--a', default='line\\nline')", "python t.py"),
        ("p.add_argument('--a', type=float, default=float('inf'))", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\np.add_argument('--a', type=int, default=2)", "python t.py"),
        ("if x:\n    p.add_argument('--a', type=int, default=1)", "python t.py"),
        ("for n in x:\n    p.add_argument('--a', type=int, default=1)", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\np.set_defaults(a=3)", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\np.parse_args([])", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\nprint(sys.argv)", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\np.add_subparsers()", "python t.py"),
        ("p.add_argument('--a', type=int, default=1)\np.add_argument('rest', nargs='...')", "python t.py"),
        ("p.add_argument('--password', default='hunter2')", "python t.py"),
    ],
)
def test_what_is_not_sure_is_left(line: str, command: str) -> None:
    assert safe_options(ONE.format(line), command.split()) == {}


def test_folders_made_with_their_parents_and_matches_are_no_reason_to_leave_options() -> None:
    line = "p.add_argument('--a', type=int, default=1)\nPath('x').mkdir(parents=True)\nprint(m.group(1))"
    assert safe_options(ONE.format(line), ["python", "t.py"]) == {"a": 1}


@pytest.mark.parametrize("command", ["sh -c 'python s.py'", "python -c 1", "env python s.py"])
def test_only_the_script_that_python_starts_gets_arguments(make, command: str) -> None:
    project = make(single(TRAIN, stage=f"run: {command}", **{"d.csv": "a"}))
    project.run()
    assert "args" not in project.read("mintage.yaml")


def test_a_module_that_python_starts_gets_arguments(make) -> None:
    files = single(TRAIN, stage="run: python -m pkg.t", **{"d.csv": "a"})
    project = make({**files, "pkg/__init__.py": "", "pkg/t.py": TRAIN})
    project.run()
    assert "args: {max-depth: 5" in project.read("mintage.yaml")


def test_an_option_in_the_command_and_in_args_is_an_error(make) -> None:
    project = make(single(TRAIN, stage="run: python s.py --rate 1\n    args: {rate: 2}", **{"d.csv": "a"}))
    with pytest.raises(ProjectError, match="--rate of stage s stands twice"):
        project.run()


@pytest.mark.parametrize(
    ("args", "where"), [("{a: [1]}", "5:"), ("{a: true}", "5:"), ("{-a: 1}", "5:"), ("{a b: 1}", "5:")]
)
def test_args_hold_names_and_plain_values(args: str, where: str) -> None:
    text = f"project: p\nstages:\n  s:\n    run: python s.py\n    args: {args}\n"
    with pytest.raises(FileMalformedError) as caught:
        parse_project(text.encode(), where="mintage.yaml")
    assert f"mintage.yaml:{where}" in str(caught.value.where)


def test_values_come_back_from_yaml_as_they_were() -> None:
    values = {"a": 1e-05, "b": 1e300, "c": -0.0, "d": 2.0, "e": "3", "f": "yes", "g": "", "h": "a: b", "i": 12}
    text = insert_keys("project: p\nstages:\n  s:\n    run: python s.py\n", "s", {"args": values})
    found = parse_project(text.encode(), where="mintage.yaml").stages["s"].args
    assert list(map(repr, found.items())) == list(map(repr, values.items()))
