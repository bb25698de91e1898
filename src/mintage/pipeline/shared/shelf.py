"""Where statements about results lie in a remote: ``results/<2 hex>/<62 hex of the key>/<maker>-<outputs>.json``.

More than one maker may have a result for a key, and one maker two that differ: each has a file of its own, so nobody
overwrites what another said. A file is written whole under another name, renamed and read back; after an error too, so
that what a broken connection did write counts. What lies here is hostile until its signature is proven.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mintage.errors import RemoteError
from mintage.record.digest import blake3_bytes, hex_of
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["MOST_BYTES", "MOST_STATEMENTS", "put_statement", "statement_path", "statements"]

MOST_STATEMENTS = 32
MOST_BYTES = 4 << 20

_FOLDER = "results"
_SHOWN = 16


def statement_path(remote: Store, key: str, *, maker: str, outputs: str) -> Path:
    """The file of one maker's word about one result; ``maker`` is a key's id, ``outputs`` what tells results apart."""
    name = f"{hex_of(maker)[:_SHOWN]}-{hex_of(blake3_bytes(outputs.encode()))[:_SHOWN]}.json"
    return _folder(remote, key) / name


def statements(remote: Store, key: str) -> Iterator[tuple[Path, bytes]]:
    """What the remote has for a key; nothing where the key is not known. Raises OSError if the remote does not answer.

    What is too large or no plain file, and any after the first ``MOST_STATEMENTS``, is left out.
    """
    try:
        found = sorted(_folder(remote, key).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    named = [path for path in found if path.suffix == ".json" and not path.name.startswith(".")]
    for path in named[:MOST_STATEMENTS]:
        if not path.is_file():  # a pipe would keep whoever opens it
            continue
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) <= MOST_BYTES:
            yield path, data


def put_statement(path: Path, data: bytes) -> bool:
    """Have ``data`` at ``path``; returns whether it was written. Raises RemoteError if it is not there then."""
    if _read(path) == data:
        return False
    failed: OSError | None = None
    try:
        publish_bytes(path, data)
    except OSError as error:
        failed = error
    if _read(path) != data:
        raise RemoteError(
            "the statement about a result is not in the remote as it was written",
            found="something else" if failed is None else str(failed),
            where=str(path),
            hint="the remote or its connection is at fault; `mintage push` tries again",
        )
    return True


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _folder(remote: Store, key: str) -> Path:
    value = hex_of(key)
    return remote.root / _FOLDER / value[:2] / value[2:]
