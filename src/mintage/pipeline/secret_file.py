r"""The secret values in files of a project that are named like secrets, and keeping them out of what is kept.

Known are lines such as ``NAME=value``, ``"name": "value"`` and ``password value`` whose name looks secret, passwords
within addresses, and the lines of private keys. A file in another form, or larger than 64 KiB, is not understood: what
a script prints of it stays.

>>> values_in(b'export API_TOKEN="hunter2-hunter2"\nREGION=eu-central\nDB=postgres://me:correct-horse@db/x\n')
['hunter2-hunter2', 'correct-horse']
>>> values_in(b"machine db.example.org login tess password hunter2-hunter2")
['hunter2-hunter2']
>>> values_in(b'{"user": "tess-of-berlin", "password": "hunter2-hunter2"}')
['hunter2-hunter2']
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mintage.pipeline.secret import holds_private_key, is_secret_name, mask_file, secret_names, secret_values

__all__ = ["masking", "secrets_around", "values_in"]

_LIMIT = 64 << 10
_MOST_FOLDERS = 1000
_SKIPPED = frozenset((".git", ".mintage", ".venv", "__pycache__", "node_modules", "mintage.lock"))
_PAIR = re.compile(r"""["']?([\w.-]+)["']?[ \t]*[:=][ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'{}\[\],]+))""")
_NETRC = re.compile(r"(?<!\S)password[ \t]+(\S+)")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{32,}")


@contextlib.contextmanager
def masking(*files: Path, root: Path, environment: Mapping[str, str], hidden: Sequence[str] = ()) -> Iterator[None]:
    """When the block ends, however it ends, take the secrets of ``environment`` and those in the secret files below
    ``root``, as they were before, and the texts ``hidden`` out of the ``files``."""
    told = {text for value in hidden for text in (value, json.dumps(value, ensure_ascii=False)[1:-1]) if text}
    around = sorted({*secrets_around(root, environment), *told}, key=lambda value: (-len(value), value))
    try:
        yield
    finally:
        for file in files:
            mask_file(file, around)


def secrets_around(root: Path, environment: Mapping[str, str]) -> list[str]:
    """What to mask in what a command says, also as JSON writes it; the longest first."""
    found = {*secret_values(environment)}
    for path in _files(root):
        found.update(values_in(path.read_bytes()))
    found |= {json.dumps(value, ensure_ascii=False)[1:-1] for value in found}
    return sorted(found, key=lambda value: (-len(value), value))


def values_in(text: bytes) -> list[str]:
    """The secret values in the text of a file that is named like one."""
    said = text.decode(errors="replace")
    pairs = {f"{place}_SECRET": value for place, value in enumerate(_NETRC.findall(said))}
    for place, match in enumerate(_PAIR.finditer(said), start=len(pairs)):
        name, value = match[1], next(filter(None, match.groups()[1:]), "")
        pairs[f"{place}_SECRET" if is_secret_name(name) else f"{place}_{name}"] = value
    found = secret_values(pairs)
    if holds_private_key(text):
        found += _KEY_LINE.findall(said)
    return found


def _files(root: Path) -> Iterator[Path]:
    """The small files below ``root`` whose name looks secret; links are not followed."""
    for seen, (folder, folders, files) in enumerate(os.walk(root)):
        folders[:] = [] if seen > _MOST_FOLDERS else [name for name in folders if name not in _SKIPPED]
        for path in (Path(folder, name) for name in secret_names(files)):
            with contextlib.suppress(OSError):
                if path.is_file() and path.stat().st_size <= _LIMIT and os.access(path, os.R_OK):
                    yield path
