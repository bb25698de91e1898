"""`mintage run --record`: a stage is recorded again, and what differs is shown, and written if wanted."""

from __future__ import annotations

import pytest
from recorded import single

from mintage.errors import FileMalformedError
from mintage.pipeline.recording.replace import replace_keys
from mintage.pipeline.run import Selection

STAGE = "run: python s.py\n    in: [a.csv, old.csv]  # ours\n    out: [m.bin]"
SCRIPT = "open('a.csv').read()\nopen('b.csv').read()\nopen('m.bin', 'w').write('m')\nopen('r.html', 'w').write('r')\n"
WELL = "open('a.csv').read()\nopen('m.bin', 'w').write('m')\n"
FILES = {"a.csv": "a", "b.csv": "b", "old.csv": "o"}


def test_what_differs_is_shown_and_not_written(make) -> None:
    project = make(single(SCRIPT, STAGE, **FILES))
    text = project.read("mintage.yaml")
    learned = project.run(record=True).learned["s"]
    assert project.read("mintage.yaml") == text
    assert learned.suggested == (
        "-    in: [a.csv, old.csv]  # ours",
        "-    out: [m.bin]",
        "+    in: [a.csv, b.csv]  # ours",
        "+    out: [m.bin, r.html]",
    )
    assert not (project.root / "r.html").exists()


def test_what_differs_is_written_if_wanted_and_then_nothing_differs(make) -> None:
    project = make(single(SCRIPT, STAGE, **FILES))
    project.run(record=True, amend=True)
    assert "    in: [a.csv, b.csv]  # ours\n    out: [m.bin, r.html]" in project.read("mintage.yaml")
    assert project.read("r.html") == "r"
    assert project.run().actions == {"s": "keep"}
    learned = project.run(record=True).learned["s"]
    assert (learned.suggested, learned.diff) == ((), ())


def test_keys_that_are_missing_are_written_as_at_the_first_time(make) -> None:
    project = make(single(SCRIPT, "run: python s.py\n    in: [a.csv, b.csv]", **FILES))
    project.run(record=True)
    assert "    out: [m.bin, r.html]\n" in project.read("mintage.yaml")


def test_a_folder_that_is_declared_stays_one(make) -> None:
    project = make(
        single(
            "open('d/a.csv').read()\nopen('m', 'w')",
            "run: python s.py\n    in: [d/]\n    out: [m]",
            **{"d/a.csv": "a", "d/b.csv": "b"},
        )
    )
    assert project.run(record=True).learned["s"].suggested == ()


def test_only_the_stage_that_was_named_is_recorded(make) -> None:
    project = make(single(WELL, STAGE + "\n  t:\n    run: python t.py\n    out: [t.txt]", **FILES))
    project.write("t.py", "open('t.txt', 'w')")
    project.run()
    outcome = project.run(record=True, selection=Selection(targets=("t",)))
    assert list(outcome.learned) == ["t"]


@pytest.mark.parametrize(
    "text",
    [
        "project: p\nstages: {s: {run: python s.py, in: [a.csv], out: [m]}}  # all\n",
        "project: p\nstages:\n  s:\n    in:\n      - a.csv\n      - c.csv  # c\n    # about out\n    out: []\n"
        "    run: x\n",
        "project: p\nstages:\n  s:\n    in:\n    - a.csv\n    run: python s.py\n    out: [m]\n",
        "project: p\nstages:\n  s:\n    in: [\n      a.csv]\n    run: python s.py\n    out: [m]",
    ],
)
def test_lists_are_replaced_in_place_in_every_form(text: str) -> None:
    made = replace_keys(text, "s", {"in": ("a.csv", "b c.csv"), "out": ("m", "n")})
    assert replace_keys(made, "s", {"in": ("a.csv",), "out": ()}).count("a.csv") == 1
    for comment in ("# all", "# about out"):
        assert (comment in made) == (comment in text)


def test_an_alias_is_not_replaced_but_told() -> None:
    text = "project: p\nstages:\n  s: {run: python s.py, in: &x [a.csv], out: [m]}\n  t: {run: python t.py, in: *x}\n"
    with pytest.raises(FileMalformedError) as caught:
        replace_keys(text, "s", {"in": ("b.csv",)})
    assert "in: [b.csv]" in str(caught.value.hint)
