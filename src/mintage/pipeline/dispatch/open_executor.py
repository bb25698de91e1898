"""The executor of a name; each engine is imported when it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from mintage.pipeline.dispatch.names import ExecutorName
from mintage.pipeline.executor import LOCAL, Executor
from mintage.repo.remote import open_remote
from mintage.repo.workspace import Workspace

__all__ = ["open_executor"]


def open_executor(name: ExecutorName, workspace: Workspace, *, home: Path) -> Executor:
    """Raises RemoteError where one is needed and the project names none, and ExtraMissingError without an engine's
    library."""
    if name == "local":
        return LOCAL
    from mintage.pipeline.dispatch.remote_executor import RemoteExecutor

    remote = open_remote(workspace, home=home, make=True)
    if name == "ray":
        from mintage.pipeline.dispatch.ray_tasks import RayCluster

        return RemoteExecutor(remote, RayCluster(os.environ).connect, variables=os.environ, is_here=False)
    from mintage.pipeline.dispatch.worker_process import start_worker

    return RemoteExecutor(remote, start_worker, variables=os.environ, is_here=True)
