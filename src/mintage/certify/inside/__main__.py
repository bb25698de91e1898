"""Run the folder as a program, also where nothing of Mintage is installed: the package is loaded from its place."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAME = "mintage_inside"


def load() -> None:
    """Load this folder as the package ``mintage_inside``, whatever the import path holds."""
    spec = importlib.util.spec_from_file_location(
        NAME, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != FOLDER]  # its files hide no module
    load()
    from mintage_inside.main import main  # type: ignore[import-not-found]

    sys.exit(main())
