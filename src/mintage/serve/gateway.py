"""The gateway process: lock, socket, spool, models, server, in that order; and backwards at its end.

``run`` returns when the process was asked to end (SIGTERM or Ctrl-C): running requests were answered, the log is in
Parquet, ``live.json`` is gone. It raises GatewayRunningError or PortInUseError before it touches anything. Only
loopback addresses are listened on: the gateway knows no callers, so what is beyond needs a proxy that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.errors import GatewayFailedError, HostNotLoopbackError, PortInUseError
from mintage.serve.live import LIVE_FILE
from mintage.serve.lock import take_lock

if TYPE_CHECKING:
    from mintage.serve.logwriter import LogWriter
    from mintage.serve.server import HttpServer

__all__ = ["run"]

_log = logging.getLogger("mintage.serve")
# How long the thread that compacts the log may keep a request waiting at a time; Python's default is fifty times that.
_SWITCH_S = 0.0001


class _Ending:
    """Turns the first SIGTERM or SIGINT into an orderly end, whenever it comes."""

    def __init__(self) -> None:
        self.asked = False
        self.server: HttpServer | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        if self.server is not None:
            self.server.stop()


def run(envdir: Path, host: str, port: int, *, flush_s: float) -> None:
    """Serve the environment in ``envdir`` until asked to end; ``port`` 0 takes a free one."""
    ending = _Ending()
    sys.setswitchinterval(_SWITCH_S)
    envdir.mkdir(parents=True, exist_ok=True)
    with take_lock(envdir), _bind(host, port) as listener:
        # from here on: what is taken was said without waiting for the libraries
        from mintage.serve.logwriter import LogWriter, recover
        from mintage.serve.server import new_event_loop

        (envdir / LIVE_FILE).unlink(missing_ok=True)
        problems = recover(envdir)
        log = LogWriter(envdir, flush_s=flush_s)
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(_serve(envdir, listener, log, problems, ending))
        finally:
            log.close()
            (envdir / LIVE_FILE).unlink(missing_ok=True)
    _log.info("ended as asked")


async def _serve(envdir: Path, listener: socket.socket, log: LogWriter, problems: list[str], ending: _Ending) -> None:
    """Load what is desired, then serve and follow until the end is asked for."""
    from mintage.serve.app import App
    from mintage.serve.follow import Follower
    from mintage.serve.server import HttpServer

    app = App(log, version=version("mintage"))
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    follower = Follower(envdir, app, url=url, problems=problems)
    await follower.look()
    ending.server = server = HttpServer(app)
    if ending.asked:
        return
    serving = asyncio.create_task(server.serve(listener))
    while not server.started and not serving.done():
        await asyncio.sleep(0.002)
    await follower.report()
    _log.info("listening on %s", url)
    following = asyncio.create_task(follower.run())
    await asyncio.wait([serving, following], return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # the follower ends first only by an error of its own, which is raised below
    await serving
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises HostNotLoopbackError, PortInUseError or GatewayFailedError."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise GatewayFailedError("the host has no address", found=str(error), where=host) from None
    if not ipaddress.ip_address(address[0]).is_loopback:
        raise HostNotLoopbackError(
            "the gateway listens on loopback only, because it asks nobody who they are",
            expected="127.0.0.1, ::1 or localhost",
            found=host,
            hint="put a proxy that authenticates callers in front of it",
        )
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is in use", where=f"{host}:{port}", hint="choose another port, or 0 for a free one"
            ) from None
        raise GatewayFailedError(
            "the address cannot be listened on", found=str(error), where=f"{host}:{port}"
        ) from None
    listener.setblocking(False)
    return listener
