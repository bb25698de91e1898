"""What an export is: a folder with all that a developer on one platform needs, an example and its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mintage.model.package import Package

__all__ = ["Exporter"]


class Exporter(Protocol):
    """One platform; ``name`` is what ``mintage export --to`` takes, ``about`` one line for the help."""

    name: str
    about: str

    def files(self, package: Package) -> Mapping[str, bytes]:
        """The export's files by relative path, README.md among them; the same model gives the same bytes.

        Raises GraphRefusedError if the platform cannot hold this model, with the reason.
        """
