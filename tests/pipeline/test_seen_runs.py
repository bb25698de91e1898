"""Runs whose code is chosen by a parameter, and what becomes of their results."""

from __future__ import annotations

import compileall
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import StageFailedError
from mintage.lineage.chain import walk
from mintage.lineage.run_links import run_link
from mintage.pipeline.facts import Inspector
from mintage.pipeline.stage_run import entered
from mintage.repo.locks import lock_path, read_lock
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

STAGE = "  fit:\n    run: python fit.py\n    params: [plugin]\n    out: [out.txt]\n"
FILES = {
    "params.yaml": "plugin: a\n",
    "fit.py": """\
import importlib, json, os
plugin = json.load(open(os.environ["MINTAGE_PARAMS"]))["plugin"]
open("out.txt", "w").write(importlib.import_module(f"lib.{plugin}").VALUE)
""",
    "lib/a.py": "VALUE = 'A'\n",
    "lib/b.py": "VALUE = 'B'\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ShellProject]:
    made = ShellProject(tmp_path / "p")
    made.write(STAGE, FILES)
    yield made
    made.connection.close()


def action(project: ShellProject, plugin: str) -> str:
    (project.workspace.root / "params.yaml").write_text(f"plugin: {plugin}\n")
    return str(project.run().actions["fit"])


def test_each_choice_has_a_result_of_its_own_that_an_edit_of_the_other_leaves_alone(project: ShellProject) -> None:
    assert [action(project, name) for name in "aba"] == ["run", "run", "restore"]
    project.write(STAGE, {"lib/b.py": "VALUE = 'B2'\n"})
    assert [action(project, name) for name in "ab"] == ["keep", "run"]
    assert project.read("out.txt") == "B2"
    project.write(STAGE, {"lib/b.py": "VALUE = 'B'\n"})
    assert action(project, "b") == "restore"
    assert project.read("out.txt") == "B"


def test_without_its_lock_a_stage_is_found_by_what_its_runs_saw(project: ShellProject) -> None:
    assert [action(project, name) for name in "ab"] == ["run", "run"]
    (project.workspace.root / lock_path("fit")).unlink()
    assert action(project, "a") == "restore"
    assert project.read("out.txt") == "A"


def test_a_lock_alone_gives_another_clone_the_same_key(project: ShellProject, tmp_path: Path) -> None:
    project.run()
    project.commit()
    project.git("clone", "-q", ".", str(tmp_path / "clone"))
    other = Workspace(tmp_path / "clone")
    lock = read_lock(other.root, "fit")
    assert lock is not None
    with StatCache(other.cache_database) as cache:
        assert Inspector(other, cache).facts("fit").key == lock.key


def test_what_becomes_imported_by_name_is_no_longer_told_as_seen(project: ShellProject) -> None:
    project.run()
    project.write(STAGE, {"fit.py": "import lib.a\nopen('out.txt', 'w').write(lib.a.VALUE)\n"})
    assert project.run().actions["fit"] == "run"
    lock = read_lock(project.workspace.root, "fit")
    assert lock is not None
    assert lock.seen == ()
    assert "lib/a.py" in lock.parts["code"]


def test_the_run_tells_what_was_found_when_that_is_new(project: ShellProject) -> None:
    told = "uses lib/a.py, as was seen while it ran: a change there runs it again"
    assert project.run().remarks["fit"] == [told]
    assert project.run(force=True).remarks == {}


def test_a_run_that_fails_for_a_deleted_file_works_again_once_that_is_back(project: ShellProject) -> None:
    project.run()
    (project.workspace.root / "lib/a.py").unlink()
    with pytest.raises(StageFailedError, match="No module named"):
        project.run()
    project.write(STAGE, FILES)
    assert project.run().actions["fit"] == "keep"


def test_what_git_ignores_another_stage_writes_or_looks_like_a_secret_is_not_there(project: ShellProject) -> None:
    stages = (
        "  see:\n    sh: find * -type f ! -name seen.txt | sort > seen.txt\n    out: [seen.txt]\n"
        "  make:\n    sh: echo 1 > gen/made.py\n    out: [gen/]\n"
    )
    apart = ["tmp/x.py", "gen/made.py", "pkg/credentials.json", "pkg/rows.csv", "conf.yaml"]
    project.write(stages, {**dict.fromkeys([*apart, "pkg/x.py", "pkg/x.yaml"], ""), ".gitignore": "tmp/\n"})
    project.run("see")
    found = ["fit.py", "lib/a.py", "lib/b.py", "pkg/x.py", "pkg/x.yaml"]
    assert project.read("seen.txt").split() == found


def test_the_shell_of_a_stage_has_the_code_around_it(project: ShellProject) -> None:
    with StatCache(project.workspace.cache_database) as cache:
        inspector = Inspector(project.workspace, cache)
        facts = inspector.placing(inspector.facts("fit"))
        with entered(project.workspace, facts, known=cache.known_digest) as (folder, _, _):
            assert (folder / "lib/b.py").read_text() == FILES["lib/b.py"]


def test_code_that_a_run_found_is_verified_against_the_commit(project: ShellProject) -> None:
    run = project.run()
    assert run.record is not None
    assert all(link.ok for link in walk(run_link(project.store, project.workspace.git, run.record)))


def test_a_package_that_python_loads_out_of_the_project_itself_joins_the_key(project: ShellProject) -> None:
    root = project.workspace.root
    text = (
        f"import sys, os\nsys.path.insert(0, {str(root / 'src')!r})\nimport pack.part as part\n"
        "open('out.txt', 'w').write(part.TEXT + part.read())\nsys.stdout.flush()\nos._exit(0)\n"
    )
    part = (
        "import pathlib\nTEXT = 'part'\ndef read():\n    return (pathlib.Path(__file__).parent / 'q.sql').read_text()\n"
    )
    files = {"fit.py": text, "src/pack/__init__.py": "", "src/pack/part.py": part, "src/pack/q.sql": "select"}
    project.write(
        STAGE.replace("python fit.py", "python job.py"), {**files, "job.py": "import runpy\nrunpy.run_path('fit.py')"}
    )
    compileall.compile_dir(root / "src", quiet=1)
    assert project.run().remarks["fit"][1:] == []
    lock = read_lock(root, "fit")
    assert lock is not None
    assert lock.seen == ("fit.py", "src/pack/__init__.py", "src/pack/part.py", "src/pack/q.sql")


def test_a_recorded_stage_need_not_list_the_code_that_it_found(project: ShellProject) -> None:
    project.write(
        "  fit:\n    run: python fit.py\n", {"fit.py": "open('out.txt', 'w').write(__import__('lib.a').a.VALUE)\n"}
    )
    project.run()
    assert "code:" not in project.read("mintage.yaml")
    assert project.run().actions["fit"] == "keep"
    project.write(STAGE.replace("    params: [plugin]\n", ""), {"lib/a.py": "VALUE = 'A2'\n"})
    assert project.run().actions["fit"] == "run"
    assert project.read("out.txt") == "A2"


def test_code_that_a_stage_writes_over_is_told_and_neither_the_project_nor_another_stage_has_it(
    project: ShellProject,
) -> None:
    stages = (
        "  over:\n    run: bash over.sh\n    out: [over.txt]\n"
        "  see:\n    sh: cat lib/*.py > see.txt\n    out: [see.txt]\n"
    )
    project.write(stages, {"over.sh": "echo X > lib/a.py\ntouch over.txt\n"})
    line = "write `out: [over.txt, lib/a.py]`"
    assert project.run().remarks["over"] == [f"writes lib/a.py, which `out` does not name: it is not kept; {line}"]
    assert project.read("lib/a.py") == FILES["lib/a.py"]
    assert project.read("see.txt") == FILES["lib/a.py"] + FILES["lib/b.py"]


def test_a_module_that_git_ignores_is_missing_and_the_hint_says_how_to_have_it(project: ShellProject) -> None:
    project.write(STAGE, {".gitignore": "lib/a.py\n"})
    with pytest.raises(StageFailedError) as caught:
        project.run()
    assert "lib/a.py is no code that Git tracks or would track: name it under `code:`" in str(caught.value.hint)
    project.write(STAGE + "    code: [lib/a.py]\n", {})
    assert project.run().actions["fit"] == "run"


def test_what_a_stage_makes_for_itself_is_no_code_that_it_found(project: ShellProject) -> None:
    script = """\
import importlib, os
for name in ("lib/a.py", "lib/short.py"):
    open(name, "w").write("VALUE = 'made'\\n")
value = importlib.import_module("lib.a").VALUE + importlib.import_module("lib.short").VALUE
os.remove("lib/short.py")
open("out.txt", "w").write(value)
"""
    project.write(STAGE, {"fit.py": script})
    project.run()
    lock = read_lock(project.workspace.root, "fit")
    assert lock is not None
    assert lock.parts["code"].keys() == {"fit.py"}
    assert "absent" not in lock.parts
    assert project.read("out.txt") == "mademade"
    assert project.run().actions["fit"] == "keep"
