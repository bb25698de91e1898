"""The paths that a script reads and writes, as far as its text says them. Pure.

Known are texts, ``Path("a") / "b"``, ``os.path.join("a", "b")``, names that are set once to one of these, and the
defaults of argparse options (``args.data``). What is computed otherwise is left out.

>>> tree = ast.parse("rows = pd.read_csv(DATA / 'a.csv')\\nDATA = Path('data')\\nrows.to_csv('b.csv')")
>>> paths_in(tree)
(('data/a.csv',), ('b.csv',))
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator

__all__ = ["call_name", "paths_in"]

_READS = ("read", "load", "loadtxt", "genfromtxt", "scan", "imread", "DMatrix", "connect", "glob")
_WRITES = ("to", "write", "save", "savez", "savetxt", "dump", "sink", "export", "savefig")
_NEITHER = ("to_datetime", "to_numpy", "to_dict", "to_list", "to_tensor", "to_frame", "to_dummies", "load_dotenv")

Known = dict[str, str]


def paths_in(tree: ast.AST) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is read, and what is written: sorted, relative, with ``/``."""
    known = _known(tree)
    reads: set[str] = set()
    writes: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            verb = _verb(node)
            found = {path for path in _arguments(node, known) if _is_path(path)}
            if verb == "read":
                reads |= found
            elif verb == "write":
                writes |= found
    return _clean(reads), _clean(writes)


def call_name(node: ast.expr) -> str:
    """The dotted name of what is called; what is computed before a dot is left out.

    >>> call_name(ast.parse("make_pipeline(a).fit", mode="eval").body)
    'fit'
    """
    if isinstance(node, ast.Attribute):
        return f"{call_name(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def _verb(call: ast.Call) -> str | None:
    name = call_name(call.func)
    last = name.rpartition(".")[2]
    if last == "open":
        return "write" if _mode(call, method=not _is_open(name)) & set("wax") else "read"
    if last in _NEITHER:
        return None
    word = last.partition("_")[0]
    if word in _READS or last in _READS:
        return "read"
    return "write" if word in _WRITES or last in _WRITES else None


def _is_open(name: str) -> bool:
    """Whether the path is the first argument: ``open(p)``, ``gzip.open(p)``, but not ``Path(p).open()``."""
    return name in ("open", "io.open", "gzip.open", "bz2.open", "lzma.open", "codecs.open")


def _mode(call: ast.Call, *, method: bool) -> set[str]:
    place = 0 if method else 1
    given = [pair.value for pair in call.keywords if pair.arg == "mode"] + list(call.args[place : place + 1])
    mode = given[0] if given else None
    return set(mode.value) if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else set()


def _arguments(call: ast.Call, known: Known) -> Iterator[str]:
    """Paths among the arguments, and the one whose method is called; ``open(...)`` within an argument is one too."""
    nodes = [*call.args, *(pair.value for pair in call.keywords)]
    if isinstance(call.func, ast.Attribute):
        nodes.append(call.func.value)
    for node in nodes:
        opened = isinstance(node, ast.Call) and _is_open(call_name(node.func)) and node.args
        value = _literal(node.args[0] if isinstance(node, ast.Call) and opened else node, known)
        if value is not None:
            yield value


def _literal(node: ast.expr, known: Known) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        return known.get(f".{node.attr}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        left, right = _literal(node.left, known), _literal(node.right, known)
        if left is None or right is None:
            return None
        return posixpath.join(left, right) if isinstance(node.op, ast.Div) else left + right
    if isinstance(node, ast.Call) and call_name(node.func).rpartition(".")[2] in ("Path", "PurePath", "join", "str"):
        parts = [_literal(part, known) for part in node.args]
        texts = [part for part in parts if part is not None]
        return posixpath.join(*texts) if texts and len(texts) == len(parts) else None
    return None


def _known(tree: ast.AST) -> Known:
    """Names that are set once, wherever that is; options of argparse under ``.name``."""
    known: Known = {}
    twice: set[str] = set()
    for _ in range(3):  # a name may be made of others
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name, value = node.targets[0].id, _literal(node.value, known)
                if value is not None and known.setdefault(name, value) != value:
                    twice.add(name)
            elif isinstance(node, ast.Call) and call_name(node.func).endswith("add_argument"):
                known |= _option(node)
    return {name: value for name, value in known.items() if name not in twice}


def _option(call: ast.Call) -> Known:
    words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    default = next((_literal(pair.value, {}) for pair in call.keywords if pair.arg == "default"), None)
    long = [word for word in words if word.startswith("--")] or words
    return {f".{long[0].lstrip('-').replace('-', '_')}": default} if long and default is not None else {}


def _is_path(text: str) -> bool:
    """Whether a text can be a file of the project: a name with a suffix or a folder, no address, no code."""
    name = text.rstrip("/").rpartition("/")[2]
    return (
        0 < len(text) <= 300
        and not any(char in text for char in "\n\0*?<>|{}:")
        and not text.startswith(("/", "~", "-"))
        and ("." in name.strip(".") or "/" in text.rstrip("/"))
    )


def _clean(paths: set[str]) -> tuple[str, ...]:
    return tuple(sorted({posixpath.normpath(path) for path in paths}))
