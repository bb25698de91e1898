"""What the text of one script or notebook says of what it is for. Pure: nothing is run or imported.

>>> script = read_script("train.py", "import joblib\\nmodel.fit(x, y)\\njoblib.dump(model, 'm.joblib')\\n")
>>> script.trains, script.saves, script.runs, script.writes
(True, True, True, ('m.joblib',))
"""

from __future__ import annotations

import ast
import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from mintage.pipeline.discover.paths_in import call_name, paths_in

__all__ = ["Script", "read_script"]

_TRAINING = ("fit", "partial_fit", "fit_predict", "train", "train_on_batch", "backward")
_SAVING = ("dump", "save_model", "save", "save_pretrained", "export", "to_onnx", "write_model", "log_model")
_SERVERS = frozenset(("flask", "fastapi", "streamlit", "gradio", "dash", "bentoml", "uvicorn", "litserve"))
_DOERS = (ast.Expr, ast.For, ast.While, ast.With, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Try, ast.If)
_QUIET = ("getLogger", "basicConfig", "filterwarnings", "simplefilter", "Path", "namedtuple", "TypeVar", "compile")


@dataclass(frozen=True, kw_only=True)
class Script:
    """One file of code. ``runs``: started as a program it does something; ``needs`` are options that it cannot do
    without; ``imports`` are dotted names, those relative to its folder as ``(level, name)``."""

    path: str
    runs: bool
    guarded: bool
    trains: bool
    saves: bool
    serves: bool
    imports: tuple[tuple[int, str], ...]
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def notebook(self) -> bool:
        """Whether it is a notebook."""
        return self.path.endswith(".ipynb")

    @property
    def folder(self) -> str:
        """Its folder, empty for the project's own."""
        return posixpath.dirname(self.path)


def read_script(path: str, text: str) -> Script | None:
    """What the file says; None if it is not Python, or not a notebook of Python."""
    code = _code_of_notebook(text) if path.endswith(".ipynb") else text
    if code is None:
        return None
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [call_name(call.func) for call in calls]
    imports = tuple(sorted(set(_imports(tree))))
    guarded = any(_is_guard(node) for node in tree.body)
    reads, writes = paths_in(tree)
    return Script(
        path=path,
        runs=guarded or path.endswith((".ipynb", "__main__.py")) or any(map(_does_something, tree.body)),
        guarded=guarded,
        trains=any(name.rpartition(".")[2] in _TRAINING and "." in f".{name}" for name in names if _is_method(name)),
        saves=any(_saves(name) for name in names),
        serves=any(name.partition(".")[0] in _SERVERS for level, name in imports if not level),
        imports=imports,
        needs=tuple(option for call in calls for option in _needed(call)),
        reads=reads,
        writes=writes,
    )


def _code_of_notebook(text: str) -> str | None:
    """The code cells below each other, lines for IPython left out; None if it is no notebook of Python."""
    try:
        notebook = json.loads(text)
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if language.lower() != "python":
        return None
    sources = ["".join(cell) if isinstance(cell, list) else str(cell) for cell in cells]
    kept = [source for source in sources if not source.lstrip().startswith("%%") and _parses(_plain(source))]
    return "\n".join(map(_plain, kept))


def _plain(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!", "?")))


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _is_method(name: str) -> bool:
    """``train`` counts as a method or a library's function; a function of one's own of that name says nothing."""
    return name != "train"


def _saves(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last in _SAVING and not name.startswith(("json.", "yaml.", "plt.", "np.", "numpy.", "toml."))


def _is_guard(node: ast.stmt) -> bool:
    """``if __name__ == "__main__":``."""
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )


def _does_something(node: ast.stmt) -> bool:
    """Whether a statement at the top calls something that does more than set the module up."""
    if not isinstance(node, _DOERS) or _is_guard(node):
        return False
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
    doing = [call for call in calls if call_name(call.func).rpartition(".")[2] not in _QUIET]
    if isinstance(node, ast.Assign | ast.AnnAssign):  # `app = Flask(...)`, `KINDS = frozenset(...)` set up
        return any("." in call_name(call.func) and not call_name(call.func)[:1].isupper() for call in doing)
    return bool(doing)


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What is imported; not what the script can do without, as it catches that it is not there."""
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try) and "ImportError" in _caught(node)]
    optional = {id(part) for node in tries for line in node.body for part in ast.walk(line)}
    for node in ast.walk(tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module:
                yield node.level, module
            yield from ((node.level, f"{module}.{alias.name}".lstrip(".")) for alias in node.names)


def _caught(node: ast.Try) -> set[str]:
    kinds = [part for handler in node.handlers if handler.type for part in ast.walk(handler.type)]
    names = {part.id for part in kinds if isinstance(part, ast.Name)}
    return names | ({"ImportError"} if "ModuleNotFoundError" in names else set())


def _needed(call: ast.Call) -> Iterator[str]:
    """An option of argparse or click that must be given."""
    last = call_name(call.func).rpartition(".")[2]
    words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    given = {pair.arg: pair.value for pair in call.keywords}
    if not words or last not in ("add_argument", "option", "argument"):
        return
    required = given.get("required")
    must = isinstance(required, ast.Constant) and required.value is True
    positional = not words[0].startswith("-") and last != "option" and not {"nargs", "default"} & set(given)
    optional = isinstance(required, ast.Constant) and required.value is False
    if must or (positional and not optional):
        yield ([word for word in words if word.startswith("--")] or words)[0]
