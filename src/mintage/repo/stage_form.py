"""The form of a stage in mintage.yaml, and the plain stages that it stands for. Pure. See docs/spec/project.md.

A stage may be written with named paths, as a list of words or a shell line, and once for many: ``matrix`` and
``foreach`` make one member for each combination. Here ``${in.data}``, ``${out.model}``, ``${matrix.depth}`` and
``${item}`` are put in, and members get their names; ``${params.x}`` stays for when the parameters are read.

>>> form = StageForm(run="python fit.py --depth ${matrix.depth} ${out.model}",
...                  out={"model": "m/${matrix.depth}.bin"}, matrix={"depth": (4, 6)})
>>> for name, stage in members("fit", form, place=lambda *keys: "mintage.yaml").items():
...     print(name, "|", stage.run, "|", *stage.out)
fit@depth=4 | python fit.py --depth 4 m/4.bin | m/4.bin
fit@depth=6 | python fit.py --depth 6 m/6.bin | m/6.bin
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError, UseError
from mintage.repo.image import check_image
from mintage.repo.locked_python import LockedPython, check_locked, put_locked
from mintage.repo.nearest import nearest_hint
from mintage.repo.notebook import NOTEBOOK
from mintage.repo.stage import Determinism, OutsidePath, Positive, Program, Resources, Retry, Stage, VariableName
from mintage.repo.use import Use, check_use

__all__ = ["StageForm", "members"]

Scalar = int | float | str | bool
Place = Callable[..., str]

_FIELD = re.compile(r"\$\{(in|out|matrix|item)(?:\.([^}]*))?\}")
_MEMBER = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_MEMBERS = 10_000
_BESIDE_USE = ("use", "env", "secrets", "timeout_s", "retry", "resources", "mutex", "network", "python", "reads")
_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
_AXIS = Annotated[str, Meta(pattern=_NAME)]

Words = Annotated[tuple[str, ...], Meta(min_length=1)]
Paths = tuple[str, ...] | dict[_AXIS, str]


class StageForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage as it is written."""

    run: Annotated[str | Words | None, Meta(description="the command: one line split into words, or its words")] = None
    sh: Annotated[str | None, Meta(description="a shell line instead of `run`")] = None
    inputs: Annotated[Paths, Meta(description="files and folders that it reads, or name to path")] = msgspec.field(
        name="in", default=()
    )
    out: Annotated[Paths, Meta(description="files and folders that it writes, or name to path")] = ()
    metrics: Annotated[Paths, Meta(description="JSON files of numbers that it writes")] = ()
    plots: Annotated[Paths, Meta(description="tables or pictures that it writes, to look at")] = ()
    captured: Annotated[tuple[str, ...], Meta(description="tables that Mintage makes of the rows that it fitted")] = ()
    params: Annotated[tuple[str, ...], Meta(description="dotted names of the parameters that it takes")] = ()
    code: Annotated[
        tuple[str, ...] | Literal["auto"], Meta(description="globs beside the modules that it imports; auto: none")
    ] = ()
    env: Annotated[tuple[VariableName, ...], Meta(description="variables that it sees and that count")] = ()
    secrets: Annotated[tuple[VariableName, ...], Meta(description="variables that it sees, masked, never kept")] = ()
    args: Annotated[
        dict[str, int | float | str], Meta(description="options that are appended to the command, by name")
    ] = {}
    reads: Annotated[tuple[OutsidePath, ...], Meta(description="absolute paths outside the project that it reads")] = ()
    seed: Annotated[int | None, Meta(description="passed as MINTAGE_SEED and PYTHONHASHSEED")] = None
    threads: Annotated[Positive | None, Meta(description="caps the threads of numeric libraries")] = None
    timeout_s: Annotated[Positive | None, Meta(description="seconds until it is ended with all its children")] = None
    retry: Annotated[Retry | None, Meta(description="when it is tried again")] = None
    resources: Annotated[Resources | None, Meta(description="what it takes of the machine")] = None
    mutex: Annotated[tuple[_AXIS, ...], Meta(description="names of which one stage at a time holds each")] = ()
    network: Annotated[bool, Meta(description="false: it runs without network")] = True
    determinism: Annotated[Determinism, Meta(description="how far its result is made repeatable")] = "off"
    python: Annotated[
        Program | LockedPython | None,
        Meta(description="its interpreter, if not the project's: a path, a command, or a lock"),
    ] = None
    image: Annotated[str | None, Meta(description="a container image by digest to run it in")] = None
    matrix: Annotated[
        dict[_AXIS, tuple[Scalar | dict[str, Scalar], ...]] | None,
        Meta(description="one member for each combination of values; `exclude` lists those to leave out"),
    ] = None
    foreach: Annotated[
        tuple[Scalar, ...] | dict[_AXIS, Scalar | dict[str, Scalar]] | None,
        Meta(description="one member for each value, or each name"),
    ] = None
    use: Annotated[Use | None, Meta(description="a stage, a path or a model of another repository")] = None


_EMPTY = StageForm()


def members(name: str, form: StageForm, *, place: Place) -> dict[str, Stage]:
    """The stages that ``form`` stands for, by name; ``place`` says where keys below the stage stand in the file.

    Raises FileMalformedError for an unknown name in ``${...}``, two members of one name, or too many.
    """
    if form.use is not None:
        return {name: _used(form, form.use, place)}
    if form.matrix is not None and form.foreach is not None:
        raise FileMalformedError("a stage has matrix or foreach, not both", where=place("foreach"))
    if (form.run is None) == (form.sh is None):
        raise FileMalformedError(
            f"stage {name} has no command" if form.run is None else f"stage {name} has two commands",
            expected="`run`, or `sh` for a shell line",
            where=place(),
        )
    found: dict[str, Stage] = {}
    for suffix, values in _combinations(form, place):
        member = f"{name}@{suffix}" if suffix else name
        if member in found:
            raise FileMalformedError(f"two members of stage {name} are called {member}", where=place("matrix"))
        found[member] = _plain(form, values, place)
    return found


def _used(form: StageForm, use: Use, place: Place) -> Stage:
    """The stage that fills paths here from another repository."""
    for name, key in zip(form.__struct_fields__, form.__struct_encode_fields__, strict=True):
        if key not in _BESIDE_USE and getattr(form, name) != getattr(_EMPTY, name):
            raise FileMalformedError(
                f"`{key}` does not go with `use`",
                expected=", ".join(_BESIDE_USE),
                where=place(key),
                hint="the other repository says what its stage does; `use:` takes in, out and params",
            )
    try:
        check_use(use)
    except UseError as error:
        raise FileMalformedError(
            error.message, expected=error.expected, found=error.found, where=place("use"), hint=error.hint
        ) from error
    return Stage(
        run="use",
        inputs=tuple(use.inputs.values()),
        out=use.here,
        env=form.env,
        secrets=form.secrets,
        timeout_s=form.timeout_s,
        retry=form.retry,
        resources=form.resources or Resources(),
        mutex=form.mutex,
        network=form.network,
        python=_python(form.python, str, place),
        reads=form.reads,
        use=use,
    )


def _combinations(form: StageForm, place: Place) -> Iterable[tuple[str, dict[str, Any]]]:
    """The suffix of each member's name, and what its ``matrix.*`` and ``item.*`` are."""
    if form.matrix is not None:
        return _matrix(form.matrix, place)
    if form.foreach is not None:
        return _foreach(form.foreach, place)
    return [("", {})]


def _matrix(matrix: Mapping[str, tuple[Any, ...]], place: Place) -> Iterable[tuple[str, dict[str, Any]]]:
    axes = {axis: values for axis, values in matrix.items() if axis != "exclude"}
    for axis, values in axes.items():
        if not values or any(isinstance(value, dict) for value in values):
            raise FileMalformedError(
                f"the axis {axis} has no plain values", expected="a list of them", where=place("matrix", axis)
            )
    excluded = matrix.get("exclude", ())
    for index, leave_out in enumerate(excluded):
        unknown = set(leave_out) - set(axes) if isinstance(leave_out, dict) else {str(leave_out)}
        if unknown:
            raise FileMalformedError(
                f"{sorted(unknown)[0]!r} is no axis of the matrix",
                expected=", ".join(axes),
                where=place("matrix", "exclude", index),
                hint=nearest_hint(sorted(unknown)[0], axes, otherwise="write axis: value"),
            )
    size = 1
    for values in axes.values():
        size *= len(values)
    if not axes or size > _MOST_MEMBERS:
        raise FileMalformedError(
            "a matrix of no use", expected=f"1 to {_MOST_MEMBERS} combinations", found=str(size), where=place("matrix")
        )
    found = []
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        if not any(all(chosen[axis] == value for axis, value in leave_out.items()) for leave_out in excluded):
            suffix = ",".join(f"{axis}={_word(value)}" for axis, value in chosen.items())
            found.append((suffix, {f"matrix.{axis}": value for axis, value in chosen.items()}))
    return found


def _foreach(items: Any, place: Place) -> Iterable[tuple[str, dict[str, Any]]]:
    if not items or len(items) > _MOST_MEMBERS:
        raise FileMalformedError(
            "a foreach of no use",
            expected=f"1 to {_MOST_MEMBERS} values",
            found=str(len(items)),
            where=place("foreach"),
        )
    if not isinstance(items, dict):
        return [(_word(item), {"item": item}) for item in items]
    found = []
    for key, value in items.items():
        fields = {f"item.{name}": inner for name, inner in value.items()} if isinstance(value, dict) else {}
        found.append((key, {"item": key if isinstance(value, dict) else value, "item.name": key, **fields}))
    return found


def _word(value: Scalar) -> str:
    """A value as part of a member's name: ``1e-3`` stays, ``a b/c`` becomes ``a-b-c``."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _MEMBER.sub("-", text).strip("-") or "_"


def _plain(form: StageForm, values: Mapping[str, Any], place: Place) -> Stage:
    """One member: everything in ``${...}`` put in."""

    def put(text: str, key: str, quote: Callable[[str], str] = str) -> str:
        return _put(text, known, quote, where=place(key))

    known: dict[str, Any] = dict(values)
    paths: dict[str, tuple[str, ...]] = {}
    for key, written in (("in", form.inputs), ("out", form.out), ("metrics", form.metrics), ("plots", form.plots)):
        named = written if isinstance(written, dict) else {}
        paths[key] = tuple(put(path, key) for path in (named.values() if named else written))
        group = "in" if key == "in" else "out"
        known |= {f"{group}.{name}": path for name, path in zip(named, paths[key], strict=bool(named))}
    if form.sh is not None:
        run = shlex.join(["sh", "-c", put(form.sh, "sh", shlex.quote)])
    elif isinstance(form.run, str):
        run = put(form.run, "run", shlex.quote)
    else:
        run = shlex.join([put(word, "run") for word in form.run or ()])
    args = {key: put(value, "args") if isinstance(value, str) else value for key, value in form.args.items()}
    return Stage(
        run=run,
        inputs=paths["in"],
        out=tuple(path for path in paths["out"] if path not in (*paths["metrics"], *paths["plots"])),
        metrics=paths["metrics"],
        plots=paths["plots"],
        captured=tuple(put(path, "captured") for path in form.captured),
        params=tuple(put(name, "params") for name in form.params),
        code=() if form.code == "auto" else tuple(put(path, "code") for path in form.code),
        env=form.env,
        secrets=form.secrets,
        reads=tuple(put(path, "reads") for path in form.reads),
        args=args,
        seed=form.seed,
        threads=form.threads,
        timeout_s=form.timeout_s,
        retry=form.retry,
        resources=form.resources or Resources(),
        mutex=form.mutex,
        network=form.network,
        determinism=form.determinism,
        python=_python(form.python, lambda text: put(text, "python"), place),
        image=None if form.image is None else _image(form, put(form.image, "image"), place),
    )


def _python(
    written: Program | LockedPython | None, put: Callable[[str], str], place: Place
) -> Program | LockedPython | None:
    if not isinstance(written, LockedPython):
        return None if written is None else put(written)
    locked = put_locked(written, put)
    check_locked(locked, where=place("python"))
    return locked


def _image(form: StageForm, image: str, place: Place) -> str:
    check_image(image, where=place("image"))
    for key in ("python", "captured"):
        if getattr(form, key):
            raise FileMalformedError(f"`{key}` does not go with `image`", where=place(key), hint="take one of them out")
    if isinstance(form.run, str) and any(word.endswith(NOTEBOOK) for word in form.run.split()):
        raise FileMalformedError("a notebook is not executed in a container", where=place("image"))
    if not (form.inputs or form.out or form.metrics or form.plots):
        raise FileMalformedError(
            "a stage in an image declares what it reads and writes",
            expected="`in` and `out`: nothing is recorded in a container",
            where=place("image"),
            hint="record it once without the image, then add that",
        )
    return image


def _put(text: str, known: Mapping[str, Any], quote: Callable[[str], str], *, where: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] if match[2] is None else f"{match[1]}.{match[2]}"
        if name not in known:
            raise FileMalformedError(
                f"${{{name}}} is not known here",
                expected=", ".join(sorted(known)) or "a name under `in:`, `out:`, `matrix:` or `foreach:`",
                where=where,
                hint=nearest_hint(name, known, otherwise="name the paths (`in: {data: data.csv}`), or correct it"),
            )
        found = known[name]
        return quote(str(found).lower() if isinstance(found, bool) else str(found))

    return _FIELD.sub(value, text)
