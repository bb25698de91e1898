"""Which seeds a recorded Python program sets; copied beside the hook, which starts it.

It runs in the user's program, with whatever Python that is (3.9 or later), and must never break it. Functions that seed
(``random.seed``, ``numpy.random.seed``, ``numpy.random.default_rng``, ``torch.manual_seed``) are wrapped when their
module has been imported; calls from the project's own files are reported with value and place. When the program ends,
the state of the global generators says whether they were used though nothing seeded them.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

_SEEDERS = {
    "random": ("seed", "setstate"),
    "numpy.random": ("seed", "default_rng", "set_state"),
    "torch.random": ("manual_seed",),
}
_MOST = 20


class _Watch:
    def __init__(self, say: Callable[[str, str], None], work: str) -> None:
        self.say = say
        self.work = work + os.sep
        self.start = os.getcwd()
        self.states: dict[str, Any] = {}
        self.seeded: set[str] = set()
        self.looking: set[str] = set()
        self.left = _MOST

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What the other finders find; the module will be wrapped once it has run."""
        if name not in _SEEDERS or name in self.looking:
            return None
        self.looking.add(name)
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None and finder is not self else None
            if spec is not None:
                self.wait_for(spec)
                return spec
        return None

    def wait_for(self, spec: Any) -> None:
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            try:
                del loader.exec_module
                self.wrap(module)
            except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
                pass

        try:
            loader.exec_module = exec_module
        except AttributeError:
            pass

    def wrap(self, module: Any) -> None:
        self.states[module.__name__] = _state(module)
        for name in _SEEDERS[module.__name__]:
            setattr(module, name, self.wrapped(module.__name__, name, getattr(module, name)))

    def wrapped(self, module: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def seeding(*arguments: Any, **named: Any) -> Any:
            try:
                self.note(module, name, next(iter((*arguments, *named.values())), None), sys._getframe(1))
            except Exception:  # noqa: BLE001 this runs inside the user's program, which must not notice
                pass
            return function(*arguments, **named)

        seeding.__qualname__ = name
        seeding.__module__ = module
        return seeding

    def note(self, module: str, name: str, value: Any, frame: Any) -> None:
        if name != "default_rng" and value is not None:
            self.seeded.add(module)
        file = frame.f_code.co_filename  # a notebook's cell is named from the project's folder
        path = os.path.join(self.work if ".ipynb, cell " in file else self.start, file)
        if not path.startswith(self.work) or name in ("setstate", "set_state") or not self.left:
            return
        self.left -= 1
        shown = "torch" if module == "torch.random" else module
        place = f"({path[len(self.work) :]}:{frame.f_lineno})"
        if value is None:
            self.say("unseeded", f"{shown}.{name}() {place}")
        elif isinstance(value, (int, float, str)) or type(value).__module__ == "numpy":
            self.say("seed", f"{shown}.{name}({str(value)[:40]}) {place}")

    def at_exit(self) -> None:
        """Say which global generators were used and never seeded."""
        for name, before in self.states.items():
            module = sys.modules.get(name)
            if before is None or module is None or name in self.seeded or _state(module) == before:
                continue
            if name == "numpy.random" or self.is_used_by_the_project(module):
                self.say("unseeded", name)

    def is_used_by_the_project(self, module: Any) -> bool:
        for other in list(sys.modules.values()):
            path = getattr(other, "__file__", None)
            if path is None and other is sys.modules.get("__main__"):
                path = self.work  # Python takes its name away when the script has run
            if not isinstance(path, str) or not os.path.join(self.start, path).startswith(self.work):
                continue
            for value in list(vars(other).values()):
                if value is module or getattr(value, "__self__", None) is module._inst:
                    return True
        return False


def _state(module: Any) -> Any:
    """The state of a module's global generator; None where that says nothing (torch begins with a fixed seed)."""
    if module.__name__ == "random":
        return module.getstate()
    if module.__name__ == "numpy.random":
        state = module.get_state()
        return (state[0], state[1].tobytes(), state[2])
    return None


def watch(say: Callable[[str, str], None], work: str) -> Callable[[], None]:
    """Begin; returns what to call when the program ends."""
    started = _Watch(say, work)
    for name in _SEEDERS:
        if name in sys.modules:
            started.wrap(sys.modules[name])
    sys.meta_path.insert(0, started)
    return started.at_exit
