"""Which files a sandboxed Python program asked for in vain, and where; copied beside the hook, which starts it.

It runs in the user's program, with whatever Python that is (3.9 or later), and must never break it. ``missed`` tells of
a file that is opened though it is not there, or lies behind the walls of the sandbox. A look at whether a file is there
(``os.path.exists``, ``Path.is_file`` and their like) is told as well ("looked"), if the answer is no.
Each line has the path and the place in the project's code that asked, as JSON.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

_CODE = (".py", ".pyc", ".so", ".pth", ".pyd")
_MOST = 200


class _Missed:
    def __init__(self, say: Callable[[str, str], None], work: str, walls: Sequence[str]) -> None:
        self.say = say
        self.work = work
        self.start = os.getcwd()
        self.walls = tuple(walls)
        self.folders = tuple(wall + os.sep for wall in walls)
        self.told: set[tuple[str, str]] = set()

    def missed(self, path: str) -> None:
        """Tell of a file that is to be opened, if it cannot be."""
        if not path.endswith(_CODE) and (self.beyond(path) or not os.path.lexists(path)):
            self.tell("missed", path)

    def beyond(self, path: str) -> bool:
        if path in self.walls or path.startswith(self.folders):
            return False
        real = os.path.realpath(path)
        return real not in self.walls and not real.startswith(self.folders)

    def tell(self, kind: str, path: str) -> None:
        if (kind, path) not in self.told and len(self.told) < _MOST:
            self.told.add((kind, path))
            self.say(kind, json.dumps([path, self.place()]))

    def place(self) -> str:
        """The line of the project's own code that is running now."""
        frame = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename  # a notebook's cell is named from the project's folder
            base = self.work if ".ipynb, cell " in file else self.start
            path = os.path.normpath(os.path.join(base, file))
            if path.startswith(self.work + os.sep) and not file.startswith("<"):
                return os.path.relpath(path, self.work) + ":" + str(frame.f_lineno)
            frame = frame.f_back  # type: ignore[assignment]  # None at the end
        return ""

    def looking(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, which says whether a file is there; what it says of none is told."""

        @functools.wraps(function)
        def look(path: Any, *arguments: Any, **named: Any) -> Any:
            found = function(path, *arguments, **named)
            if not found:
                try:
                    full = os.path.abspath(os.fsdecode(os.fspath(path)))
                    if not full.endswith(_CODE) and self.place():
                        self.tell("looked", full)
                except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
                    pass
            return found

        return look

    def watch_looks(self) -> None:
        import genericpath

        for name in ("exists", "isfile", "isdir"):
            watched = self.looking(getattr(os.path, name))
            for module in (os.path, genericpath):
                setattr(module, name, watched)
        if "pathlib" in sys.modules:
            self.watch_paths(sys.modules["pathlib"])
        else:
            sys.meta_path.insert(0, self)

    def watch_paths(self, module: Any) -> None:
        for name in ("exists", "is_file", "is_dir"):
            setattr(module.Path, name, self.looking(getattr(module.Path, name)))

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What the other finders find of pathlib, which costs too much to import it unasked; it is watched then."""
        if name != "pathlib":
            return None
        sys.meta_path.remove(self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in sys.meta_path)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                self.watch_paths(module)

            try:
                spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # this one loader's alone
            except AttributeError:
                pass
        return spec


def watch(reporter: Any) -> None:
    """Have ``reporter``, the hook, tell of each path that is to be opened and cannot be, and watch the looks."""
    found = _Missed(reporter.say_quietly, reporter.work, reporter.walls)
    found.watch_looks()
    reporter.missed = found.missed
