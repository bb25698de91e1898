"""A project's own code in a judgement: its files, and who runs them.

A file is what the commit HEAD has of it. Whoever runs it does so in a process of its own: a protocol, because that
needs the project, which no check sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from mintage.certify.served import Columns, Served
from mintage.record.digest import sha256_bytes

__all__ = ["OwnCode", "OwnFile", "OwnFound"]


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A file of the project: its path from the root, and its bytes."""

    path: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return sha256_bytes(self.data)

    @property
    def told(self) -> dict[str, float | int | str | bool | None]:
        """What a result says of the file."""
        return {"file": self.path, "file digest": self.digest}


@dataclass(frozen=True, kw_only=True)
class OwnFound:
    """What a file found: the bytes of its JSON, and arrays. Neither is to be trusted."""

    text: bytes
    arrays: Mapping[str, NDArray[Any]]


class OwnCode(Protocol):
    """Who runs the project's files."""

    def file(self, path: str) -> OwnFile:
        """The file; raises FileMissingError if it was not found when the policy was read."""
        ...

    def run(
        self,
        file: OwnFile,
        job: Mapping[str, Any],
        *,
        files: Mapping[str, Mapping[str, NDArray[Any]]],
        served: Served | None,
        columns: Columns,
        needs: tuple[str, ...] = ("numpy",),
    ) -> OwnFound:
        """Ask the file ``job`` beside npz ``files``, while ``served`` answers rows like those of ``columns``;
        ``needs`` names libraries.

        Raises OwnCheckError with the last lines of what it said, if it fails, takes too long, or answers with too
        much; and ExtraMissingError if no interpreter has what it needs.
        """
        ...
