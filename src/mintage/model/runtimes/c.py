"""C: the graph compiled to C99, that by the system's compiler, in a process of its own for each answer.

The compiler is what ``CC`` says, else cc, gcc or clang. Warnings are errors. A text goes as UTF-8 that ends at a NUL;
a NUL inside one goes as the bytes C0 80, as the C code has it too, so every text gets its answer.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import RuntimeFailedError
from mintage.model.compile.c.driver import driver, pack_rows, read_answers
from mintage.model.compile.c.face import face
from mintage.model.compile.c.program import compile_c
from mintage.model.program import read_program
from mintage.model.runtimes.base import Answers, Columns, Found, Missing
from mintage.model.signature import Signature

__all__ = ["FLAGS", "RUNTIME", "CompiledC", "find_compiler"]

FLAGS = ("-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
_TIME_S = 600.0
_HINT = "install a C compiler (on Debian: apt-get install gcc libc6-dev), or name one in CC"


def find_compiler() -> list[str] | None:
    """The command of the system's C compiler: CC if it is set, else the first of cc, gcc and clang that is there."""
    named = shlex.split(os.environ.get("CC", ""))
    if named:
        return named if shutil.which(named[0]) else None
    return next(([name] for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


class CompiledC:
    """The runtime ``c``; ``flags`` are the compiler's."""

    name = "c"

    def __init__(self, flags: tuple[str, ...] = FLAGS) -> None:
        self.flags = flags

    def find(self) -> Found | Missing:
        compiler = find_compiler()
        if compiler is None:
            return Missing("there is no C compiler", _HINT)
        try:
            done = subprocess.run([*compiler, "--version"], capture_output=True, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            return Missing(f"the C compiler does not start: {error}", _HINT)
        lines = done.stdout.decode(errors="replace").splitlines()
        return Found(lines[0].strip() if lines else compiler[0])

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[_Session]:
        compiler = find_compiler()
        if compiler is None:
            raise RuntimeFailedError("there is no C compiler", hint=_HINT)
        names = face(read_program(onnx), signature, "model")
        for file, data in compile_c(onnx, signature, "model").items():
            (workdir / file).write_bytes(data)
        (workdir / "driver.c").write_text(driver(signature, names), encoding="ascii")
        sources = ["driver.c", "model.c", "-o", "driver", "-lm"]
        _run([*compiler, *self.flags, *sources], workdir, "the C compiler refuses the model's code")
        yield _Session(workdir, signature)


@dataclass(frozen=True)
class _Session:
    """A compiled model."""

    folder: Path
    signature: Signature

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        rows = len(next(iter(columns.values())))
        (self.folder / "rows.bin").write_bytes(pack_rows(self.signature, columns))
        command = [str(self.folder / "driver"), "rows.bin", "answers.bin", str(rows), str(timed)]
        _run(command, self.folder, "the model in C ended without an answer")
        data = (self.folder / "answers.bin").read_bytes()
        values, labels, times = read_answers(data, self.signature, rows=rows)
        return Answers(values, labels, times)


def _run(command: list[str], folder: Path, failure: str) -> None:
    """Run to the end; raises RuntimeFailedError with both ends of what it printed."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=_TIME_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeFailedError(failure, found=str(error)) from error
    if done.returncode != 0:
        printed = (done.stdout + done.stderr).decode(errors="replace").strip()
        if len(printed) > 1200:  # a compiler's first error is the telling one
            printed = f"{printed[:600]}\n...\n{printed[-600:]}"
        raise RuntimeFailedError(failure, found=printed or f"exit code {done.returncode}, nothing printed")


RUNTIME = CompiledC()
