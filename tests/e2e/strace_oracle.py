"""What the kernel saw of a command: the files of a folder that it read and wrote, by ``strace``.

``watch`` runs one command, with no Mintage about, and returns the truth that a recording has to equal: files that were
there before and were opened to read, and files that are new or have another stamp afterwards. Python's own caches, what
lies in ``.venv`` and folders as such are left out.

>>> line = 'openat(AT_FDCWD</p>, "a b.csv", O_RDONLY|O_CLOEXEC) = 3</p/a b.csv>'
>>> [(path, writes) for path, writes in opened([line, 'rename("new", "m.pkl") = 0'], Path("/p"))]
[('a b.csv', False), ('m.pkl', True)]
>>> list(opened(['openat(AT_FDCWD</p>, "x", O_RDONLY) = -1 ENOENT (No such file or directory)'], Path("/p")))
[]
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Truth", "opened", "stamps", "watch"]

CALLS = "open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate"
_OPENED = re.compile(r'^(?:open|openat|openat2|creat)\(.*"(?P<flags>[^"]*)\) = \d+<(?P<path>.*)>(?:\(deleted\))?$')
_NAMED = re.compile(r'^(?:rename|link|symlink|truncate)\w*\(.*"(?P<path>(?:[^"\\]|\\.)*)"[^"]*\) = 0$')
_WRITES = re.compile(r"O_(?:WRONLY|RDWR|TRUNC|CREAT)")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Paths below the folder: data that was read, Python files that were read, and files that were written."""

    reads: frozenset[str]
    code: frozenset[str]
    writes: frozenset[str]


def watch(command: Sequence[str], *, root: Path, environment: Mapping[str, str], traces: Path) -> Truth:
    """Run the command in ``root`` under strace, which writes a file a process into the new folder ``traces``."""
    traces.mkdir()
    before = stamps(root)
    words = ["strace", "-ff", "-qq", "-y", "-s", "4096", "--seccomp-bpf", "-e", f"trace={CALLS}"]
    done = subprocess.run(
        [*words, "-o", str(traces / "p"), *command],
        cwd=root,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = stamps(root)
    reads, named = set(), set()
    for trace in traces.iterdir():
        for path, writes in opened(trace.read_text(errors="replace").splitlines(), root.resolve()):
            (named if writes else reads).add(path)
    changed = {path for path in named if path in after and before.get(path) != after[path]}
    seen = ((reads | named) & set(before)) - changed
    code = {path for path in seen if path.endswith(".py")}
    return Truth(reads=frozenset(seen - code), code=frozenset(code), writes=frozenset(changed))


def opened(lines: Iterable[str], root: Path) -> Iterator[tuple[str, bool]]:
    """The paths below ``root`` that a trace's successful calls name, each with whether it could write there."""
    for line in lines:
        if found := _OPENED.match(line):
            writes = line.startswith("creat") or bool(_WRITES.search(found["flags"]))
        elif found := _NAMED.match(line):
            writes = True
        else:
            continue
        path = root / found["path"]
        if path.is_relative_to(root):
            yield path.relative_to(root).as_posix(), writes


def stamps(root: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of each file below ``root`` that is the project's."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root)
        if path.is_file() and not {".venv", ".git", ".mintage", "__pycache__"} & set(name.parts):
            stat = path.stat()
            found[name.as_posix()] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found
