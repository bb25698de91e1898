"""Print docs/errors.md from the exception tree: `python scripts/write_error_page.py > docs/errors.md`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from mintage import errors
from mintage.cli.main import EXIT_CODES

HEAD = """# Errors and exit codes

Every error has a code that never changes once released. It is printed as `error[code]`, with `--json` as
`{"error": {"code", "message", "expected", "found", "where", "hint"}}`, and by the gateway as `{"error", "code"}`.
This page is written by `scripts/write_error_page.py`.

Exit codes: 0 done; 1 the answer is no; 2 wrong usage; 3 the project, its files or data are wrong; 4 something does not
verify; 5 a tool or an extra is missing; 6 user code or a started process failed; 7 busy, try again; 130 interrupted.
"""


def messages() -> dict[str, list[str]]:
    """The messages that the source gives each class, in order; a value in one is shown as an ellipsis."""
    package = Path(errors.__file__).parents[1]
    found: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] == "templates":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                text = text_of(node.args[0])
                if text and text not in found.setdefault(node.func.id, []):
                    found[node.func.id].append(text)
    return found


def text_of(node: ast.expr) -> str:
    """A message as written: a literal, or an f-string with its values left out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def meaning(kind: type[errors.MintageError], said: dict[str, list[str]]) -> str:
    """The first line of the class's own docstring, else what it says where it is raised, else its name in words."""
    own = kind.__dict__.get("__doc__")
    if own:
        return str(own).strip().splitlines()[0].rstrip(".")
    if said.get(kind.__name__):
        return "; ".join(said[kind.__name__][:3]).replace("|", "/").replace("\n", " ")
    name = kind.__name__.removesuffix("Error")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def page() -> str:
    """The whole page."""
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.MintageError)
    ]
    parts, said = [HEAD], messages()
    for family, exit_code in EXIT_CODES.items():
        members = sorted((kind for kind in classes if issubclass(kind, family)), key=lambda kind: kind.code)
        parts.append(f"## {family.__name__}: exit code {exit_code}\n")
        parts.append("| code | class | meaning |\n|---|---|---|")
        parts += [f"| `{kind.code}` | `{kind.__name__}` | {meaning(kind, said)} |" for kind in members]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
