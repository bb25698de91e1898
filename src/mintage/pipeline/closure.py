"""``code: auto``: the repository's own modules that a stage's script imports, followed through the source.

The script is found in the command (``python train.py``, ``python -m package.module``); imports are read with ``ast``
and resolved against the script's folder, the root and ``src/``. What is imported by computed names is not found here:
``seen`` joins that with the key once a run used it.
"""

from __future__ import annotations

import ast
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mintage.errors import FileMissingError, ProjectError
from mintage.repo.notebook import NOTEBOOK, code_cells, parse_notebook

__all__ = ["closure", "imported_names", "scripts_of"]

NamesOf = Callable[[str], Iterable[tuple[int, str]]]

_SHELLS = ("sh", "bash", "dash", "zsh")


def scripts_of(command: Sequence[str], root: Path) -> list[str]:
    """Files of the project that a command names as its program, also within the text of ``sh -c``."""
    found = []
    shell = bool(command) and command[0].rpartition("/")[2] in _SHELLS
    for index, word in enumerate(command):
        if shell and index and command[index - 1] == "-c":
            # What a shell makes of it is not known: only words that are files count.
            inner = [part for part in _words(word) if not part.endswith((".py", ".sh")) or (root / part).is_file()]
            found += scripts_of(inner, root)
        elif word == "-m" and index + 1 < len(command):
            base = command[index + 1].replace(".", "/")
            options = [f"{base}.py", f"{base}/__main__.py", f"src/{base}.py", f"src/{base}/__main__.py"]
            found += [option for option in options if (root / option).is_file()][:1]
        elif word.endswith(NOTEBOOK) and index and not (root / word).is_file():
            continue  # such as the one that papermill is to write
        elif word.endswith((".py", ".sh", NOTEBOOK)) and not word.startswith("/"):
            if not os.path.isfile(f"{root}/{word}"):  # noqa: PTH113 each stage asks: as text
                raise FileMissingError(
                    f"the command names {word}, which is not there", where=word, hint="correct `run:` of the stage"
                )
            found.append(Path(word).as_posix() if "./" in word or "//" in word else word)
    return found


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def closure(command: Sequence[str], extra: Sequence[str], root: Path, *, names_of: NamesOf | None = None) -> list[str]:
    """Sorted paths (relative to ``root``) of the code that a command uses; ``extra`` are globs to add.

    ``names_of`` gives what ``imported_names`` says of a module's file, if that is known already.
    """
    queue = scripts_of(command, root)
    seen: set[str] = set()
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.endswith(".py"):
            names = imported_names((root / path).read_bytes(), path) if names_of is None else names_of(path)
            queue += _resolved(names, path, root)
        elif path.endswith(NOTEBOOK):
            queue += _from_notebook(path, root)
    for pattern in extra:
        matches = [found for found in root.glob(pattern) if found.is_file()]
        if not matches:
            raise FileMissingError(f"no file matches {pattern!r} of `code:`", where=str(root))
        seen |= {match.relative_to(root).as_posix() for match in matches}
    return sorted(seen)


def _from_notebook(path: str, root: Path) -> list[str]:
    """What the cells import, and scripts that they start from the notebook's folder."""
    from mintage.pipeline.notebook.python_text import commands_of, python_text

    cells = code_cells(parse_notebook((root / path).read_bytes(), where=path))
    folder = Path(path).parent
    started = [script for cell in cells for text in commands_of(cell.source) for script in _words(text)]
    scripts = scripts_of(["sh", "-c", shlex.join(started)], root / folder)
    names = imported_names(python_text(cells)[0].encode(), path)
    return [*_resolved(names, path, root), *((folder / path).as_posix() for path in scripts)]


def imported_names(text: bytes, path: str) -> list[tuple[int, str]]:
    """What a module imports: the level of each import (0: absolute) and the dotted name; raises ProjectError."""
    try:
        tree = ast.parse(text, filename=path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ProjectError(
            "the script is not valid Python", found=str(error), where=f"{path}:{line}" if line else path
        ) from error
    found: dict[tuple[int, str], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= dict.fromkeys((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module] if module else []
            names += [f"{module}.{alias.name}" if module else alias.name for alias in node.names if alias.name != "*"]
            found |= dict.fromkeys((node.level, name) for name in names)
    return list(found)


def _resolved(names: Iterable[tuple[int, str]], path: str, root: Path) -> list[str]:
    """The project's files that the module at ``path`` imports by ``names``."""
    folder = Path(path).parent
    found: list[str] = []
    for level, name in names:
        base = folder
        for _ in range(level - 1):
            base = base.parent
        found += _resolve(name, [base], root, relative=bool(level))
    return found


def _resolve(module: str, bases: list[Path], root: Path, *, relative: bool = False) -> list[str]:
    """Each stage asks for all its imports, most of libraries: text it is here, as paths cost more than the look."""
    parts = module.split(".")
    folders = [base.as_posix() for base in bases] + ([] if relative else [".", "src"])
    for folder in dict.fromkeys(folders):
        found = []
        stem = "" if folder == "." else folder
        for part in parts:
            stem = f"{stem}/{part}" if stem else part
            for option in (f"{stem}/__init__.py", f"{stem}.py"):
                if os.path.isfile(f"{root}/{option}"):  # noqa: PTH113
                    found.append(option)
        if found:
            return found
    return []
