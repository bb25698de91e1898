"""What a recording proposes, and how it is written into mintage.yaml."""

from __future__ import annotations

import pytest
import yaml

from mintage.errors import FileMalformedError
from mintage.pipeline.recording.gather import gather
from mintage.pipeline.recording.insert import insert_keys
from mintage.pipeline.recording.propose import propose
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.recording.source import read_source
from mintage.pipeline.sandbox import Finished
from mintage.repo.project import Stage

DONE = Finished(exit_code=0, duration_s=1.0, timed_out=False)
KEYS = {"in": ["a.csv", "b/"], "out": ["m.bin"]}


def proposal(stage: Stage | None = None, texts: dict[str, bytes] | None = None, **seen):
    recording = Recording(finished=DONE, **seen)
    return propose(recording, stage=stage or Stage(run="x"), closure=(), sources={}, texts=texts or {})


@pytest.mark.parametrize(
    ("text", "is_metrics"),
    [
        (b'{"auc": 0.7}', True),
        (b'{"test": {"auc": 0.7, "n": 3}, "who": "me"}', True),
        (b'{"auc": NaN}', True),
        (b'{"columns": ["a", "b", "c"], "version": 1}', False),
        (b'{"done": true}', False),
        (b"[1, 2]", False),
        (b"{}", False),
        (b"not json", False),
        (b'{"a": ' * 100_000, False),
    ],
)
def test_json_objects_of_numbers_are_metrics(text: bytes, is_metrics: bool) -> None:
    found = proposal(writes=("x.json",), texts={"x.json": text})
    assert found.keys == ({"metrics": ("x.json",)} if is_metrics else {"out": ("x.json",)})


def test_what_a_stage_declares_is_compared_and_the_rest_gets_a_line() -> None:
    stage = Stage(run="x", inputs=("a.csv", "d/"), out=("m.bin",))
    found = proposal(
        stage, reads=("a.csv", "b.csv", "d/x"), writes=("m.bin", "n.bin"), before=("a.csv", "b.csv", "d/x")
    )
    assert found.keys == {}
    assert found.remarks == (
        "`in` does not name b.csv: write `in: [a.csv, d/, b.csv]`",
        "`out` does not name n.bin: write `out: [m.bin, n.bin]`",
    )


def test_what_lies_outside_is_remarked() -> None:
    found = proposal(
        outside_reads=("/srv/x.csv",), outside_writes=("~/c",), hosts=("h",), deleted=("old",), notes=("n",)
    )
    assert [remark.split(":")[0] for remark in found.remarks] == [
        "reads /srv/x.csv, outside the project",
        "writes ~/c, outside the project",
        "asks the network for h",
        "deletes old",
        "n",
    ]


def test_a_folder_is_named_as_a_whole_only_with_a_word_when_part_of_it_was_read() -> None:
    before = tuple(f"images/{number:03}.png" for number in range(100))
    found = proposal(reads=before[:60], before=before)
    assert found.keys == {"in": ("images/",)}
    assert found.remarks == ("reads 60 of the 100 files of images/, which is named as a whole",)


def test_nested_folders_become_the_topmost_that_was_read_whole() -> None:
    files = {f"images/{kind}/{number}.png" for kind in ("cat", "dog") for number in range(9)}
    assert gather(files, among={*files, "train.csv"}, listed=set(), apart=set()) == ("images/",)
    assert gather(files, among={*files, "images/labels.csv"}, listed=set(), apart=set()) == (
        "images/cat/",
        "images/dog/",
    )
    apart = {"images/cat/out.png"}
    found = gather(files, among=files, listed={"images/cat"}, apart=apart)
    assert found == (*(f"images/cat/{number}.png" for number in range(9)), "images/dog/")


def test_parameters_and_seeds_are_read_off_the_text() -> None:
    text = """
RATE: float = 0.1
LAYERS = [64, 32]
_SEED = 5
name = "not one"
@click.option("--epochs/--no-epochs", "-e", default=3)
def main(epochs): ...
parser.add_argument("-d", "--depth", default=RATE)
parser.add_argument("path")
np.random.default_rng(_SEED); torch.manual_seed(1); random.seed(); random.seed(clock())
train_test_split(x, random_state=_SEED, shuffle=True)
"""
    found = read_source(text, where="t.py")
    assert {value.name: value.value for value in found.parameters} == {
        "RATE": 0.1, "LAYERS": [64, 32], "_SEED": 5, "epochs": 3, "depth": 0.1,
    }  # fmt: skip
    assert [(value.name, value.value) for value in found.seeds] == [
        ("np.random.default_rng", 5),
        ("torch.manual_seed", 1),
        ("train_test_split(random_state)", 5),
    ]
    assert read_source("not python (", where="x").parameters == ()


@pytest.mark.parametrize(
    "text",
    [
        "project: p\nstages:\n  s:\n    run: python s.py\n",
        "project: p\nstages:\n  s:\n    run: python s.py",
        "project: p\nstages:\n  s: {run: python s.py}\n  t: {run: x}\n",
        "project: p\nstages: {s: {seed: 3, run: 'python s.py', threads: 1}}  # all\n",
        "project: p\nstages:\n  s:\n    run: >\n      python\n      s.py\n    seed: 3\n  t:\n    run: x\n",
        'project: p\nstages:\n  s:\n      seed: 3\n      run: "python s.py"   # é\n      threads: 2\n',
        "# é\nproject: p\r\nstages:\r\n  s:\r\n    run: python s.py\r\n  t:\r\n    run: x\r\n",
        "project: p\nstages:\n  s:\n    run: python\n      s.py\n    seed: 3\n",
    ],
    ids=["block", "no-newline", "flow", "all-flow", "folded", "indented", "crlf", "two-lines"],
)
def test_keys_are_inserted_and_everything_else_stays(text: str) -> None:
    made = insert_keys(text, "s", KEYS)
    wanted = yaml.safe_load(text)
    wanted["stages"]["s"] |= KEYS
    assert yaml.safe_load(made) == wanted
    rest = iter(made)
    assert all(letter in rest for letter in text), "the old text is a part of the new one"


def test_a_long_list_has_a_line_an_entry() -> None:
    paths = [f"data/part-{number:03}.csv" for number in range(30)]
    made = insert_keys("project: p\nstages:\n  s:\n    run: python s.py\n", "s", {"in": paths})
    assert yaml.safe_load(made)["stages"]["s"]["in"] == paths
    assert max(map(len, made.splitlines())) < 40


@pytest.mark.parametrize(
    "text",
    ["project: p\nstages:\n  a: &one {run: x}\n  s: *one\n", "project: p\nstages:\n  s: {in: [], run: x}\n"],
    ids=["alias", "empty-key"],
)
def test_a_stage_that_cannot_be_extended_in_place_gets_the_lines_to_write(text: str) -> None:
    with pytest.raises(FileMalformedError, match="cannot be extended in place") as caught:
        insert_keys(text, "s", KEYS)
    assert caught.value.hint == "write these lines under it: in: [a.csv, b/]; out: [m.bin]"
