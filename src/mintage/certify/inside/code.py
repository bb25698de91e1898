"""Execute the user's file under the name that it has in the project, and tell where in it something went wrong."""

from __future__ import annotations

import linecache
import sys
import traceback
import types
from pathlib import Path

__all__ = ["load_file", "tell"]

_MODULE = "own_check"


def load_file(source: Path, name: str) -> types.ModuleType:
    """The module that ``source``, which the project calls ``name``, is."""
    text = source.read_bytes().decode("utf-8")
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = types.ModuleType(_MODULE)
    module.__file__ = name
    sys.modules[_MODULE] = module
    exec(compile(text, name, "exec"), module.__dict__)
    return module


def tell(error: BaseException, name: str) -> None:
    """Write what was raised to the standard error, from where it left our code; what it says itself comes last."""
    found = traceback.TracebackException.from_exception(error)
    own = [place for place, frame in enumerate(found.stack) if frame.filename == name]
    if own:
        found.stack = traceback.StackSummary.from_list(list(found.stack)[own[0] :])
    else:
        found.stack = traceback.StackSummary.from_list([])
    notes = getattr(found, "__notes__", None) or []
    found.__notes__ = None  # type: ignore[attr-defined,unused-ignore]
    sys.stderr.write("".join(f"{note}\n" for note in notes) + "".join(found.format(chain=False)))
    sys.stderr.flush()
