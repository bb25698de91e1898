"""The rooms import in one direction, decisions are pure, and an optional library has one door."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# Distribution to import name, where they differ.
IMPORT_NAMES = {"PyYAML": "yaml", "ipython": "IPython", "scikit-learn": "sklearn", "vl-convert-python": "vl_convert"}
# Parts of uvicorn that it loads by itself when they are there.
LOADED_BY_OTHERS = {"httptools", "uvloop"}
# Parts of an optional library under a name of their own, to the library that brings them.
PARTS = {"markupsafe": "jinja2"}
# Libraries of the user's own environment, which the scripts that run there may import.
USERS_OWN = {
    *("catboost", "joblib", "lightgbm", "numpy", "pandas", "polars", "scipy", "sklearn", "treelite", "xgboost"),
    *("onnx", "onnxruntime", "onnxscript", "skl2onnx", "skops", "torch"),
    "hypothesis",
}
SCRIPTS_FOR_THE_USERS_ENVIRONMENT = ("lower/extract/", "certify/inside/")
SEES_PICKLING = "pipeline/capture/inside/patch.py"  # in the user's program it sees `pickle.dump`, and loads nothing
DECISION_FILES = {"judge.py", "plan.py", "decide.py", "key.py", "split.py"}


class Import(NamedTuple):
    file: str
    name: str
    line: int
    lazy: bool  # inside a function, or in a `try` that handles its absence
    for_types: bool


def handles_absence(node: ast.AST) -> bool:
    handled = (
        [ast.unparse(handler.type) for handler in node.handlers if handler.type] if isinstance(node, ast.Try) else []
    )
    return any("ImportError" in name or "ModuleNotFoundError" in name for name in handled)


def imports_of(file: str, tree: ast.Module) -> Iterator[Import]:
    """Every import in ``tree``, by its top package."""

    def walk(node: ast.AST, *, lazy: bool, for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, alias.name.partition(".")[0], child.lineno, lazy, for_types)
            elif isinstance(child, ast.ImportFrom) and child.level == 0 and child.module:
                yield Import(file, child.module.partition(".")[0], child.lineno, lazy, for_types)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or handles_absence(child)
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from walk(child, lazy=lazy or inside, for_types=for_types or guarded)

    yield from walk(tree, lazy=False, for_types=False)


def import_name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return IMPORT_NAMES.get(match[0], match[0])


@pytest.fixture(scope="module")
def metadata(root: Path) -> dict[str, object]:
    project: dict[str, object] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


@pytest.fixture(scope="module")
def third_party(source_trees: dict[str, ast.Module]) -> list[Import]:
    ours = {"mintage", *sys.stdlib_module_names}
    found = (item for file, tree in source_trees.items() for item in imports_of(file, tree))
    return [
        item._replace(name=PARTS.get(item.name, item.name))
        for item in found
        if item.name not in ours and not item.file.startswith(SCRIPTS_FOR_THE_USERS_ENVIRONMENT)
    ]


@pytest.fixture(scope="module")
def optional(metadata: dict[str, object]) -> dict[str, str]:
    """Import name of each library of an extra that users install, to that extra."""
    extras = metadata["optional-dependencies"]
    assert isinstance(extras, dict)
    return {
        import_name(requirement): extra
        for extra, requirements in extras.items()
        if extra != "dev"
        for requirement in requirements
        if not requirement.startswith("mintage")
    }


def test_import_contracts_of_pyproject_hold(root: Path) -> None:
    linted = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "lint-imports", "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_import_contract_names_every_room_of_the_package(root: Path) -> None:
    configuration = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    assert layers["exhaustive"] is True
    assert not [contract["name"] for contract in contracts if "ignore_imports" in contract]
    required = {room for line in layers["layers"] for room in re.findall(r"(?<![(\w])\w+(?![)\w])", line)}
    package = root / "src" / "mintage"
    rooms = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    rooms |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert required == rooms


def test_every_folder_with_source_is_a_package_that_the_contracts_see(root: Path) -> None:
    package = root / "src" / "mintage"
    folders = {path.parent for path in package.rglob("*.py") if "templates" not in path.relative_to(package).parts[:1]}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_no_source_file_is_longer_than_500_lines(root: Path, repository_files: list[Path]) -> None:
    lengths = {
        path.as_posix(): len((root / path).read_text(encoding="utf-8").splitlines())
        for path in repository_files
        if path.suffix == ".py"
    }
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_decision_files_read_no_file_clock_or_environment(source_trees: dict[str, ast.Module]) -> None:
    impure = {"open", "input", "print", "exec", "eval", "__import__"}
    ambient = {"now", "utcnow", "today", "getenv", "environ", "default_rng", "urandom", "token_hex"}
    found = []
    for file, tree in source_trees.items():
        if Path(file).name not in DECISION_FILES:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                if isinstance(function, ast.Name) and function.id in impure:
                    found.append(f"{file}:{node.lineno}: {function.id}()")
                if isinstance(function, ast.Attribute) and function.attr in ambient:
                    found.append(f"{file}:{node.lineno}: .{function.attr}()")
    assert found == []


def test_every_import_is_declared_as_a_dependency_or_in_an_extra(
    third_party: list[Import], metadata: dict[str, object], optional: dict[str, str]
) -> None:
    dependencies = metadata["dependencies"]
    assert isinstance(dependencies, list)
    declared = {import_name(requirement) for requirement in dependencies} | set(optional)
    undeclared = {f"{item.file}:{item.line}: {item.name}" for item in third_party if item.name not in declared}
    assert undeclared == set()


def test_every_dependency_is_imported_somewhere(
    source_trees: dict[str, ast.Module], metadata: dict[str, object], optional: dict[str, str], root: Path
) -> None:
    dependencies = metadata["dependencies"]
    assert isinstance(dependencies, list)
    used = {item.name for file, tree in source_trees.items() for item in imports_of(file, tree)}
    for script in (root / "src" / "mintage" / "templates").rglob("*.py"):
        used |= {item.name for item in imports_of(script.name, ast.parse(script.read_text(encoding="utf-8")))}
    declared = {import_name(requirement) for requirement in dependencies} | set(optional)
    assert declared - used - LOADED_BY_OTHERS == set()


def test_an_optional_library_is_imported_in_one_file_where_its_absence_is_handled(
    third_party: list[Import], optional: dict[str, str]
) -> None:
    doors: dict[str, set[str]] = defaultdict(set)
    eager = []
    for item in third_party:
        if item.name in optional and not item.for_types:
            doors[item.name].add(item.file)
            if not item.lazy:
                eager.append(f"{item.file}:{item.line}: {item.name}")
    assert eager == []
    assert {name: sorted(files) for name, files in doors.items() if len(files) > 1} == {}


def test_a_missing_optional_library_is_reported_through_one_error(
    third_party: list[Import], optional: dict[str, str], root: Path
) -> None:
    doors = {item.file for item in third_party if item.name in optional and not item.for_types}
    silent = {
        file
        for file in doors
        if "ExtraMissingError" not in (root / "src" / "mintage" / file).read_text(encoding="utf-8")
        and not file.startswith("model/runtimes/")  # there it is a line of the matrix: `Missing`, with its hint
    }
    assert silent == set()


def test_scripts_for_the_users_environment_need_nothing_of_ours(source_trees: dict[str, ast.Module]) -> None:
    scripts = {file: tree for file, tree in source_trees.items() if file.startswith(SCRIPTS_FOR_THE_USERS_ENVIRONMENT)}
    assert {"lower/extract/opening.py", "certify/inside/relations.py"} <= set(scripts)
    names = {item.name for file, tree in scripts.items() for item in imports_of(file, tree)}
    assert names - USERS_OWN - {"mintage_extract", "mintage_inside"} - set(sys.stdlib_module_names) == set()


def test_nothing_of_ours_unpickles(source_trees: dict[str, ast.Module]) -> None:
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    found = {
        f"{file}: {item.name}"
        for file, tree in source_trees.items()
        for item in imports_of(file, tree)
        if item.name in banned and not file.startswith(SCRIPTS_FOR_THE_USERS_ENVIRONMENT)
    }
    assert found == {f"{SEES_PICKLING}: pickle"}
    used = {
        node.attr
        for node in ast.walk(source_trees[SEES_PICKLING])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pickle"
    }
    assert used == set(), "it hands the module to what replaces `dump`, and touches nothing of it itself"
