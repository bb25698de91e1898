"""Read a pickle as a machine would run it, and run nothing: which globals it names, and what it does with them.

``read_pickle`` follows stack, marks and memo, so that a name that comes from the memo, or is put together from two
texts, is the name that an unpickler would look up. What it cannot follow raises UnreadableError: a name or a callable
that is computed, extension codes, buffers from elsewhere, a stack that underflows, opcodes that are none. A name counts
as soon as it is met, for an unpickler has imported it by then, whatever breaks later.

joblib writes the bytes of an array behind the object that stands for it. They are skipped as joblib does; then
``wrapped`` says so, for ``pickle.load`` would read them as opcodes. Nothing is imported, and no name is judged.

>>> import pickle
>>> found = Reading()
>>> end = read_pickle(pickle.dumps(complex(1, 2), protocol=4), found)
>>> (sorted(found.names), found.calls)
(['builtins.complex'], 1)
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Reading", "UnreadableError", "read_pickle"]

_MOST_OPCODES, _MOST_DEPTH = 50_000_000, 6
_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")


class UnreadableError(ValueError):
    """What about the pickle cannot be followed."""


@dataclass
class Reading:
    """What was met so far: ``names`` as ``module.name``, how many ``calls``, whether joblib's arrays were skipped."""

    names: set[str] = field(default_factory=set)
    calls: int = 0
    wrapped: bool = False


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


@dataclass
class _Made:
    """An object by what made it; ``state`` is what BUILD gave it."""

    by: Any
    args: Any
    state: Any = None


@dataclass
class _Pairs:
    items: list[tuple[Any, Any]] = field(default_factory=list)

    def get(self, key: str) -> Any:
        return next((value for name, value in reversed(self.items) if name == key), None)


_MARK = object()


def read_pickle(
    data: bytes, found: Reading, *, start: int = 0, depth: int = 0, skip_arrays: bool = True, persistent: bool = False
) -> int:
    """Read one pickle from ``start``; fills ``found``, also where it raises UnreadableError, and returns where it ends.

    ``skip_arrays`` False reads what stands behind joblib's arrays as opcodes; ``persistent`` lets persistent ids be.
    """
    if depth > _MOST_DEPTH:
        raise UnreadableError("pickles within pickles, too deep to follow")
    machine = _Machine(data, found, depth=depth, skip_arrays=skip_arrays, persistent=persistent)
    machine.stream.seek(start)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(machine.stream)):
            if opcode.name == "STOP":
                machine.pop()
                return machine.stream.tell()
            if count > _MOST_OPCODES:
                raise UnreadableError("it has too many steps to follow")
            machine.step(opcode.name, argument)
    except UnreadableError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError) as error:
        raise UnreadableError(f"it breaks off: {' '.join(str(error).split())[:120] or type(error).__name__}") from None
    raise UnreadableError("it has no end")


class _Machine:
    def __init__(self, data: bytes, found: Reading, *, depth: int, skip_arrays: bool, persistent: bool) -> None:
        self.data, self.found, self.depth = data, found, depth
        self.skip_arrays, self.persistent = skip_arrays, persistent
        self.stream = io.BytesIO(data)
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _PUSHED:
            self.push(argument)
            if isinstance(argument, bytes | bytearray):
                self._nested(bytes(argument))
        elif name in _FRESH:
            self.push(_FRESH[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise UnreadableError(_REFUSED.get(name, f"the opcode {name} is not followed"))

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise UnreadableError("it takes more from the stack than there is")
        return self.stack.pop()

    def top(self) -> Any:
        value = self.pop()
        self.push(value)
        return value

    def to_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise UnreadableError("it goes back to a mark that is not there")

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnreadableError("it computes the name of what it imports")
        self.found.names.add(f"{module}.{name}")
        self.push(_Global(module, name))

    def call(self, by: Any, args: Any) -> None:
        if not isinstance(by, _Global):
            raise UnreadableError("it calls something that it computed")
        self.found.calls += 1
        self.push(_Made(by, args))

    def build(self) -> None:
        state, target = self.pop(), self.top()
        if isinstance(target, _Global):
            self.found.calls += 1
            raise UnreadableError(f"it changes {target.module}.{target.name} itself")
        if isinstance(target, _Made):
            target.state = state
            if self.skip_arrays and isinstance(target.by, _Global) and (target.by.module, target.by.name) == _WRAPPER:
                self.found.wrapped = True
                self._skip_array(state)

    def _skip_array(self, state: Any) -> None:
        """Go behind the bytes of an array, as joblib's own reader does."""
        if not isinstance(state, _Pairs):
            raise UnreadableError("an array of joblib's says nothing of itself")
        size = _item_size(state.get("dtype"))
        if size is None:
            end = read_pickle(self.data, self.found, start=self.stream.tell(), depth=self.depth + 1)
            self.stream.seek(end)
            return
        shape = state.get("shape")
        if not isinstance(shape, tuple) or not all(type(part) is int and 0 <= part < 2**48 for part in shape):
            raise UnreadableError("an array of joblib's has no shape")
        if state.get("numpy_array_alignment_bytes") is not None:
            self.stream.seek(self.stream.read(1)[0], io.SEEK_CUR)
        end = self.stream.tell() + math.prod(shape) * size
        if end > len(self.data):
            raise UnreadableError("an array is larger than the file")
        self.stream.seek(end)

    def _nested(self, data: bytes) -> None:
        """A pickle within a pickle, as bytes: what it names counts; bytes that are none are just bytes."""
        if len(data) > 2 and data[0] == 0x80 and data[1] <= 5 and data.rstrip(b"\0").endswith(b"."):
            inner = Reading()
            try:
                read_pickle(data, inner, depth=self.depth + 1)
            except UnreadableError:
                if not inner.calls:
                    return
            self.found.names |= inner.names
            self.found.calls += inner.calls


def _item_size(dtype: Any) -> int | None:
    """The bytes of one item of a pickled NumPy dtype; None if it holds objects."""
    if not isinstance(dtype, _Made) or dtype.by != _Global("numpy", "dtype") or not isinstance(dtype.args, tuple):
        raise UnreadableError("an array of joblib's has no dtype")
    code, state = dtype.args[0], dtype.state
    if not isinstance(code, str):
        raise UnreadableError("an array of joblib's has no dtype")
    if isinstance(state, tuple) and len(state) > 5 and isinstance(state[4], _Pairs):
        for _, described in state[4].items:
            inner = described[0] if isinstance(described, tuple) else described
            if _item_size(inner) is None:
                return None
        if type(state[5]) is not int or state[5] < 0:
            raise UnreadableError("an array of joblib's has no dtype")
        return state[5]
    found = np.dtype(code)
    if isinstance(state, tuple) and len(state) > 2 and isinstance(state[2], tuple):
        raise UnreadableError("arrays within the items of an array are not followed")
    return None if found.hasobject else found.itemsize


def _append(machine: _Machine, items: list[Any]) -> None:
    target = machine.top()
    if isinstance(target, list):
        target.extend(items)


def _set_items(machine: _Machine, items: list[Any]) -> None:
    if len(items) % 2:
        raise UnreadableError("a key has no value")
    target = machine.top()
    if isinstance(target, _Pairs):
        target.items.extend(zip(items[::2], items[1::2], strict=True))


def _pop_any(machine: _Machine, _: Any) -> None:
    """POP may take a mark away too."""
    machine.stack.pop()


def _pop_mark(machine: _Machine, _: Any) -> None:
    machine.to_mark()


def _put(machine: _Machine, place: Any) -> None:
    machine.memo[int(place)] = machine.top()


def _memoize(machine: _Machine, _: Any) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _get(machine: _Machine, place: Any) -> None:
    if int(place) not in machine.memo:
        raise UnreadableError("it takes from its memo what it never put there")
    machine.push(machine.memo[int(place)])


def _dict(machine: _Machine, _: Any) -> None:
    items = machine.to_mark()
    machine.push(_Pairs())
    _set_items(machine, items)


def _global(machine: _Machine, argument: Any) -> None:
    module, _, name = str(argument).partition(" ")
    machine.name(module, name)


def _stack_global(machine: _Machine, _: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


def _reduce(machine: _Machine, _: Any) -> None:
    args, by = machine.pop(), machine.pop()
    machine.call(by, args)


def _new_ex(machine: _Machine, _: Any) -> None:
    named, args, by = machine.pop(), machine.pop(), machine.pop()
    machine.call(by, (args, named))


def _inst(machine: _Machine, argument: Any) -> None:
    _global(machine, argument)
    by, args = machine.pop(), machine.to_mark()
    machine.call(by, tuple(args))


def _obj(machine: _Machine, _: Any) -> None:
    by, *args = machine.to_mark() or [None]
    machine.call(by, tuple(args))


def _persistent(machine: _Machine, argument: Any) -> None:
    if not machine.persistent:
        raise UnreadableError("it takes an object from outside by a persistent id")
    machine.push(_Made(None, argument if argument is not None else machine.pop()))


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, _: Any) -> None:
        machine.push(tuple([machine.pop() for _ in range(count)][::-1]))

    return step


_PUSHED = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
    ]
)
_FRESH: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": _Pairs,
    "EMPTY_SET": list,
    "MARK": lambda: _MARK,
}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.to_mark()),
    "ADDITEMS": lambda machine, _: _append(machine, machine.to_mark()),
    "LIST": lambda machine, _: machine.push(machine.to_mark()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.to_mark())),
    "FROZENSET": lambda machine, _: machine.push(machine.to_mark()),
    **{f"TUPLE{count}": _tuple_of(count) for count in (1, 2, 3)},
    "DICT": _dict,
    "SETITEM": lambda machine, _: _set_items(machine, [machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: _set_items(machine, machine.to_mark()),
    "POP": _pop_any,
    "POP_MARK": _pop_mark,
    "DUP": lambda machine, _: machine.push(machine.top()),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    "MEMOIZE": _memoize,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduce),
    "NEWOBJ_EX": _new_ex,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": lambda machine, _: machine.build(),
    **dict.fromkeys(("PERSID", "BINPERSID"), _persistent),
}
_REFUSED = {
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), "it names a global by an extension code"),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER"), "it takes bytes from outside of the file"),
}
