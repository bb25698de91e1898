"""The gateway process: lock, socket, spool, models, server, in that order; and backwards at its end.

``run`` returns when the process was asked to end (SIGTERM or Ctrl-C): running requests were answered, the log is in
Parquet, ``live.json`` is gone. It raises GatewayRunningError or PortInUseError before it touches anything. Only
loopback addresses are listened on without tokens: who knows no callers needs a proxy in front that does.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.errors import GatewayFailedError, HostNotLoopbackError, PortInUseError
from mintage.serve.live import LIVE_FILE
from mintage.serve.lock import take_lock

if TYPE_CHECKING:
    from mintage.serve.desired import Desired
    from mintage.serve.logwriter import Log
    from mintage.serve.routes import Route
    from mintage.serve.server import HttpServer
    from mintage.serve.tokens import Tokens
    from mintage.serve.trial import Trial

__all__ = ["Fixed", "run"]

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


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What one process serves from its start on: ``routes``, loaded already, as ``desired`` says.

    ``is_logged`` is whether predictions are kept; ``on_listening`` hears the gateway's URL. Instead of a port that is
    taken it may be one of the next ``spare_ports``. The page is a form to try the model of the ``trial``.
    """

    desired: Desired
    routes: Mapping[str, Route]
    is_logged: bool
    on_listening: Callable[[str], None]
    spare_ports: int
    trial: Trial


def run(
    envdir: Path, host: str, port: int, *, flush_s: float, tokens: Tokens | None = None, fixed: Fixed | None = None
) -> None:
    """Serve the environment in ``envdir`` until asked to end; ``port`` 0 takes a free one.

    With ``tokens`` callers must have one, and may be anywhere. ``fixed`` becomes the desired state of ``envdir``.
    """
    ending = _Ending()
    sys.setswitchinterval(_SWITCH_S)
    envdir.mkdir(parents=True, exist_ok=True)
    spare = 0 if fixed is None else fixed.spare_ports
    with take_lock(envdir), _bind_one(host, port, spare=spare, is_open=tokens is not None) as listener:
        # from here on: what is taken was said without waiting for the libraries
        from mintage.serve.desired import write_desired
        from mintage.serve.logwriter import LogWriter, Unlogged, recover
        from mintage.serve.server import new_event_loop

        (envdir / LIVE_FILE).unlink(missing_ok=True)
        if fixed is not None:
            write_desired(envdir, fixed.desired)
        problems = recover(envdir)
        log: Log = LogWriter(envdir, flush_s=flush_s) if fixed is None or fixed.is_logged else Unlogged()
        gateway = _Gateway(envdir, log, tokens, fixed)
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(_serve(gateway, listener, problems, ending))
        finally:
            log.close()
            (envdir / LIVE_FILE).unlink(missing_ok=True)
    _log.info("ended as asked")


@dataclass(frozen=True)
class _Gateway:
    envdir: Path
    log: Log
    tokens: Tokens | None
    fixed: Fixed | None


async def _serve(gateway: _Gateway, listener: socket.socket, problems: list[str], ending: _Ending) -> None:
    """Load what is desired, then serve and follow until the end is asked for."""
    from mintage.serve.app import App
    from mintage.serve.follow import Follower
    from mintage.serve.server import HttpServer

    fixed = gateway.fixed
    trial = fixed.trial if fixed else None
    app = App(gateway.log, version=version("mintage"), tokens=gateway.tokens, trial=trial)
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    follower = Follower(gateway.envdir, app, url=url, problems=problems, routes=fixed.routes if fixed else {})
    await follower.look()
    ending.server = server = HttpServer(app)
    if ending.asked:
        return
    serving = asyncio.create_task(server.serve(listener))
    while not server.started and not serving.done():
        await asyncio.sleep(0.002)
    await follower.report()
    _log.info("listening on %s", url)
    if fixed is not None and server.started:
        fixed.on_listening(url)
    following = asyncio.create_task(follower.run())
    await asyncio.wait([serving, following], return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # the follower ends first only by an error of its own, which is raised below
    await serving
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


def _bind_one(host: str, port: int, *, spare: int, is_open: bool) -> socket.socket:
    """A listening socket on the port, or on the first free one of as many after it as there are ``spare``."""
    for each in range(port, min(port + spare, 65535)):
        with contextlib.suppress(PortInUseError):
            return _bind(host, each, is_open=is_open)
    return _bind(host, min(port + spare, 65535), is_open=is_open)


def _bind(host: str, port: int, *, is_open: bool) -> socket.socket:
    """A listening socket, on loopback unless ``is_open``.

    Raises HostNotLoopbackError, PortInUseError or GatewayFailedError.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise GatewayFailedError("the host has no address", found=str(error), where=host) from None
    if not is_open and not ipaddress.ip_address(address[0]).is_loopback:
        raise HostNotLoopbackError(
            "the gateway listens on loopback only, because it asks nobody who they are",
            expected="127.0.0.1, ::1 or localhost",
            found=host,
            hint="put a proxy that authenticates callers in front of it, or `mintage serve MODEL --token-file FILE`",
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
