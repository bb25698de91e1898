"""What a recorded Python process says about itself; copied as ``sitecustomize.py`` into a folder on its PYTHONPATH.

It runs in the user's program, with whatever Python that is (3.9 or later), needs nothing of Mintage, and must never
break it: every failure in here is swallowed. With MINTAGE_CAPTURE it starts the watcher of splits and fits that lies
beside that folder (docs/spec/capture.md). With MINTAGE_RECORD it writes lines of JSON, one each kind and path: files
opened (read, write, both, append), folders listed ("names": not to import from them), project modules loaded and
missing ("absent"), hosts asked for, the seeds that ``hookseeds`` sees, and the numeric libraries that ``hookused``
finds. A file that is linked to the user's own it replaces by a copy ("copied") before Python opens it for writing. A
``sitecustomize`` of the user's own runs as it would without this one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_OPENS = {os.O_RDONLY: "read", os.O_WRONLY: "write", os.O_RDWR: "both"}


class _Reporter:
    def __init__(self, folder: str) -> None:
        with open(os.path.join(folder, "settings.json"), encoding="utf-8") as stream:
            settings = json.load(stream)
        self.folder = folder
        self.work = settings["work"]
        self.own = tuple(folder + os.sep for folder in (settings["work"], settings["root"]))
        self.links = set(settings["links"])
        self.walls = settings["walls"]
        self.said: set[tuple[str, str]] = set()
        self.busy = threading.local()
        self.missed: Callable[[str], None] = lambda _: None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir", "sqlite3.connect", "socket.getaddrinfo"):
            return
        if getattr(self.busy, "now", False):
            return
        self.busy.now = True
        try:
            self.note(event, arguments)
        except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
            pass
        finally:
            self.busy.now = False

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            self.say("host", _text(arguments[0]))
            return
        path = arguments[0]
        if path is None:
            path = "."
        if isinstance(path, int):
            return
        path = _text(os.fspath(path))
        if event == "sqlite3.connect" and path.startswith("file:"):
            path = _of_address(path)
        path = os.path.abspath(path)
        if event in ("os.listdir", "os.scandir"):
            self.say("list", path)
            if not _for_import(sys._getframe(2)):
                self.say("names", path)
            self.missed(path)
        elif event == "sqlite3.connect":
            self.say("both", path)
            self.missed(path)
        else:
            self.opened(path, arguments[2])

    def opened(self, path: str, flags: int) -> None:
        kind = _OPENS.get(flags & (os.O_WRONLY | os.O_RDWR), "read")
        if kind != "read" and self.is_shared(path):
            _own_copy(path, empty=bool(flags & os.O_TRUNC))
            if not flags & os.O_TRUNC:
                self.say("copied", path)
        if flags & os.O_APPEND:
            kind = "append"
        elif flags & (os.O_TRUNC | os.O_EXCL):
            kind = "write"
        self.say(kind, path)
        if kind in ("read", "both"):
            self.missed(path)

    def is_shared(self, path: str) -> bool:
        """Whether a file is not this folder's alone: a link to the user's, or to a copy that other stages have too."""
        if os.path.islink(path):
            return os.path.relpath(path, self.work) in self.links
        return path.startswith(self.own[0]) and os.path.isfile(path) and os.stat(path).st_nlink > 1

    def say(self, kind: str, what: str) -> None:
        if (kind, what) in self.said:
            return
        self.said.add((kind, what))
        line = json.dumps([time.monotonic_ns(), kind, what]) + "\n"
        name = os.path.join(self.folder, f"{os.getpid()}.jsonl")
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode("utf-8", "surrogateescape"))
        finally:
            os.close(descriptor)

    def quietly(self, what: Callable[[], None]) -> None:
        self.busy.now = True
        try:
            what()
        except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
            pass
        finally:
            self.busy.now = False

    def say_quietly(self, kind: str, what: str) -> None:
        self.quietly(lambda: self.say(kind, what))

    def modules(self) -> None:
        self.busy.now = True
        try:
            for module in list(sys.modules.values()):
                path = getattr(module, "__file__", None)
                if isinstance(path, str) and path.startswith(self.own) and not _of_library(path):
                    self.say("module", path)
        except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
            pass


def _for_import(asking: Any) -> bool:
    """Whether it is Python that lists a folder, to import from it or to find packages, and not the program."""
    return any(name in asking.f_code.co_filename for name in ("importlib", "pkg_resources"))


def _of_library(path: str) -> bool:
    """Whether a module is one of an environment that lies within the project."""
    return "site-packages" in path or "/lib/python" in path


class _Missing:
    """The last to be asked for a module: it is one that nobody has. What the project's own code wanted is told."""

    def __init__(self, reporter: _Reporter) -> None:
        self.reporter = reporter

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        self.reporter.quietly(lambda: self.tell(name.rpartition(".")[2], path, sys._getframe(3)))

    def tell(self, name: str, path: Any, asking: Any) -> None:
        while asking is not None and _for_import(asking):
            asking = asking.f_back
        if asking is None or not asking.f_code.co_filename.startswith(self.reporter.own):
            return
        for folder in sys.path if path is None else path:
            if isinstance(folder, str) and (os.path.abspath(folder) + os.sep).startswith(self.reporter.own[0]):
                for tail in (name + ".py", os.path.join(name, "__init__.py")):
                    self.reporter.say("absent", os.path.join(os.path.abspath(folder), tail))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else os.fsdecode(value)


def _of_address(address: str) -> str:
    """The path of ``file:data.db?mode=ro``."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(address).path)


def _own_copy(path: str, *, empty: bool) -> None:
    """Put a copy of what a link leads to (or, to be overwritten, an empty file) in the link's place."""
    temporary = path + ".mintage-copy"
    with open(temporary, "wb") as writer:
        if not empty:
            with open(path, "rb") as reader:
                while True:
                    block = reader.read(1 << 20)
                    if not block:
                        break
                    writer.write(block)
    os.replace(temporary, path)


def _start() -> None:
    folder = os.environ.get("MINTAGE_RECORD")
    if not folder:
        return
    reporter = _Reporter(folder)
    sys.addaudithook(reporter)
    sys.meta_path.append(_Missing(reporter))
    import atexit

    atexit.register(reporter.modules)
    import importlib

    if reporter.walls:
        missed = importlib.import_module("_mintage_missed")
        reporter.quietly(lambda: missed.watch(reporter))
    seeds = importlib.import_module("_mintage_seeds")
    atexit.register(reporter.quietly, seeds.watch(reporter.say_quietly, reporter.work))
    used = importlib.import_module("_mintage_used")
    atexit.register(reporter.quietly, lambda: used.tell(reporter.say))


def _watch() -> None:
    folder = os.environ.get("MINTAGE_CAPTURE")
    if not folder:
        return
    sys.path.insert(0, os.path.dirname(folder))
    try:
        watcher: Any = __import__("mintage_capture")
    finally:
        del sys.path[0]
    watcher.begin(folder, os.environ["MINTAGE_CAPTURE_WORK"])


def _hand_on() -> None:
    """Run the ``sitecustomize`` that would have run without this one, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    for _begin in (_watch, _start):
        try:
            _begin()
        except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
            pass
    _hand_on()
