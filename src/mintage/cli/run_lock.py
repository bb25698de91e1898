"""One run at a time in a clone: a second one waits, and says once for whom."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator

from mintage.cli.console import say
from mintage.cli.context import now
from mintage.repo.workspace import Workspace

__all__ = ["run_lock"]


@contextlib.contextmanager
def run_lock(workspace: Workspace, command: str) -> Iterator[None]:
    """Hold the lock of runs for ``command``; waits for another run as long as that takes."""
    what = f"`{command}` of {_user()} since {now()}"
    with workspace.lock("run", wait_s=None, what=what, on_wait=_tell):
        yield


def _tell(holder: str) -> None:
    say(f"waiting for {holder} in this clone; Ctrl-C gives up")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an id without a name, as in a container
        return "an unnamed user"
