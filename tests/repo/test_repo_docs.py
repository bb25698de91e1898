"""The documents cover what the code has: commands, errors, formats, checks, rooms."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mintage import errors
from mintage.cli.main import COMMANDS, EXIT_CODES, build_parser


@pytest.fixture(scope="module")
def documents(root: Path) -> str:
    """The README and all pages of docs, as one text."""
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def error_classes() -> list[type[errors.MintageError]]:
    return [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.MintageError)
    ]


def names_of_commands() -> list[str]:
    parser = build_parser()
    action = next(action for action in parser._actions if action.dest == "command")
    assert action.choices is not None
    return sorted(action.choices)


def test_parser_knows_exactly_the_listed_commands() -> None:
    assert names_of_commands() == sorted(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_command_is_in_the_documents(documents: str, command: str) -> None:
    assert f"mintage {command}" in documents


def test_documents_name_no_command_that_does_not_exist(documents: str) -> None:
    named = set(re.findall(r"`mintage ([a-z][a-z-]*)", documents))
    named |= set(re.findall(r"^\s*(?:\$ )?mintage ([a-z][a-z-]*)", documents, flags=re.MULTILINE))
    assert named - set(COMMANDS) - {"help"} == set()


def test_each_error_class_has_a_code_of_its_own() -> None:
    codes: dict[str, list[str]] = {}
    for kind in error_classes():
        codes.setdefault(kind.code, []).append(kind.__name__)
    assert {code: names for code, names in codes.items() if len(names) > 1} == {}
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z0-9]+)*", code)] == []


def test_each_error_class_has_an_exit_code() -> None:
    classes = [kind for kind in error_classes() if kind is not errors.MintageError]
    assert [kind.__name__ for kind in classes if not issubclass(kind, tuple(EXIT_CODES))] == []


def test_page_of_errors_is_what_its_script_writes(root: Path) -> None:
    written = subprocess.run(
        [sys.executable, root / "scripts" / "write_error_page.py"], capture_output=True, text=True, check=True
    ).stdout
    assert (root / "docs" / "errors.md").read_text(encoding="utf-8") == written, (
        "run: python scripts/write_error_page.py > docs/errors.md"
    )


def test_page_of_commands_is_what_its_script_writes(root: Path) -> None:
    written = subprocess.run(
        [sys.executable, root / "scripts" / "write_command_page.py"], capture_output=True, text=True, check=True
    ).stdout
    assert (root / "docs" / "commands.md").read_text(encoding="utf-8") == written, (
        "run: python scripts/write_command_page.py > docs/commands.md"
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_argument_of_a_command_has_a_help_text(command: str) -> None:
    action = next(action for action in build_parser(only=command)._actions if action.dest == "command")
    assert isinstance(action.choices, dict)
    arguments = action.choices[command]._actions
    assert [argument.dest for argument in arguments if not argument.help] == []


def kinds_in(tree: ast.Module) -> set[str]:
    """The kinds that a module defines: a class with kind and version, or ``Record(kind="run", ...)``."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = {
                item.target.id: item.value
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value is not None
            }
            if {"kind", "version"} <= set(fields):
                values = [item.value for item in ast.walk(fields["kind"]) if isinstance(item, ast.Constant)]
                found |= {value for value in values if isinstance(value, str)}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Record":
            for keyword in node.keywords:
                if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant):
                    found.add(str(keyword.value.value))
    return found


def test_each_kind_of_record_has_a_page_of_specification(root: Path, source_trees: dict[str, ast.Module]) -> None:
    folder = root / "docs" / "spec"
    pages = "\n".join(page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md")))
    table = (folder / "records.md").read_text(encoding="utf-8")
    described = set(re.findall(r'"kind": ?"([a-z-]+)"', pages))  # an example
    described |= set(re.findall(r"^\| `kind`[^|]*\| `([a-z-]+)`", pages, flags=re.MULTILINE))  # the field of a format
    described |= set(re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE))  # a row of the table of records
    kinds = {kind: file for file, tree in source_trees.items() for kind in kinds_in(tree)}
    assert {kind: file for kind, file in kinds.items() if kind not in described} == {}


@pytest.mark.parametrize(("index", "folder"), [("README.md", "docs/tutorials"), ("docs/spec/README.md", "docs/spec")])
def test_an_index_names_each_page_of_its_folder(root: Path, index: str, folder: str) -> None:
    place = (root / index).parent
    links = re.findall(r"\]\(([\w./-]+\.md)\)", (root / index).read_text(encoding="utf-8"))
    pages = {page.resolve() for page in (root / folder).glob("*.md")} - {(root / index).resolve()}
    assert pages - {(place / link).resolve() for link in links} == set()


def test_each_tutorial_is_typed_by_a_test(root: Path) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (root / "tests" / "e2e").glob("test_*.py"))
    assert [page.name for page in (root / "docs" / "tutorials").glob("*.md") if f'"{page.name}"' not in tests] == []


def test_pages_that_hints_and_docstrings_name_exist(root: Path, source_trees: dict[str, ast.Module]) -> None:
    missing = set()
    for file, tree in source_trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for page in re.findall(r"docs/[\w./-]+\.md", node.value):
                    if not (root / page).is_file():
                        missing.add(f"{file}: {page}")
    assert missing == set()


def test_entry_points_name_each_check_file(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    checks = project["entry-points"]["mintage.checks"]
    files = {path.stem for path in (root / "src" / "mintage" / "certify" / "checks").glob("*.py")}
    files -= {"__init__"}
    modules = {target.partition(":")[0].removeprefix("mintage.certify.checks.") for target in checks.values()}
    assert modules == files


def test_architecture_lists_the_rooms_in_import_order(root: Path) -> None:
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    order = [room for line in reversed(layers) for room in re.findall(r"(?<![(\w])\w+(?![)\w])", line)]
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+?)(?:/|\.py)?` \|", text, flags=re.MULTILINE)
    assert listed == [room for room in order if room != "__main__"]


def test_make_help_lists_each_target(root: Path) -> None:
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make (\S+)", shown, flags=re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert phony is not None
    assert sorted(listed) == sorted(phony[1].split())


@pytest.mark.parametrize(
    "script", [".ci/run", "scripts/install-system-parts", "scripts/prepare-venv", "scripts/write-locks"]
)
def test_shell_script_is_well_formed_and_executable(root: Path, script: str) -> None:
    path = root / script
    shell = "bash" if "bash" in path.read_text(encoding="utf-8").splitlines()[0] else "sh"
    subprocess.run([shell, "-n", path], check=True)
    assert path.stat().st_mode & 0o111
