"""Start, find, watch and stop the gateway of an environment, from another process.

Whether a gateway lives is asked of the kernel (it holds the environment's lock), never of a process id alone: ids
are used again. A started gateway is a session of its own: it outlives the command that started it, and Ctrl-C in that
terminal does not reach it. It imports no server library, so every command may use it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from mintage.errors import (
    GatewayFailedError,
    GatewayRunningError,
    GenerationRefusedError,
    HostNotLoopbackError,
    MintageError,
    PortInUseError,
)
from mintage.serve.live import GatewayState, read_live
from mintage.serve.lock import holder

__all__ = ["LOG_FILE", "gateway_state", "start_gateway", "stop_gateway", "wait_generation"]

LOG_FILE = "gateway.log"
_POLL_S = 0.02


def gateway_state(envdir: Path) -> GatewayState | None:
    """What the environment's gateway reports, or None if none lives (or it is still starting)."""
    pid = holder(envdir)
    state = read_live(envdir) if pid is not None else None
    return state if state is not None and state.pid == pid else None


def start_gateway(envdir: Path, host: str, port: int, *, timeout_s: float = 30.0) -> GatewayState:
    """Start a detached gateway and wait until it answers; its output goes to ``gateway.log``.

    Raises GatewayRunningError, PortInUseError, HostNotLoopbackError, or GatewayFailedError with the end of the log.
    """
    running = gateway_state(envdir)
    if running is not None:
        raise GatewayRunningError(
            "a gateway already serves this environment",
            found=f"process {running.pid} at {running.url}",
            where=str(envdir),
        )
    envdir.mkdir(parents=True, exist_ok=True)
    log = envdir / LOG_FILE
    offset = log.stat().st_size if log.exists() else 0
    pid = _spawn(envdir, host, port, log)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        state = gateway_state(envdir)
        if state is not None and state.pid == pid and _answers(state.url):
            return state
        if not _child_lives(pid):
            raise _start_error(_tail(log, offset), log, where=f"{host}:{port}")
        time.sleep(_POLL_S)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    raise GatewayFailedError(
        f"the gateway did not answer within {timeout_s:g} s", found=_tail(log, offset)[-400:] or None, where=str(log)
    )


def stop_gateway(envdir: Path, *, timeout_s: float = 30.0) -> bool:
    """Ask the environment's gateway to end and wait for it; False if none was running.

    Raises GatewayFailedError if it is still there after ``timeout_s``; it is not killed, as it may be flushing.
    """
    pid = holder(envdir)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while holder(envdir) == pid:
        if time.monotonic() >= deadline:
            raise GatewayFailedError(
                f"the gateway did not end within {timeout_s:g} s",
                found=f"process {pid}",
                where=str(envdir / LOG_FILE),
                hint=f"see its log; `kill -9 {pid}` ends it, and its next start recovers the predictions",
            )
        time.sleep(_POLL_S)
    _child_lives(pid)
    return True


def wait_generation(envdir: Path, generation: int, timeout_s: float) -> GatewayState:
    """Wait until ``generation`` (or a later one) is live as a whole.

    Raises GenerationRefusedError with the gateway's problems if it was tried and is not, GatewayFailedError if no
    gateway lives or the time is up.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        state = gateway_state(envdir)
        if state is not None and state.generation >= generation:
            return state
        if state is not None and state.attempted >= generation:
            raise GenerationRefusedError(
                f"the gateway refused generation {generation} and goes on with {state.generation}",
                found="; ".join(state.problems),
                where=str(envdir),
                hint="what was live before is still live; write a new desired state",
            )
        if time.monotonic() >= deadline or (state is None and holder(envdir) is None):
            problems = "; ".join(state.problems) if state is not None else "no gateway lives"
            raise GatewayFailedError(
                f"generation {generation} is not live", found=problems or None, where=str(envdir / LOG_FILE)
            )
        time.sleep(_POLL_S)


def _spawn(envdir: Path, host: str, port: int, log: Path) -> int:
    """The gateway as a process of its own session, without terminal; ``-P`` keeps the folder we are in off its path."""
    command = [sys.executable, "-P", "-m", "mintage.serve", "--dir", str(envdir), "--host", host, "--port", str(port)]
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _child_lives(pid: int) -> bool:
    """Whether a child of ours still runs; one that ended is reaped. For a process that is no child of ours: False."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return False


def _answers(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=2)
    try:
        connection.request("GET", "/v2/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tail(log: Path, offset: int) -> str:
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace").strip()


def _start_error(tail: str, log: Path, *, where: str) -> MintageError:
    """The error that the gateway ended with, as its own class where the caller can act on it."""
    known: tuple[type[MintageError], ...] = (PortInUseError, GatewayRunningError, HostNotLoopbackError)
    for kind in known:
        _, found, rest = tail.rpartition(f"error[{kind.code}]: ")
        if found:
            message, _, more = rest.partition("\n")
            hint = more.rpartition("hint: ")[2] if "hint: " in more else None
            return kind(message, where=where if kind is not GatewayRunningError else str(log.parent), hint=hint)
    return GatewayFailedError("the gateway ended while starting", found=tail[-400:] or None, where=str(log))
