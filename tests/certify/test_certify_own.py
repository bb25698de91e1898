"""A project's own check: what it measures is judged by us; whatever it does, the others go on and nothing leaks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from certify_behave import make_behaving
from certify_own import judged, make_workspace, with_files

from mintage.certify.answers import Task
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.policy import parse_policy
from mintage.certify.share import measure_share
from mintage.errors import FileMalformedError
from mintage.repo.workspace import Workspace

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("own"))


def run(
    workspace: Workspace, evidence: Evidence, text: str, gate: str = "max: 0.5", limit_s: float = 60
) -> CheckResult:
    """The result of one file, judged as `own`."""
    files = with_files(evidence, workspace, {"mine": text}, limit_s=limit_s)
    return judged(files, f"check: own, file: checks/mine.py, {gate}")[0]


@pytest.mark.parametrize("task", TASKS)
def test_a_value_for_each_row_is_judged_by_the_interval_of_its_mean(workspace: Workspace, task: Task) -> None:
    evidence = make_behaving(task, rows=600)
    text = 'def per_row(holdout, data):\n    """Rows of kind x."""\n    return holdout["kind"] == "x"\n'
    found = run(workspace, evidence, text)
    hits = evidence.holdout.columns["kind"] == "x"
    assert (found.verdict, found.title, found.rows) == ("PASS", "Rows of kind x", 600)
    assert found.estimate == hits.mean()
    resampling = parse_policy(POLICY_OF_DRAWS, where="p").statistics.resampling(comparisons=1)
    assert found.interval == measure_share(hits, evidence.holdout, resampling).interval
    assert run(workspace, evidence, text, "max: 0.2").verdict == "FAIL"
    assert run(workspace, evidence, text, "min: 0.3333").verdict == "INCONCLUSIVE"


POLICY_OF_DRAWS = b"""
model: late
owner: risk@example.org
statistics: {seed: 3, draws: 400}
requirements:
  - {id: strange, check: Z1}
"""


def test_rows_without_a_value_do_not_count(workspace: Workspace) -> None:
    evidence = make_behaving("regression", rows=600, grouped=True)
    text = (
        "import numpy as np\n"
        "def per_row(holdout, data):\n"
        '    return np.where(holdout["kind"] == "x", np.abs(holdout.labels - holdout.answers), np.nan)\n'
    )
    found = run(workspace, evidence, text, "max: 5")
    kept = evidence.holdout.columns["kind"] == "x"
    off = np.abs(evidence.holdout.labels - evidence.holdout.answers.values)[kept]
    assert (found.verdict, found.rows, found.title) == ("PASS", int(kept.sum()), "mine")
    assert found.estimate == pytest.approx(off.mean(), rel=1e-12)
    assert found.interval is not None and found.interval.low < off.mean() < found.interval.high
    assert found.details["interval by"] == "400 resamples of groups"


NUMBER = """
import numpy as np
TITLE = "share that is right"

def number(holdout, data):
    np.random.random()
    assert data.options == {"k": 2} and data.task == "binary" and data.classes == ("no", "yes")
    assert len(data.train) == len(data.validation) == 600 and data.threshold == 0.5
    assert holdout.time is None and (holdout.predicted == (holdout.answers >= 0.5)).all()
    return (holdout.labels == holdout.predicted).mean()
"""


def test_a_number_is_computed_again_on_resamples_and_the_same_to_the_last_bit(workspace: Workspace) -> None:
    evidence = make_behaving("binary", rows=600, grouped=True)
    found, again = (run(workspace, evidence, NUMBER, "min: 0.6, options: {k: 2}") for _ in range(2))
    right = (evidence.holdout.labels == evidence.holdout.answers.labels).mean()
    assert msgspec.json.encode(found) == msgspec.json.encode(again)
    assert (found.verdict, found.estimate, found.groups) == ("PASS", right, 15)
    assert found.interval is not None
    assert 0.01 < found.interval.high - found.interval.low < 0.2
    assert found.interval.low < right < found.interval.high


def test_the_order_of_sets_is_the_same_each_time(workspace: Workspace) -> None:
    text = "def number(holdout, data):\n    return hash('a') % 9973\n"
    evidence = make_behaving("binary", rows=300)
    assert len({run(workspace, evidence, text, "max: 1").estimate for _ in range(2)}) == 1


ASKING = """
def counter_examples(holdout, data):
    "Rows that grow less likely with a"
    more = data.ask({**holdout.columns, "a": holdout["a"] + 1})
    return [{"row": place, "by": more[place] - holdout.answers[place]}
            for place in (more < holdout.answers - 1e-9).nonzero()[0]]
"""


def test_a_model_is_asked_about_other_rows_and_counter_examples_fail(workspace: Workspace) -> None:
    sound = run(workspace, make_behaving("regression", rows=300), ASKING, "max: 0")
    assert (sound.verdict, sound.estimate, sound.title) == ("PASS", 0.0, "Rows that grow less likely with a")
    fault_free = make_behaving("regression", rows=300)
    assert fault_free.served is not None
    served = fault_free.served

    def faulty(columns):  # type: ignore[no-untyped-def]
        found = served.ask_anew(columns)
        return found.of(np.where(columns["a"] > 3, 0.0, found.values))

    from mintage.certify.served import Served

    broken = replace(fault_free, served=Served(faulty))
    found = run(workspace, broken, ASKING, "max: 0")
    expected = int((np.nan_to_num(broken.holdout.columns["a"], nan=-9) + 1 > 3).sum())
    assert expected > 0
    assert (found.verdict, found.estimate) == ("FAIL", float(expected))
    assert '"row": ' in str(found.details["counter-example 1"])
    assert found.reason.endswith(f"; the first is {found.details['counter-example 1']}")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return holdout['income']", "there is no input 'income', only a, b, c, kind, ticket"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import os; os._exit(0)", "broke off: it said nothing"),
        ("import ctypes; ctypes.string_at(0)", "broke off: it said nothing"),
        ("return 'high'", "could not convert string to float"),
        ("return holdout.labels[:-1]", "gave the shape [299], not one value for 300 rows"),
        ("return holdout.labels * float('inf')", "are no finite numbers"),
        ("return holdout.labels * float('nan')", "the file gives no row a number"),
        ("return data.ask({'a': holdout['a']})", "the inputs are a, b, c, kind, ticket, not a"),
        ("return data.ask({**holdout.columns, 'a': holdout['kind']})", "a takes numbers"),
        ("return data.ask({**holdout.columns, 'ticket': holdout['ticket'] * float('nan')})", "refuses 300 of 300 rows"),
        ("return holdout.income", "rows have no 'income'"),
        ("open('result.json', 'w').write('{'); import os; print('done'); os._exit(0)", "broke off: done"),
        ("import os; os.symlink('/etc/passwd', 'result.npz'); return holdout.labels * 1.0", "PermissionError"),
    ],
)
def test_what_is_no_answer_is_inconclusive_with_the_last_line_that_it_said(
    workspace: Workspace, body: str, told: str
) -> None:
    found = run(workspace, make_behaving("binary", rows=300), f"def per_row(holdout, data):\n    {body}\n")
    assert found.verdict == "INCONCLUSIVE"
    assert told in found.reason
    assert str(workspace.root) not in msgspec.json.encode(found).decode()


def test_an_error_is_told_with_its_place_in_the_file(workspace: Workspace) -> None:
    found = run(workspace, make_behaving("binary", rows=300), "def per_row(holdout, data):\n    return 1 / 0\n")
    assert found.reason.endswith("checks/mine.py broke off: ZeroDivisionError: division by zero")
    assert 'File "checks/mine.py", line 2, in per_row\n    return 1 / 0' in str(found.details["said"])


@pytest.mark.parametrize(
    "text", ["X = 1\n", "def number(holdout, data):\n    return 1\ndef per_row(holdout, data):\n    return 1\n"]
)
def test_a_file_defines_exactly_one_function_of_the_three(workspace: Workspace, text: str) -> None:
    found = run(workspace, make_behaving("binary", rows=300), text)
    assert found.verdict == "INCONCLUSIVE"
    assert "must define one function of per_row, number, counter_examples" in found.reason


def test_a_file_that_hangs_is_stopped_and_the_rest_go_on(workspace: Workspace) -> None:
    evidence = with_files(
        make_behaving("binary", rows=300),
        workspace,
        {
            "hangs": "def number(holdout, data):\n    print('so far', flush=True)\n    while True: pass\n",
            "fine": "def number(holdout, data):\n    return 0.25\n",
        },
        limit_s=2,
    )
    hung, fine = judged(
        evidence, "check: own, file: checks/hangs.py, max: 1", "check: own, file: checks/fine.py, max: 1"
    )
    assert (hung.verdict, fine.verdict) == ("INCONCLUSIVE", "PASS")
    assert hung.reason == "own check: not known, checks/hangs.py was stopped after 1.8 s: so far"


def test_a_file_that_says_too_much_is_stopped_and_what_it_says_stays_short(workspace: Workspace) -> None:
    text = (
        "def per_row(holdout, data):\n"
        "    with open('flood', 'wb', buffering=0) as file:\n"
        "        for _ in range(600):\n"
        "            file.write(bytes(1 << 20))\n"
    )
    found = run(workspace, make_behaving("binary", rows=300), text)
    assert found.verdict == "INCONCLUSIVE"
    assert "OSError: [Errno 27]" in found.reason
    assert len(found.reason) < 1000
    chatty = "def per_row(holdout, data):\n    print('x' * 3_000_000)\n    raise ValueError('y' * 5000)\n"
    found = run(workspace, make_behaving("binary", rows=300), chatty)
    assert found.verdict == "INCONCLUSIVE"
    assert len(msgspec.json.encode(found)) < 4000


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's layers are Linux's")
@pytest.mark.parametrize(
    "body",
    [
        "open(data.options['file']).read()",
        "open(data.options['new'], 'w')",
        "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
    ],
)
def test_a_file_reads_and_writes_nothing_of_the_project_and_has_no_network(
    workspace: Workspace, tmp_path: Path, body: str
) -> None:
    secret = workspace.root / "secret.txt"
    secret.write_text("the key")
    options = f"options: {{file: '{secret}', new: '{tmp_path / 'new'}'}}"
    found = run(
        workspace,
        make_behaving("binary", rows=300),
        f"def per_row(holdout, data):\n    {body}\n    return holdout.labels * 0\n",
        f"max: 0.5, {options}",
    )
    assert found.verdict == "INCONCLUSIVE"
    assert "PermissionError" in found.reason
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "line",
    [
        "file: ../mine.py, max: 1",
        "file: checks/a/../../mine.py, max: 1",
        "file: /checks/mine.py, max: 1",
        "file: checks/mine.py",
        "file: checks/mine.py, min: 0, max: 1",
        "file: checks/mine.py, max: 1, digest: abc",
        "file: checks/mine.py, max: 1, options: {a: [1]}",
        "file: checks/mine.py, max: 1, limit: 3",
    ],
)
def test_a_requirement_that_cannot_be_meant_is_an_error_at_its_line(line: str) -> None:
    text = f"model: m\nowner: o\nrequirements:\n  - {{id: mine, check: own, {line}}}\n"
    with pytest.raises(FileMalformedError) as raised:
        parse_policy(text.encode(), where="policies/m.yaml")
    assert str(raised.value.where).startswith("policies/m.yaml:4")


def test_without_a_project_the_check_says_so() -> None:
    found = judged(make_behaving("binary", rows=300), "check: own, file: checks/mine.py, max: 1")[0]
    assert (found.verdict, found.details["file"]) == ("INCONCLUSIVE", "checks/mine.py")
