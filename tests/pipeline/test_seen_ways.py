"""Each way in which a stage finds code of the project as it runs: the file is there, and joins the key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.pipeline.status import stage_states
from mintage.repo.locks import read_lock
from mintage.store.statcache import StatCache

FILES = {
    "params.yaml": "plugin: a\n",
    "plugins/__init__.py": "",
    "plugins/a.py": "VALUE = 'A'\n",
    "plugins/b.py": "VALUE = 'B'\n",
    "shapes.py": "class Round:\n    name = 'round'\n",
    "lib/helper.py": "VALUE = 'helper'\n",
    "space/inner.py": "VALUE = 'inner'\n",
    "pkg/__init__.py": "",
    "pkg/child.py": "def work(number):\n    import importlib\n    return importlib.import_module('pkg.late').VALUE\n",
    "pkg/late.py": "VALUE = 'late'\n",
    "pkg/reader.py": """\
import importlib.resources, pathlib
query = importlib.resources.files("pkg").joinpath("sql/q.sql").read_text()
settings = (pathlib.Path(__file__).parent / "settings.json").read_text()
""",
    "pkg/sql/q.sql": "select 1",
    "pkg/settings.json": "{}",
    "pkg/unread.json": "{}",
    "tools/part.py": "VALUE = 'part'\n",
    "tools/text.py": "VALUE = 'text'\n",
    "tools/first.sh": 'cd "$(dirname "$0")" && bash second.sh && python third.py\n',
    "tools/second.sh": "echo two\n",
    "tools/third.py": "print('three')\n",
    "by_name.py": """\
import importlib, json, os
plugin = json.load(open(os.environ["MINTAGE_PARAMS"]))["plugin"]
print(importlib.import_module(f"plugins.{plugin}").VALUE)
""",
    "by_class.py": """\
module, _, name = "shapes:Round".partition(":")
print(getattr(__import__(module, fromlist=[name]), name).name)
""",
    "scan.py": """\
import importlib, pkgutil, plugins
for module in pkgutil.iter_modules(plugins.__path__):
    print(importlib.import_module(f"plugins.{module.name}").VALUE)
""",
    "path.py": "import sys\nsys.path.insert(0, 'lib')\nimport helper\nprint(helper.VALUE)\n",
    "namespace.py": "print(__import__('space.' + 'inner', fromlist=['x']).VALUE)\n",
    "optional.py": """\
import importlib
try:
    print(importlib.import_module("plugins.local").VALUE)
except ImportError:
    print("none")
try:
    print(open("pkg/local.sql").read())
except FileNotFoundError:
    print("none")
""",
    "run_path.py": "import runpy\nprint(runpy.run_path('tools/part.py')['VALUE'])\n",
    "execute.py": "exec(open('tools/text.py').read())\nprint(VALUE)\n",
    "resources.py": "import pkg.reader\nprint(pkg.reader.query, pkg.reader.settings)\n",
    "spawned.py": """\
import multiprocessing
from pkg.child import work
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [1]))
""",
}
WAYS = {
    "by_name": ["plugins/__init__.py", "plugins/a.py"],
    "by_class": ["shapes.py"],
    "scan": ["plugins/a.py", "plugins/b.py"],
    "path": ["lib/helper.py"],
    "namespace": ["space/inner.py"],
    "optional": ["plugins/__init__.py"],
    "run_path": ["tools/part.py"],
    "execute": ["tools/text.py"],
    "resources": ["pkg/settings.json", "pkg/sql/q.sql"],
    "spawned": ["pkg/late.py"],
    "shell": ["tools/second.sh", "tools/third.py"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellProject]:
    """A project with one stage for each way, run once."""
    made = ShellProject(tmp_path_factory.mktemp("ways") / "p")
    commands = {name: "bash tools/first.sh" if name == "shell" else f"python {name}.py" for name in WAYS}
    stages = [
        f"  {name}:\n    sh: {command} > {name}.txt\n    out: [{name}.txt]\n" for name, command in commands.items()
    ]
    made.write("".join(stages).replace("  by_name:\n", "  by_name:\n    params: [plugin]\n"), FILES)
    made.run()
    yield made
    made.connection.close()


def stale(project: ShellProject) -> dict[str, tuple[str, ...]]:
    with StatCache(project.workspace.cache_database) as cache:
        return {state.name: state.reasons for state in stage_states(project.workspace, cache, ()) if state.reasons}


@pytest.fixture
def edited(project: ShellProject, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file of the project, to be changed; it is as before afterwards."""
    path = project.workspace.root / request.param
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    yield path
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


def test_nothing_is_to_do_after_the_run(project: ShellProject) -> None:
    assert stale(project) == {}


@pytest.mark.parametrize(("stage", "files"), WAYS.items())
def test_what_is_found_as_it_runs_is_there_and_joins_the_key(
    project: ShellProject, stage: str, files: list[str]
) -> None:
    lock = read_lock(project.workspace.root, stage)
    assert lock is not None
    assert list(lock.seen) == files
    assert lock.parts["code"].keys() >= {*files}
    assert project.read(f"{stage}.txt").strip()


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("plugins/a.py", {"by_name", "scan"}),
        ("plugins/b.py", {"scan"}),
        ("plugins/c.py", {"scan"}),
        ("shapes.py", {"by_class"}),
        ("lib/helper.py", {"path"}),
        ("space/inner.py", {"namespace"}),
        ("tools/part.py", {"run_path"}),
        ("tools/text.py", {"execute"}),
        ("pkg/sql/q.sql", {"resources"}),
        ("pkg/settings.json", {"resources"}),
        ("pkg/unread.json", set()),
        ("pkg/late.py", {"spawned"}),
        ("tools/second.sh", {"shell"}),
        ("plugins/local.py", {"scan", "optional"}),
        ("plugins/local/__init__.py", {"scan", "optional"}),
        ("pkg/local.sql", {"optional"}),
        ("unrelated.py", set()),
        ("tools/new.py", set()),
    ],
    indirect=["edited"],
)
def test_an_edit_makes_those_stages_stale_that_used_the_file(
    project: ShellProject, edited: Path, stages: set[str]
) -> None:
    edited.write_text("# another\n" + (edited.read_text() if edited.exists() else ""))
    assert stale(project).keys() == stages


@pytest.mark.parametrize("edited", ["plugins/c.py"], indirect=True)
def test_a_new_file_in_a_folder_that_was_searched_is_named_as_the_reason(project: ShellProject, edited: Path) -> None:
    edited.write_text("VALUE = 'C'\n")
    assert stale(project)["scan"] == ("plugins/c.py is new",)


@pytest.mark.parametrize("edited", ["plugins/b.py"], indirect=True)
def test_a_deleted_file_is_named_once_as_the_reason(project: ShellProject, edited: Path) -> None:
    edited.unlink()
    assert stale(project)["scan"] == ("code plugins/b.py is gone",)
