"""The engine ``ray``: each stage is a task of a Ray cluster, whose argument is a job of a few hundred bytes.

A task gives messages as it goes on, and Ray carries these alone: data go through the remote. Nothing is left to Ray to
try again: a task that is lost is an attempt of the stage. It connects with the first stage that must run, to the
cluster that ``RAY_ADDRESS`` names or that runs on this machine (the only file that imports Ray).
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mintage.errors import ClusterError, ExtraMissingError
from mintage.pipeline.dispatch.lost import lost_with
from mintage.pipeline.dispatch.messages import Job, encode
from mintage.repo.stage import Resources
from mintage.repo.workspace import Workspace

__all__ = ["RayCluster", "RayTask", "task_options"]

_PATIENCE_S = 15.0


def task_options(resources: Resources) -> dict[str, Any]:
    """What a stage takes, as Ray names it.

    >>> task_options(Resources(cpu=2, memory_gib=0.5))
    {'num_cpus': 2.0, 'num_gpus': 0.0, 'memory': 536870912}
    """
    options: dict[str, Any] = {"num_cpus": float(resources.cpu), "num_gpus": float(resources.gpu)}
    return options | ({"memory": int(resources.memory_gib * (1 << 30))} if resources.memory_gib else {})


class RayCluster:
    """The cluster that ``variables`` name, connected to once; raises ExtraMissingError without Ray."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        if find_spec("ray") is None:
            raise ExtraMissingError(
                "--executor ray needs Ray, which is not installed", hint="pip install 'mintage[ray]'"
            )
        self._variables = variables
        self._ray: Any = None
        self._lock = threading.Lock()
        self._task: Any = None

    def connect(self, workspace: Workspace, job: Job, resources: Resources) -> RayTask:
        """A task for ``job``; raises ClusterError where no cluster can be reached."""
        with self._lock:
            if self._task is None:
                path = list(sys.path)
                if _has_token(self._variables):  # Ray shows it to a cluster with an address only when it is told to
                    os.environ.setdefault("RAY_AUTH_MODE", "token")
                # Without this Ray warns of what a later one will do with the variables of GPUs that nobody asked for.
                os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
                import ray

                self._ray = ray
                self._reach()
                self._task = _remote_task(ray)
                sys.path[:] = path  # Ray's own copies of packages are none of the environment of stages
        return RayTask(self._ray, self._task.options(**task_options(resources)), job)

    def _reach(self) -> None:
        if self._ray.is_initialized():
            return
        address = self._variables.get("RAY_ADDRESS") or "auto"
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterError(
                "there is no Ray cluster to run stages on",
                found=str(error).splitlines()[0] if str(error) else None,
                where=address,
                hint="`ray start --head` starts one here; RAY_ADDRESS names another (`local`: one for this run alone), "
                "RAY_AUTH_TOKEN its token",
            ) from error


def _has_token(variables: Mapping[str, str]) -> bool:
    """Whether there is a token of a cluster where Ray looks for one."""
    named = variables.get("RAY_AUTH_TOKEN") or variables.get("RAY_AUTH_TOKEN_PATH")
    return bool(named) or (Path.home() / ".ray" / "auth_token").is_file()


def _remote_task(ray: Any) -> Any:
    """The task; made here, so that a node needs Mintage, but nothing of what submits."""

    def run_stage(line: bytes) -> Iterator[bytes]:
        from mintage.pipeline.dispatch.ray_node import run_job

        with contextlib.closing(run_job(line)) as messages:
            yield from messages

    return ray.remote(num_returns="streaming", max_retries=0)(run_stage)


class RayTask:
    """A channel to one task."""

    def __init__(self, ray: Any, task: Any, job: Job) -> None:
        self._ray, self._task, self._job = ray, task, job
        self._begun = self._over = False

    @property
    def has_begun(self) -> bool:
        return self._begun

    def __enter__(self) -> RayTask:
        self._messages = self._task.remote(encode(self._job))
        return self

    def receive(self, timeout_s: float) -> bytes | None:
        failures = self._ray.exceptions
        try:
            if not self._ray.wait([self._messages], timeout=timeout_s)[0]:
                return None
            message: bytes = self._ray.get(next(self._messages))
        except StopIteration:
            self._over = True
            raise lost_with("its task ended without an answer") from None
        except failures.RayTaskError as error:
            self._over = True
            raise ClusterError(
                "the cluster cannot run a stage",
                found=str(error.cause)[:500],
                hint="its nodes need the same Mintage, Python and Ray as this machine",
            ) from None
        except failures.RayError as error:
            self._over = True
            raise lost_with(f"its worker died ({type(error).__name__})", found=str(error)[:500]) from None
        self._begun = True
        return message

    def __exit__(self, *_: object) -> None:
        """Cancel the task and see it end: its command is ended by then. One that does not is killed."""
        if self._over or self._ended(0.0):
            return
        for force in (False, True):
            self._ray.cancel(self._messages, force=force)
            if self._ended(_PATIENCE_S):
                return

    def _ended(self, patience_s: float) -> bool:
        """Whether the task has given its last message within that time."""
        deadline = time.monotonic() + patience_s
        while self._ray.wait([self._messages], timeout=max(0.0, deadline - time.monotonic()))[0]:
            try:
                next(self._messages)
            except (StopIteration, self._ray.exceptions.RayError):
                return True
        return False
