import pytest

from mintage.pipeline.closure import closure


@pytest.mark.parametrize(
    ("script", "text", "files", "expected"),
    [
        ("fit.py", "import os, clean", ["clean.py", "other.py"], ["clean.py"]),
        ("jobs/fit.py", "import clean", ["jobs/clean.py", "clean.py"], ["jobs/clean.py"]),
        ("jobs/fit.py", "import clean", ["clean.py", "src/clean.py"], ["clean.py"]),
        ("fit.py", "import a.b.c", ["src/a/__init__.py", "src/a/b/c.py"], ["src/a/__init__.py", "src/a/b/c.py"]),
        ("p/q/fit.py", "from ..r import s", ["p/__init__.py", "p/r/s.py", "r/s.py"], ["p/r/s.py"]),
        ("p/fit.py", "from . import clean", ["clean.py"], []),
        (".jobs/fit.py", "import clean", [".jobs/clean.py", "jobs/clean.py"], [".jobs/clean.py"]),
        ("fit.py", "import clean", ["clean/notes.txt"], []),
    ],
)
def test_imports_are_found_beside_the_script_then_at_the_root_then_in_src(tmp_path, script, text, files, expected):
    for name in (script, *files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text if name == script else "")
    assert closure(["python", script], (), tmp_path) == sorted([script, *expected])
