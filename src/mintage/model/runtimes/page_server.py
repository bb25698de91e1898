"""A server on the loopback address for one page: its files, the requests that it asks for, the answers that it sends.

All paths begin with a secret of this server, so that no other program of the machine can take part. ``ask`` puts a
request where the page finds it and waits for the answer; ``stop`` ends all waiting, of both sides. It is
called too when the page's process ends: the page keeps a connection open, and that ends with it.
"""

from __future__ import annotations

import contextlib
import queue
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["PageServer", "serve_page"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
}
_PLAIN = re.compile(r"[\w.-]+")


class PageServer:
    """The requests and answers of one page; ``url`` is its address."""

    def __init__(self, files: Mapping[str, bytes], library: Path) -> None:
        self.secret = secrets.token_urlsafe(16)
        self.url = ""
        self._files, self._library = files, library
        self._requests: queue.Queue[bytes | None] = queue.Queue()
        self._answers: queue.Queue[bytes | None] = queue.Queue()

    def ask(self, request: bytes, *, timeout_s: float) -> bytes | None:
        """The page's answer; None if it ended or does not answer in time."""
        self._requests.put(request)
        return self.answered(timeout_s=timeout_s)

    def answered(self, *, timeout_s: float) -> bytes | None:
        """What the page sends next; None if it ended or sends nothing in time."""
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if answer is None:
            self._answers.put(None)
        return answer

    def stop(self) -> None:
        """End all waiting."""
        self._requests.put(None)
        self._answers.put(None)

    def next_request(self) -> bytes | None:
        """For the page: waits for a request; None at the end."""
        request = self._requests.get()
        if request is None:
            self._requests.put(None)
        return request

    def take(self, answer: bytes) -> None:
        """From the page."""
        self._answers.put(answer)

    def file(self, name: str) -> bytes | None:
        """A file by its path: our own, or the library's under ``ort/``."""
        if name in self._files:
            return self._files[name]
        if name.startswith("ort/") and _PLAIN.fullmatch(name[4:]):
            with contextlib.suppress(OSError):
                return (self._library / name[4:]).read_bytes()
        return None


@contextlib.contextmanager
def serve_page(files: Mapping[str, bytes], library: Path) -> Iterator[PageServer]:
    """Serve ``files``, ``page.html`` among them, and the folder ``library``, on a free port of 127.0.0.1."""
    page = PageServer(files, library)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(page))
    server.daemon_threads = True
    page.url = f"http://127.0.0.1:{server.server_address[1]}/{page.secret}/page.html"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.stop()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(page: PageServer) -> type[BaseHTTPRequestHandler]:
    start = f"/{page.secret}/"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix(start)
            if name == "alive":
                with contextlib.suppress(ConnectionError):
                    self.rfile.read(1)  # nothing is ever sent: this waits until the page's connection ends
                page.stop()
                return
            body = None if name == self.path else page.next_request() if name == "next" else page.file(name)
            if body is None:
                self._send(204 if name == "next" else 404, "", b"")
            else:
                self._send(200, _TYPES.get(Path(name).suffix, "application/octet-stream"), body)

        def do_POST(self) -> None:
            if self.path != f"{start}answer":
                self._send(404, "", b"")
                return
            page.take(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            self._send(204, "", b"")

        def _send(self, status: int, kind: str, body: bytes) -> None:
            with contextlib.suppress(ConnectionError):  # the page may be gone
                self.send_response(status)
                # alone on its own: then the page's clock is precise to 5 microseconds, not to 100
                self.send_header("Cross-Origin-Opener-Policy", "same-origin")
                self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
                self.send_header("Cache-Control", "no-store")
                if body:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing to tell."""

    return Handler
