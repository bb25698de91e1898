"""onnxruntime-node: the graph in Node, in a process of its own that answers lines of JSON.

It runs ``node`` on a small script of ours, with one thread, without keys or network. The process ends with the
session; one that dies or does not answer in time is a RuntimeFailedError with the end of what it printed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.base import Answers, Columns, Found, Missing
from mintage.model.runtimes.node_packages import find_package, install_hint
from mintage.model.runtimes.wire import Reply, answer_with, page_files, parse_reply
from mintage.model.signature import Signature, encode_signature

__all__ = ["RUNTIME", "OrtNode"]

PACKAGE = "onnxruntime-node"
ANSWER_S = 600.0


class OrtNode:
    """The runtime ``ort-node``."""

    name = "ort-node"

    def find(self) -> Found | Missing:
        node = shutil.which("node")
        if node is None:
            return Missing("Node is not on the PATH", "run `apt-get install nodejs npm`")
        package = find_package(PACKAGE)
        if package is None:
            return Missing(f"the npm package {PACKAGE} is not installed", install_hint(PACKAGE))
        try:
            done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            return Missing(f"Node does not start: {error}", "install Node 20 or newer")
        return Found(f"{PACKAGE} {package.version} (Node {done.stdout.strip()})")

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[_NodeSession]:
        node, package = shutil.which("node"), find_package(PACKAGE)
        if node is None or package is None:
            raise RuntimeFailedError(f"{self.name} is not here", hint=install_hint(PACKAGE))
        parts = {**page_files("node.mjs"), "model.onnx": onnx, "signature.json": encode_signature(signature)}
        for name, data in parts.items():
            (workdir / name).write_bytes(data)
        with _started([node, str(workdir / "node.mjs"), str(package.folder)], workdir / "stderr.txt") as process:
            session = _NodeSession(process, workdir / "stderr.txt", signature)
            session.ready()
            yield session


@contextlib.contextmanager
def _started(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with pipes; killed at the end unless it ends when its input does."""
    # what the caller has in NODE_OPTIONS, an inspector say, is meant for other programs
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    with log.open("wb") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        except OSError as error:
            raise RuntimeFailedError("Node does not start", found=str(error)) from error
    try:
        yield process
    finally:
        process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.communicate()


class _NodeSession:
    """A model in a Node process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, signature: Signature) -> None:
        self._process, self._log, self._signature = process, log, signature
        self.pid = process.pid

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        return answer_with(self._ask, RUNTIME.name, self._signature, columns=columns, timed=timed)

    def ready(self) -> None:
        """Wait until the model is loaded."""
        self._reply()

    def _ask(self, request: bytes) -> Reply:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it said before it ended is read below
            self._process.stdin.write(request)
            self._process.stdin.flush()
        return self._reply()

    def _reply(self) -> Reply:
        assert self._process.stdout is not None
        watchdog = threading.Timer(ANSWER_S, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line.endswith(b"\n"):
            printed = self._log.read_text(encoding="utf-8", errors="replace")[-500:]
            code = self._process.wait()
            raise RuntimeFailedError(
                f"{RUNTIME.name} ended without an answer", found=printed or f"exit code {code}, nothing printed"
            )
        return parse_reply(RUNTIME.name, line)


RUNTIME = OrtNode()
