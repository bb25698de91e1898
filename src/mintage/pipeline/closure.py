"""``code: auto``: the repository's own modules that a stage's script imports, followed through the source.

The script is found in the command (``python train.py``, ``python -m package.module``); imports are read with ``ast``
and resolved against the script's folder, the root and ``src/``. What is imported only by computed names is not seen:
name such files under ``code:``; the sandbox makes a forgotten one fail at once instead of being read unnoticed.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Sequence
from pathlib import Path

from mintage.errors import FileMissingError, ProjectError
from mintage.pipeline.notebook.python_text import commands_of, python_text
from mintage.repo.notebook import NOTEBOOK, code_cells, parse_notebook

__all__ = ["closure", "scripts_of"]

_SHELLS = ("sh", "bash", "dash", "zsh")


def scripts_of(command: Sequence[str], root: Path) -> list[str]:
    """Files of the project that a command names as its program, also within the text of ``sh -c``."""
    found = []
    shell = bool(command) and Path(command[0]).name in _SHELLS
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
        elif word.endswith((".py", ".sh", NOTEBOOK)) and not Path(word).is_absolute():
            if not (root / word).is_file():
                raise FileMissingError(
                    f"the command names {word}, which is not there", where=word, hint="correct `run:` of the stage"
                )
            found.append(Path(word).as_posix())
    return found


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def closure(command: Sequence[str], extra: Sequence[str], root: Path) -> list[str]:
    """Sorted paths (relative to ``root``) of the code that a command uses; ``extra`` are globs to add."""
    queue = scripts_of(command, root)
    seen: set[str] = set()
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.endswith(".py"):
            queue += _imports((root / path).read_bytes(), path, root)
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
    cells = code_cells(parse_notebook((root / path).read_bytes(), where=path))
    folder = Path(path).parent
    started = [script for cell in cells for text in commands_of(cell.source) for script in _words(text)]
    scripts = scripts_of(["sh", "-c", shlex.join(started)], root / folder)
    return [*_imports(python_text(cells)[0].encode(), path, root), *((folder / path).as_posix() for path in scripts)]


def _imports(text: bytes, path: str, root: Path) -> list[str]:
    try:
        tree = ast.parse(text, filename=path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ProjectError(
            "the script is not valid Python", found=str(error), where=f"{path}:{line}" if line else path
        ) from error
    folder = Path(path).parent
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _resolve(alias.name, [folder], root)
        elif isinstance(node, ast.ImportFrom):
            base = folder
            for _ in range(node.level - 1):
                base = base.parent
            module = node.module or ""
            bases = [base] if node.level else [folder]
            names = [module] if module else []
            names += [f"{module}.{alias.name}" if module else alias.name for alias in node.names if alias.name != "*"]
            for name in names:
                found += _resolve(name, bases, root, relative=bool(node.level))
    return found


def _resolve(module: str, bases: list[Path], root: Path, *, relative: bool = False) -> list[str]:
    parts = module.split(".")
    for base in bases if relative else [*bases, Path(), Path("src")]:
        found = []
        for count in range(1, len(parts) + 1):
            stem = base.joinpath(*parts[:count])
            for option in (stem / "__init__.py", stem.with_suffix(".py")):
                if (root / option).is_file():
                    found.append(option.as_posix())
        if found:
            return found
    return []
