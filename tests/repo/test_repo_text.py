"""What the repository's files say: no machine of ours, no index's address, the glossary's words, the pages promised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# Put together from parts, so that this file holds none of them.
INDEX_HOSTS = [
    "".join(parts)
    for parts in (
        ("py", "pi", ".org"),
        ("python", "hosted", ".org"),
        ("registry", ".npm", "js"),
        ("deb", ".debian", ".org"),
        ("conda", ".anaconda", ".org"),
    )
]
FOLDERS_OF_A_MACHINE = ["/" + folder + "/" for folder in ("work", "home", "Users", "root", "farm")]
FOLDERS_OF_A_MACHINE.append("/tmp/" + "plan")
WORKING_NOTES = ["TO" + "DO", "FIX" + "ME", "X" * 3]
# A word that the glossary has another for, and where that other stands.
BANNED_WORDS = {
    r"data ?sets? version(s|ing)?": "data",
    r"artefacts?": "artifact",
    r"incumbents?": "champion",
    r"contenders?": "challenger",
    r"dark launch(es)?": "shadow",
    r"deployment manifests?": "release manifest",
    r"audit trails?": "audit log",
    r"passports?": "certificate",
    r"scorecards?": "certificate",
    r"quality gates?": "requirement",
    r"exemptions?": "waiver",
    r"model registry": "store, release",
    r"model bundles?": "package",
}


def text_of(path: Path) -> str | None:
    """The file's text, or None for a binary file."""
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def texts(root: Path, repository_files: list[Path]) -> dict[str, str]:
    found = {path.as_posix(): text_of(root / path) for path in repository_files}
    return {name: text for name, text in found.items() if text is not None}


def places(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {match[0]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := pattern.search(line))
    ]


def test_no_file_names_a_package_index(texts: dict[str, str]) -> None:
    assert places(texts, re.compile("|".join(map(re.escape, INDEX_HOSTS)))) == []


def test_no_file_names_a_folder_of_a_developers_machine(texts: dict[str, str]) -> None:
    pattern = re.compile(r"(?<![\w.}$])(?:" + "|".join(map(re.escape, FOLDERS_OF_A_MACHINE)) + r")[\w.]")
    assert places(texts, pattern) == []


def test_no_file_holds_a_working_note(texts: dict[str, str]) -> None:
    pattern = re.compile(r"\b(?:" + "|".join(WORKING_NOTES) + r")\b")
    ours = {name: text for name, text in texts.items() if not name.startswith(("requirements/", "tests/vectors/"))}
    assert places(ours, pattern) == []


def test_no_lock_of_uv_stands_beside_the_requirements(repository_files: list[Path]) -> None:
    assert Path("uv.lock") not in repository_files


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_repository_says_what_a_newcomer_needs(root: Path, name: str) -> None:
    assert (root / name).stat().st_size > 500


def test_licence_is_the_one_that_the_metadata_names(root: Path) -> None:
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_documents_use_the_words_of_the_glossary(texts: dict[str, str]) -> None:
    documents = {
        name: text
        for name, text in texts.items()
        if name.endswith(".md") and not name.startswith(("tests/vectors/", "src/mintage/templates/"))
    }
    wrong = {
        place: instead
        for pattern, instead in BANNED_WORDS.items()
        for place in places(documents, re.compile(rf"\b{pattern}\b", re.IGNORECASE))
    }
    assert wrong == {}


def test_links_of_documents_lead_to_files_that_exist(root: Path, texts: dict[str, str]) -> None:
    broken = []
    for name, text in texts.items():
        if not name.endswith(".md") or name.startswith("tests/vectors/"):
            continue
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r"(?:src|srcset)=\"([^\"]+)\"", prose)
        for target in targets:
            path = target.partition("#")[0]
            if path and "://" not in path and not (root / name).parent.joinpath(path).exists():
                broken.append(f"{name}: {target}")
    assert broken == []


def test_text_files_end_with_one_newline_and_no_line_with_a_blank(texts: dict[str, str]) -> None:
    ours = {
        name: text
        for name, text in texts.items()
        if name.endswith((".py", ".md", ".toml", ".yml", ".sh", "Makefile")) and not name.startswith("tests/vectors/")
    }
    untidy = [name for name, text in ours.items() if text and (not text.endswith("\n") or text.endswith("\n\n"))]
    assert untidy == []
    assert places(ours, re.compile(r"[ \t]+$")) == []
