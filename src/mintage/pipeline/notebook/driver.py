"""Execute a notebook's cells in order, in this very process. A script for the stage's interpreter, which needs IPython.

    python driver.py JOB.json

It has no kernel beside it, no sockets and no terminal: it is a process like a script's, so that recording, limits, the
end of a process group and ``atexit`` hold for a notebook as for any stage. What the cells print goes to standard output
and into the executed notebook, which is written before each cell and at the end, whatever happens. A cell that raises
ends it, with the traceback and exit code 1, unless the cell has the tag ``raises-exception``; ``exit()`` ends it as it
ends a script. Nothing of Mintage is imported: the interpreter need not have it (Python 3.9 or later).
That IPython is there was seen by ``start.py``, which else raises ExtraMissingError.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import traceback
import warnings
from typing import Any

_STREAM_LIMIT = 1 << 20
_BUNDLE_LIMIT = 16 << 20
_LEFT_OUT = "a stage runs in its environment as it is: install there what is missing, then run again"
_INSTALLS = re.compile(r"(^|[\s/;&|])(pip3?|uv\s+pip|conda|mamba|poetry|uv)['\"]?\s+(install|add)\b")


class Record:
    """The executed notebook as it grows; ``cell`` is the running one, ``place`` its name in tracebacks."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.notebook = job["notebook"]
        self.path = job["executed"]
        self.cell: dict[str, Any] | None = None
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self.clear = False
        self.room = _STREAM_LIMIT
        self.place = ""
        self.lock = threading.RLock()

    def begin(self, cell: dict[str, Any], count: int) -> None:
        self.cell, self.clear, self.room = cell, False, _STREAM_LIMIT
        cell["execution_count"] = count
        self.mark(status="running")
        self.write()

    def mark(self, **facts: Any) -> None:
        if self.cell is not None:
            self.cell.setdefault("metadata", {})["mintage"] = facts

    def stream(self, name: str, text: str) -> None:
        with self.lock:
            if self.cell is None or self.room < 0:
                return
            self.room -= len(text)
            if self.room < 0:
                text = "\n(more was printed; all of it is in the log)\n"
            outputs = self._outputs()
            if not outputs or outputs[-1].get("name") != name:
                outputs.append({"output_type": "stream", "name": name, "text": ""})
            outputs[-1]["text"] += text

    def bundle(self, kind: str, data: dict[str, Any], metadata: Any, identity: str | None, update: bool) -> None:
        with self.lock:
            if self.cell is None:
                return
            plain = {key: _plain(value) for key, value in data.items()}
            if sum(len(str(value)) for value in plain.values()) > _BUNDLE_LIMIT:
                plain = {"text/plain": "(too large to be kept)"}
            if update:
                for output in self.shown.get(identity or "", []):
                    output["data"] = plain
                return
            output = {"output_type": kind, "data": plain, "metadata": _plain(metadata or {})}
            if kind == "execute_result":
                output["execution_count"] = self.cell["execution_count"]
            self._outputs().append(output)
            if identity:
                self.shown.setdefault(identity, []).append(output)

    def error(self, error: BaseException, lines: list[str]) -> None:
        with self.lock:
            self._outputs().append(
                {"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": lines}
            )

    def _outputs(self) -> list[dict[str, Any]]:
        assert self.cell is not None
        if self.clear:
            self.cell["outputs"], self.clear = [], False
        outputs: list[dict[str, Any]] = self.cell["outputs"]
        return outputs

    def write(self) -> None:
        with self.lock:
            text = json.dumps(self.notebook, indent=1, ensure_ascii=True) + "\n"
        with open(self.path + ".new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(self.path + ".new", self.path)


def _plain(value: Any) -> Any:
    """``value`` as JSON has it; bytes, such as of a picture, in base 64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return json.loads(json.dumps(value, default=str))


class Tee(io.TextIOBase):
    """Standard output or error that also goes into the executed notebook."""

    def __init__(self, real: Any, name: str, record: Record) -> None:
        self._real, self._name, self._record = real, name, record

    encoding = property(lambda self: self._real.encoding)
    errors = property(lambda self: self._real.errors)
    buffer = property(lambda self: self._real.buffer)

    def write(self, text: str) -> int:
        self._real.write(text)
        self._record.stream(self._name, text)
        return len(text)

    def flush(self) -> None:
        self._real.flush()

    def fileno(self) -> int:
        return int(self._real.fileno())

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def make_shell(record: Record) -> Any:
    """IPython's shell with what cells show in ``record``, and commands of cells in this process group."""
    from IPython.core.compilerop import CachingCompiler
    from traitlets.config import Config

    class Compiler(CachingCompiler):  # type: ignore[misc]
        def get_code_name(self, raw_code: str, code: str, number: int) -> str:
            return record.place

    config = Config()
    config.HistoryManager.enabled = False
    shell = _shell_class()
    shell.compiler_class = Compiler
    shell.displayhook_class, shell.display_pub_class = _display_classes(record)
    return shell.instance(config=config)


def _display_classes(record: Record) -> tuple[Any, Any]:
    """What IPython calls with the value of a cell, and for ``display``."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher

    class Hook(DisplayHook):  # type: ignore[misc]
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            record.bundle("execute_result", format_dict, md_dict, None, False)
            _print_plain(format_dict)

        def finish_displayhook(self) -> None:
            pass

    class Publisher(DisplayPublisher):  # type: ignore[misc]
        def publish(self, data: Any, metadata: Any = None, *_: Any, **more: Any) -> None:
            identity = (more.get("transient") or {}).get("display_id")
            record.bundle("display_data", data, metadata, identity, bool(more.get("update")))
            if not more.get("update"):
                _print_plain(data)

        def clear_output(self, wait: bool = False) -> None:
            record.clear = True

    return Hook, Publisher


def _shell_class() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.text import LSString, SList

    class Shell(InteractiveShell):  # type: ignore[misc]
        def showtraceback(self, *_: Any, **__: Any) -> None:
            """The end of the cell says it, once."""

        showsyntaxerror = showindentationerror = showtraceback

        def system(self, cmd: str) -> None:
            command = self.var_expand(cmd, depth=1)
            self.user_ns["_exit_code"] = 0
            if _INSTALLS.search(command):
                sys.stdout.write(f"left out: {cmd.strip()}\n{_LEFT_OUT}\n")
                return
            child = _start(command)
            for line in child.stdout or ():
                sys.stdout.write(line)
            self.user_ns["_exit_code"] = child.wait()

        system_raw = system_piped = system

        def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
            said = _start(self.var_expand(cmd, depth=depth + 1)).communicate()[0]
            return SList(said.splitlines()) if split else LSString(said)

        def enable_gui(self, gui: Any = None) -> None:
            """There is no window to draw in; pictures are outputs."""

        def atexit_operations(self) -> None:
            """IPython would clear the variables of the cells, which others that run at exit may want to look at."""

        def ask_exit(self) -> None:
            raise SystemExit(0)

    return Shell


def _print_plain(data: Any) -> None:
    text = data.get("text/plain")
    if text is not None:
        sys.__stdout__.write(f"{text}\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def _start(command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def execute(job: dict[str, Any]) -> int:
    """Run the job's cells; the exit code."""
    record = Record(job)
    shell = make_shell(record)
    sys.stdout, sys.stderr = Tee(sys.stdout, "stdout", record), Tee(sys.stderr, "stderr", record)
    count = 0
    for cell in record.notebook["cells"]:
        if cell["cell_type"] != "code" or not _source(cell).strip():
            continue
        given = "injected-parameters" in _tags(cell)
        count += not given
        record.place = f"{job['name']}, cell of given parameters" if given else f"{job['name']}, cell {count}"
        record.begin(cell, count)
        code = run_cell(record, shell, cell)
        record.write()
        if code is not None:
            return code
    return 0


def run_cell(record: Record, shell: Any, cell: dict[str, Any]) -> int | None:
    """Run one cell; the exit code if the notebook ends with it."""
    began = time.monotonic()
    result = shell.run_cell(_source(cell), store_history=True)
    error = result.error_before_exec or result.error_in_exec
    seconds = round(time.monotonic() - began, 3)
    if isinstance(error, SystemExit):
        record.mark(status="exited", seconds=seconds)
        return _exit_code(error)
    if error is not None:
        lines = _traceback(error)
        record.error(error, lines)
        if "raises-exception" not in _tags(cell):
            record.mark(status="failed", seconds=seconds)
            sys.stdout.flush()
            sys.__stderr__.write("\n".join(lines) + "\n")  # type: ignore[union-attr]
            return 1
    record.mark(status="done", seconds=seconds)
    return None


def _source(cell: dict[str, Any]) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _tags(cell: dict[str, Any]) -> Any:
    return cell["metadata"].get("tags", ())


def _exit_code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.__stderr__.write(f"{error.code}\n")  # type: ignore[union-attr]
    return 1


def _traceback(error: BaseException) -> list[str]:
    """As Python prints it, from the cell on."""
    trace = error.__traceback__
    while trace is not None and ", cell " not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    told = traceback.TracebackException(type(error), error, trace)
    _leave_out_ipython(told)
    return "".join(told.format()).rstrip("\n").split("\n")


def _leave_out_ipython(told: traceback.TracebackException) -> None:
    folder = os.path.dirname(sys.modules["IPython"].__file__ or "") + os.sep
    frames = [frame for frame in told.stack if not frame.filename.startswith(folder)]
    told.stack = traceback.StackSummary.from_list(frames)
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _leave_out_ipython(other)


def main(path: str) -> int:
    """Read the job, stand where the notebook stands, and execute it."""
    with open(path, encoding="utf-8") as stream:
        job = json.load(stream)
    os.chdir(job["folder"])
    sys.path[0] = os.getcwd()
    sys.argv = [job["name"]]
    if job["reads_params"]:
        with open(os.environ["MINTAGE_PARAMS"], "rb"):
            pass  # so that a recording sees that the parameters of the project are taken
    os.environ["IPYTHONDIR"] = os.path.dirname(os.path.abspath(path))
    from importlib.util import find_spec

    if find_spec("matplotlib_inline") is not None:
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    warnings.filterwarnings("ignore", message="To exit: use")
    return execute(job)


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
