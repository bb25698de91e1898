"""The HTTP server: uvicorn with httptools and uvloop around the application, with limits on what comes before a body.

The only file that imports uvicorn. It serves on a socket that the caller has bound, until ``stop`` is asked for, then
lets running requests end. uvicorn's own limits start at the body; the head's size and time are bounded here.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

from mintage.errors import ExtraMissingError
from mintage.serve import limits

if TYPE_CHECKING:
    from mintage.serve.app import App

try:
    import uvicorn
    import uvloop
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError as missing:
    raise ExtraMissingError(
        f"serving needs {missing.name}", hint="pip install 'mintage[serve]'", where="mintage.serve"
    ) from missing

__all__ = ["HttpServer", "new_event_loop"]

_DRAIN_SECONDS = 15
_LINGER_SECONDS = 1.0


class HttpServer:
    """One application on one listening socket."""

    def __init__(self, app: App) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=limits.CONNECTIONS,
            timeout_keep_alive=limits.IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        self._server = uvicorn.Server(config)

    @property
    def started(self) -> bool:
        """Whether requests are answered."""
        return self._server.started

    def stop(self) -> None:
        """Stop taking requests, let running ones end; safe to call from a signal handler."""
        self._server.should_exit = True

    async def serve(self, listener: socket.socket) -> None:
        """Answer requests until stopped."""
        await self._server.serve(sockets=[listener])


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A uvloop event loop."""
    return uvloop.new_event_loop()


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with limits on the size of a request's head and on the time that head and body take.

    The timer is set only for a request that does not come in one piece. What is refused here gets JSON too.
    """

    _refused = False
    _in_body = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._start_timer("head", limits.HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._in_body:
            self._start_timer("body", limits.BODY_SECONDS)
        elif self._head_bytes:
            self._start_timer("head", limits.HEAD_SECONDS)
            if self._head_bytes > limits.HEAD_BYTES:
                self._refuse(431, "serve.head-too-large", f"the request's head is over {limits.HEAD_BYTES} bytes")

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head_bytes = 0
        self._stop_timer()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "serve.not-http", "the request is not valid HTTP")

    def _start_timer(self, part: str, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._late, part, seconds)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self, part: str, seconds: float) -> None:
        self._timer = None
        self._refuse(408, f"serve.{part}-too-slow", f"the request's {part} took over {seconds:g} s")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer instead of the application, unless it has begun to, and let go of the connection."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_timer()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"error": message, "code": code}).encode()
            head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.write_eof()  # closing at once would reset the connection before the caller has read the answer
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)
