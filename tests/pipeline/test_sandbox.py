"""The sandbox: what a stage does not declare is closed, by whatever program it asks, and the error says so."""

from __future__ import annotations

import subprocess
import sys

import pytest
from walled import NEEDS_WALLS, Walled

from mintage.errors import FileMissingError, StageFailedError, UndeclaredReadError
from mintage.pipeline.walls.root import can_root

pytestmark = NEEDS_WALLS


@pytest.fixture
def walled(tmp_path, monkeypatch, request):
    monkeypatch.delenv("CI", raising=False)
    made = Walled(tmp_path, **getattr(request, "param", {}))
    yield made
    made.connection.close()


@pytest.mark.parametrize(
    "read",
    [
        "open(PATH).read()",
        "import pathlib; pathlib.Path(PATH).read_text()",
        "import os; os.read(os.open(PATH, os.O_RDONLY), 1)",
        "import numpy; numpy.loadtxt(PATH, delimiter=',', skiprows=1)",
        pytest.param("import pandas; pandas.read_csv(PATH)", marks=pytest.mark.slow),
        pytest.param("import polars; polars.read_csv(PATH)", marks=pytest.mark.slow),
        pytest.param("import pyarrow.csv; pyarrow.csv.read_csv(PATH)", marks=pytest.mark.slow),
        pytest.param("import duckdb; duckdb.read_csv(PATH).fetchall()", marks=pytest.mark.slow),
        pytest.param(
            "import lightgbm; lightgbm.Dataset(PATH, params={'header': True}).construct()", marks=pytest.mark.slow
        ),
        "import subprocess; subprocess.run(['cat', PATH], check=True)",
        "import subprocess; subprocess.run(['sh', '-c', 'cat < \"$0\"', PATH], check=True)",
        "import shutil; shutil.copy(PATH, 'copy.csv')",
        "import mmap, os; mmap.mmap(os.open(PATH, os.O_RDONLY), 0, prot=mmap.PROT_READ)",
    ],
    ids=lambda read: read.split(";")[0].removeprefix("import ").split(".")[0].split("(")[0],
)
def test_a_file_of_the_project_that_is_not_declared_is_closed_to_every_reader(walled, read: str) -> None:
    path = str(walled.root / "data/extra.csv")
    error = walled.denied(read.replace("PATH", repr(path)))
    assert error.message.startswith("stage s reads data/extra.csv, which it does not declare")
    assert "write `in: [data/in.csv, data/extra.csv]` for stage s at mintage.yaml:5:5" in error.hint
    assert error.code == "pipeline.undeclared-read"


@pytest.mark.slow
@pytest.mark.parametrize("walled", [{"name": "project"}], indirect=True)  # xgboost takes no address with a space in it
def test_a_file_is_closed_to_the_native_reader_of_xgboost(walled) -> None:
    address = f"{walled.root}/data/extra.csv?format=csv&label_column=0"
    error = walled.denied(f"import xgboost; xgboost.DMatrix({address!r}).num_row()")
    assert error.message.startswith("stage s reads data")


def test_a_database_that_is_not_declared_is_closed(walled) -> None:
    path = walled.database("data/t.db")
    script = f"import sqlite3; sqlite3.connect({str(path)!r}).execute('SELECT * FROM t').fetchall()"  # noqa: S608 fixed
    error = walled.denied(script)
    assert "`in: [data/in.csv, data/t.db]`" in error.hint


def test_the_error_names_the_line_that_asked(walled) -> None:
    script = "import helper\n\nhelper.read()"
    helper = f"def read():\n    return open({str(walled.root / 'data/extra.csv')!r})"
    assert "(helper.py:2)" in walled.denied(script, files={"helper.py": helper}).message.splitlines()[0]


def test_a_file_outside_the_project_is_closed_until_reads_names_it(walled) -> None:
    script = f"open({str(walled.outside)!r}).read()"
    error = walled.denied(script)
    assert f"reads {walled.outside}, which it does not declare (s.py:1)" in error.message
    line = f"reads: ['{walled.outside}']" if " " in str(walled.outside) else f"reads: [{walled.outside}]"
    assert f"`{line}`" in error.hint
    assert "`mintage add data/outside.csv`" in error.hint
    assert walled.walled(script, keys=f"    {line}\n").actions == {"s": "run"}
    assert walled.run(sandbox=True).actions == {"s": "keep"}
    walled.outside.write_text("a,b\n5,6\n")
    assert walled.run(sandbox=True).actions == {"s": "run"}, "its content counts"
    walled.outside.unlink()
    with pytest.raises(FileMissingError, match="not on this machine") as missing:
        walled.run(sandbox=True)
    assert missing.value.where == "mintage.yaml:7:5"


@pytest.mark.parametrize("way_of", ["landlock", "namespace"])
def test_what_reads_names_may_be_reached_over_a_link(walled, tmp_path, monkeypatch, way_of: str) -> None:
    if way_of == "namespace":
        if not can_root():
            pytest.skip("needs Linux 5.12 and mount namespaces")
        monkeypatch.setattr("mintage.pipeline.walls.enclosed.way", lambda: "namespace")
    (tmp_path / "real").mkdir()
    walled.outside.rename(tmp_path / "real/o.csv")
    (tmp_path / "link").symlink_to("real")
    keys = f"    reads: ['{tmp_path}/link/o.csv']\n"
    assert walled.walled(f"open({str(tmp_path / 'link/o.csv')!r}).read()", keys=keys).remarks == {}


def test_what_reads_names_cannot_be_written(walled) -> None:
    with pytest.raises(StageFailedError, match="Permission denied"):
        walled.walled(f"open({str(walled.outside)!r}, 'a')", keys=f"    reads: ['{walled.outside}']\n")


@pytest.mark.parametrize("where", ["project", "home", "beside", "store"])
def test_nothing_can_be_written_but_the_scratch_folder(walled, tmp_path, monkeypatch, where: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    place = {"project": walled.root, "home": home, "beside": tmp_path, "store": walled.workspace.state}[where]
    with pytest.raises(StageFailedError, match="Permission denied"):
        walled.walled(f"open({str(place / 'new.txt')!r}, 'w')")
    assert not (place / "new.txt").exists()


def test_a_stage_that_swallows_the_error_is_told_of_with_its_line(walled) -> None:
    path = str(walled.root / "data/extra.csv")
    outcome = walled.walled(f"try:\n    open({path!r})\nexcept OSError:\n    pass")
    line = "`in: [data/in.csv, data/extra.csv]`"
    assert outcome.remarks == {"s": [f"asks for data/extra.csv (s.py:2), which `in` does not name: write {line}"]}
    assert walled.ran("s")["sandbox"] == "landlock"


@pytest.mark.parametrize("look", ["__import__('os').path.exists('data/extra.csv')", "P('data/extra.csv').is_file()"])
def test_a_stage_that_only_looks_whether_a_file_is_there_is_told_of(walled, look: str) -> None:
    outcome = walled.walled(
        f"from pathlib import Path as P\nif {look}:\n    raise SystemExit(1)\nP('not there').exists()"
    )
    assert outcome.remarks["s"][0].startswith("asks for data/extra.csv (s.py:2), which `in` does not name")
    assert len(outcome.remarks["s"]) == 1


def test_a_look_at_an_output_of_an_earlier_run_is_nothing_to_tell(walled) -> None:
    script = "import os\nos.path.exists('o.txt')"
    walled.walled(script)
    assert walled.run(sandbox=True, force=True).remarks == {}


def test_an_input_that_is_asked_for_by_an_absolute_path_is_closed_and_the_hint_says_which_to_use(walled) -> None:
    error = walled.denied(f"open({str(walled.root / 'data/in.csv')!r})")
    assert error.hint.startswith("open data/in.csv by that path, from the project's folder")


def test_a_module_that_only_importlib_finds_is_there_and_counts(walled) -> None:
    script = "import importlib\nimportlib.import_module('plugins.fancy')"
    walled.make(script, files={"plugins/__init__.py": "", "plugins/fancy.py": "x = 1", "plugins/plain.py": ""})
    walled.run(sandbox=True)
    assert sorted(walled.ran("s")["parts"]["code"])[:2] == ["plugins/__init__.py", "plugins/fancy.py"]


def test_a_module_that_git_ignores_has_its_line_under_code(walled) -> None:
    script = "import importlib\nimportlib.import_module('plugins.fancy')"
    walled.make(script, files={"plugins/__init__.py": "", "plugins/fancy.py": "x = 1", ".gitignore": "plugins/\n"})
    with pytest.raises(UndeclaredReadError) as caught:
        walled.run(sandbox=True)
    assert 'write `code: ["plugins/**/*.py"]` for stage s' in caught.value.hint
    assert walled.walled(script, keys="    code: [plugins/*.py]\n").actions == {"s": "run"}


def test_a_failure_for_another_reason_stays_one(walled) -> None:
    walled.make("import os\nos.path.exists('data/extra.csv')\nraise ValueError('row 17')")
    with pytest.raises(StageFailedError, match="row 17") as caught:
        walled.run(sandbox=True)
    assert caught.value.code == "pipeline.stage-failed"


def test_an_undeclared_output_is_not_kept_and_told_of(walled) -> None:
    outcome = walled.walled("open('report.html', 'w').write('r')")
    assert "write `out: [o.txt, report.html]`" in outcome.remarks["s"][0]
    assert not (walled.root / "report.html").exists()


def test_a_denied_read_is_not_tried_again(walled) -> None:
    path = str(walled.root / "data/extra.csv")
    walled.make(f"print('once')\nopen({path!r})", keys="    retry: {max: 3}\n")
    with pytest.raises(UndeclaredReadError):
        walled.run(sandbox=True)
    log = next(walled.workspace.logs_dir.glob("*/s.log"))
    assert log.read_text().count("once") == 1


def test_a_shell_line_that_goes_on_is_told_of_if_it_said_so(walled) -> None:
    extra = walled.root / "data/extra.csv"
    line = f"wc -l '{extra}'; cat data/extra.csv; cat '{walled.outside}'; cat nowhere.csv; cat data/in.csv > o.txt"
    walled.write(f'  s:\n    sh: "{line}"\n    in: [data/in.csv]\n    out: [o.txt]\n')
    walled.commit()
    remarks = walled.run(sandbox=True).remarks["s"]
    assert remarks[0] == "asks for data/extra.csv, which `in` does not name: write `in: [data/in.csv, data/extra.csv]`"
    assert remarks[1].startswith(f"asks for {walled.outside}, outside the project, and was denied: write `reads: [")
    assert len(remarks) == 2


def test_a_reproduction_has_the_walls_and_names_the_file_as_the_project_does(walled) -> None:
    path = walled.root / "data/extra.csv"
    walled.make(f"open({str(path)!r})")
    walled.run(sandbox=False)
    walled.commit()
    found = subprocess.run(
        [sys.executable, "-m", "mintage", "reproduce"], cwd=walled.root, capture_output=True, text=True, check=False
    )
    assert found.returncode == 6
    assert "stage s reads data/extra.csv, which it does not declare (s.py:1)" in found.stderr
    assert "write `in: [data/in.csv, data/extra.csv]`" in found.stderr
