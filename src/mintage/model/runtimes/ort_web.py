"""onnxruntime-web: the graph as WebAssembly in a real browser, headless Chromium, with one thread.

A server of the standard library on 127.0.0.1 serves a page of ours, the npm package's files and the rows; the page
sends its answers back. Browser and server end with the session. What goes wrong in the page is a RuntimeFailedError
with its text, and so is a browser that ends or does not answer in time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.base import Answers, Columns, Found, Missing
from mintage.model.runtimes.chromium import browse, find_chromium, read_version
from mintage.model.runtimes.node_packages import find_package, install_hint
from mintage.model.runtimes.page_server import PageServer, serve_page
from mintage.model.runtimes.wire import Reply, answer_with, page_files, parse_reply
from mintage.model.signature import Signature, encode_signature

__all__ = ["RUNTIME", "OrtWeb"]

PACKAGE = "onnxruntime-web"
START_S = 120.0
ANSWER_S = 600.0
_CHROMIUM_HINT = "run `apt-get install chromium`"


class OrtWeb:
    """The runtime ``ort-web``."""

    name = "ort-web"

    def find(self) -> Found | Missing:
        package = find_package(PACKAGE)
        if package is None:
            return Missing(f"the npm package {PACKAGE} is not installed", install_hint(PACKAGE))
        program = find_chromium()
        if program is None:
            return Missing("Chromium is not on the PATH", _CHROMIUM_HINT)
        version = read_version(program)
        if version is None:
            return Missing(f"{program} does not start", _CHROMIUM_HINT)
        return Found(f"{PACKAGE} {package.version} ({version})")

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[_WebSession]:
        package, program = find_package(PACKAGE), find_chromium()
        if package is None or program is None:
            hint = install_hint(PACKAGE) if package is None else _CHROMIUM_HINT
            raise RuntimeFailedError(f"{self.name} is not here", hint=hint)
        parts = {
            **page_files("page.html", "web.mjs"),
            "model.onnx": onnx,
            "signature.json": encode_signature(signature),
        }
        folder = workdir / "browser"
        with (
            serve_page(parts, package.folder / "dist") as page,
            browse(program, page.url, folder, ended=page.stop) as process,
        ):
            session = _WebSession(page, folder / "chromium.txt", signature)
            session.pid = process.pid
            session.ready()
            yield session


class _WebSession:
    """A model in a page."""

    pid = 0

    def __init__(self, page: PageServer, log: Path, signature: Signature) -> None:
        self._page, self._log, self._signature = page, log, signature

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        return answer_with(self._ask, RUNTIME.name, self._signature, columns=columns, timed=timed)

    def ready(self) -> None:
        """Wait until the model is loaded."""
        self._reply(self._page.answered(timeout_s=START_S))

    def _ask(self, request: bytes) -> Reply:
        return self._reply(self._page.ask(request, timeout_s=ANSWER_S))

    def _reply(self, data: bytes | None) -> Reply:
        if data is None:
            printed = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
            raise RuntimeFailedError(
                f"{RUNTIME.name}: the browser ended, or did not answer in time",
                found=printed[-500:] or "nothing printed",
            )
        return parse_reply(RUNTIME.name, data)


RUNTIME = OrtWeb()
