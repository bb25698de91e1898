"""What is read of a notebook without running it: code, parameters, the text without outputs, the digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebooks import make_notebook

from mintage.errors import NotebookMalformedError, UnknownNameError, UsageError
from mintage.pipeline.closure import closure
from mintage.pipeline.notebook.given import given_values
from mintage.pipeline.notebook.notebook_source import source_of
from mintage.pipeline.notebook.python_text import masked
from mintage.repo.notebook import code_cells, code_digest, parse_notebook, strip_notebook

WHERE = "n.ipynb"


def digest(text: str) -> str:
    return code_digest(text.encode(), where=WHERE)


def test_stripping_takes_outputs_and_counts_and_leaves_the_rest_as_it_is() -> None:
    text = make_notebook(
        "# Prose é", ("a = 1", "parameters", "mine"), "b = 'ü'\nb", widgets={"state": 1}, mine={"x": 1}
    )
    stripped = strip_notebook(text.encode(), where=WHERE).decode()
    assert "an old output" not in stripped and "iopub" not in stripped and "widgets" not in stripped
    expected = json.loads(text)
    del expected["metadata"]["widgets"]
    for cell in expected["cells"][1:]:
        cell["outputs"], cell["execution_count"] = [], None
        del cell["metadata"]["execution"]
    assert json.loads(stripped) == expected
    assert "Prose é" in stripped and stripped.startswith('{\n "cells": [\n  {\n   "cell_type": "markdown"')
    assert strip_notebook(stripped.encode(), where=WHERE).decode() == stripped


_CELLS = st.lists(st.text(alphabet="ab =\n1#%!é", max_size=20), max_size=5)


@given(_CELLS, _CELLS)
def test_the_digest_is_of_the_code_and_of_nothing_else(cells: list[str], others: list[str]) -> None:
    text = make_notebook(*cells)
    assert digest(text) == digest(strip_notebook(text.encode(), where=WHERE).decode())
    sources = [[cell.source for cell in code_cells(json.loads(make_notebook(*each)))] for each in (cells, others)]
    assert (digest(text) == digest(make_notebook(*others))) == (sources[0] == sources[1])


def test_prose_and_outputs_do_not_count_but_tags_do() -> None:
    before = make_notebook("# Prose", "a = 1")
    assert digest(before) == digest(make_notebook("# Other prose", "# More", "a = 1", minor=4))
    assert digest(before) != digest(make_notebook("# Prose", ("a = 1", "parameters")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<<<<<<< HEAD\n{", "Expecting value"),
        ('{"nbformat": 3, "worksheets": []}', "format 3"),
        ("[]", "list"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "a cell without text"),
        (make_notebook("x <- 1", kernelspec={"language": "R", "name": "ir"}), "a notebook in r"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_python_notebook_is_refused_with_what_it_is(text: str, found: str) -> None:
    with pytest.raises(NotebookMalformedError) as caught:
        parse_notebook(text.encode(), where=WHERE)
    assert found in str(caught.value.found) and caught.value.where == WHERE and caught.value.hint


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("a = 1\nb = 10 % 3", "a = 1\nb = 10 % 3"),
        ("%load_ext x\nimport a", "pass\nimport a"),
        ("!pip install a\nimport a", "pass\nimport a"),
        ("%%time\nimport a", "pass\nimport a"),
        ("%%bash\npython a.py", "\n"),
        ("%timeit -n 3 fit(random_state=1)", "fit(random_state=1)"),
        ("x, y = %run_it\n  ", "x, y = None\n  "),
        ("if a:\n    !ls\nfit?", "if a:\n    pass\npass"),
        ("this is no Python", ""),
    ],
)
def test_lines_that_are_not_python_are_masked_line_by_line(cell: str, python: str) -> None:
    assert masked(cell) == python
    assert masked(cell).count("\n") == cell.count("\n")


def test_modules_and_scripts_that_cells_use_are_code(tmp_path: Path) -> None:
    for path in ("notebooks/near.py", "lib/far.py", "src/pack/__init__.py", "notebooks/run.py", "deep.py", "idle.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("import deep\n" if path == "notebooks/run.py" else "")
    cells = ("%matplotlib inline\nimport near", "!ls\nfrom lib import far", "%%time\nimport pack", "%run run.py --fast")
    (tmp_path / "notebooks/n.ipynb").write_text(make_notebook("# import idle", *cells, "broken ="))
    found = closure(["notebooks/n.ipynb"], (), tmp_path)
    expected = ["deep.py", "lib/far.py", "notebooks/n.ipynb", "notebooks/near.py", "notebooks/run.py"]
    assert found == [*expected, "src/pack/__init__.py"]


def test_a_notebook_that_another_program_is_to_write_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "in.ipynb").write_text(make_notebook("a = 1"))
    assert closure(["papermill", "in.ipynb", "out.ipynb"], (), tmp_path) == ["in.ipynb"]


def test_parameters_and_seeds_are_named_with_cell_and_line() -> None:
    text = make_notebook(
        "# Fit", ("depth = 3\nnames = ['a', 'b']", "parameters"), "%pylab\nSEED = 4\nrng = default_rng(SEED)"
    )
    found = source_of(code_cells(json.loads(text)), where=WHERE)
    shown = [(value.name, value.value, value.where) for value in (*found.parameters, *found.seeds)]
    assert shown == [
        ("depth", 3, "n.ipynb cell 1:1"),
        ("names", ["a", "b"], "n.ipynb cell 1:2"),
        ("SEED", 4, "n.ipynb cell 2:2"),
        ("default_rng", 4, "n.ipynb cell 2:3"),
    ]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--depth", "-5"], {"depth": -5}),
        (["--rate=2"], {"rate": 2.0}),
        (["--name", "3"], {"name": "3"}),
        (["--fast"], {"fast": True}),
        (["--fast", "false"], {"fast": False}),
        (["--made", "[1, 2]"], {"made": [1, 2]}),
        (["--max-rows", "7"], {"max_rows": 7}),
    ],
)
def test_given_values_have_the_kind_of_the_default(words: list[str], values: dict[str, object]) -> None:
    defaults = {"depth": 3, "rate": 0.5, "name": "x", "fast": True, "made": None, "max_rows": 1}
    found = given_values(words, defaults, {}, where=WHERE)
    assert found == values and [type(value) for value in found.values()] == [type(value) for value in values.values()]


def test_what_cannot_be_given_is_refused_before_anything_runs() -> None:
    with pytest.raises(UnknownNameError, match="no parameter 'deph'") as caught:
        given_values(["--deph", "1"], {"depth": 3}, {}, where=WHERE)
    assert caught.value.hint == "did you mean 'depth'?"
    with pytest.raises(UnknownNameError) as caught:
        given_values(["--depth", "1"], {}, {}, where=WHERE)
    assert "give a cell the tag `parameters`" in str(caught.value.hint)
    for words in (["--depth", "x"], ["--fast", "maybe"], ["5"], ["--depth", "1", "2"]):
        with pytest.raises(UsageError):
            given_values(words, {"depth": 3, "fast": True}, {}, where=WHERE)
