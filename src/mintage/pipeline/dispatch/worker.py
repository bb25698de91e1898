"""The worker's side: run one action with nothing but the remote, and say how it goes.

``work`` gives messages: parts of the log, signs of life, and at last the answer. The remote is the only store: inputs
and code are read from it by digest, the stage runs as anywhere else, in a scratch folder, and what it made is there
before the answer says so. Everything else that it writes lies in ``folder``, which its caller deletes. Closing the
generator ends the command with all that it started.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

from mintage.data.checkout import place
from mintage.errors import BlobMissingError, MintageError, StageFailedError, UndeclaredReadError, WorkerEnvironmentError
from mintage.pipeline.action import Action, decode_action, facts_of
from mintage.pipeline.dispatch.answers import failed_with, outcome_of
from mintage.pipeline.dispatch.hiding import hide_from_thread
from mintage.pipeline.dispatch.live_log import LiveLog
from mintage.pipeline.dispatch.messages import Answer, Job, Message
from mintage.pipeline.dispatch.worker_environment import worker_environment
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.hardware import hardware
from mintage.pipeline.notebook.start import executed_beside
from mintage.pipeline.outside_reads import read_digests
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.stage_data import files_of
from mintage.pipeline.stage_run import execute_stage, level_variables
from mintage.record.digest import blake3_bytes
from mintage.repo.remote import remote_at
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["work"]

_LOOK_S, _BEAT_S = 0.2, 5.0


def work(job: Job, *, folder: Path, environments: Path, stop: Callable[[], bool] = lambda: False) -> Generator[Message]:
    """Run ``job`` in the empty ``folder``; ``environments`` is the file that remembers what interpreters have. Where
    ``stop`` says so, the command is ended."""
    from concurrent.futures import ThreadPoolExecutor, wait

    stopped = threading.Event()
    worker = _Worker(job, folder, environments, lambda: stopped.is_set() or stop())
    yield Message()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="stage") as pool:
        future = pool.submit(worker.answer)
        try:
            beaten = time.monotonic()
            while not wait([future], timeout=_LOOK_S).done:
                text = worker.live.new_lines()
                if text or time.monotonic() - beaten > _BEAT_S:
                    beaten = time.monotonic()
                    yield Message(log=text)
        finally:
            stopped.set()
    yield Message(answer=future.result())


class _Worker:
    """One action at work."""

    def __init__(self, job: Job, folder: Path, environments: Path, stop: Callable[[], bool]) -> None:
        self.job, self.environments, self.stop = job, environments, stop
        self.workspace = Workspace(folder / "project")
        self.log = folder / "logs" / "stage.log"
        self.live = LiveLog(self.log)
        self.placed: dict[Path, str] = {}

    def answer(self) -> Answer:
        """Run it; every error that a person should see is an answer too."""
        try:
            self.store = remote_at(Path(self.job.remote))
            self.workspace.store_dir = self.store.root
            action = self._fetched()
            with _variables(action, self.job.env):
                return self._run(action)
        except MintageError as error:
            if isinstance(error, BlobMissingError):
                error.hint = "run it again from the project, which puts into the remote what the action names"
            log = self.store.put_file(self.log) if self.log.is_file() else None
            return failed_with(self.job.action, error, root=self.workspace.root, log=log)

    def _fetched(self) -> Action:
        """The action, with its inputs and code in place, each verified as it is read."""
        self.workspace.prepare()
        action = decode_action(self.store.get_bytes(self.job.action))
        files = {**action.around, **action.code}
        locks = action.lock.files if action.lock is not None else {}
        for item in action.inputs:
            target = self.workspace.root / item.path
            target.parent.mkdir(parents=True, exist_ok=True)
            place(self.store, item, target)
            self.placed |= {self.workspace.root / file.path: file.digest for file in files_of(item, self.store)}
        for path, file in files.items():
            self._place(path, file.digest, executable=file.executable)
        for path, digest in locks.items():
            self._place(path, digest, executable=False)
        if action.params_file:  # what is in it comes with the action; that there is one counts
            (self.workspace.root / PARAMS_FILE).touch()
        return action

    def _place(self, path: str, digest: str, *, executable: bool) -> None:
        target = self.workspace.root / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            self.store.checkout(digest, target, executable=executable)

    def _run(self, action: Action) -> Answer:
        with StatCache(self.environments) as cache:
            environment = worker_environment(
                self.workspace,
                cache,
                key=str(action.parts.get("environment")),
                python=self.job.python,
                locked=action.lock.locked if action.lock is not None else None,
                wanted=lambda: self.store.get_bytes(action.environment),
            )
            where = "`reads:` of the stage"
            found = read_digests(action.reads, cache, stage=action.stage, where=lambda: where)
            if found != action.parts.get("reads", {}):
                raise WorkerEnvironmentError(
                    f"what stage {action.stage} reads outside the project is not the same on the worker",
                    expected=", ".join(action.reads),
                    where=where,
                    hint="bring it into the project and under `in:`, so that every machine has it",
                )
        facts = facts_of(action, environment, new_inputs=self.job.new_inputs)
        self.live.hide(_set(action.env), secrets=_set(action.secrets))
        hide_from_thread(self.job.hide, environment, readable=[self.workspace.root.parent])
        return self._executed(action, facts)

    def _executed(self, action: Action, facts: StageFacts) -> Answer:
        variables = level_variables(facts)
        outcome, ended, executed = None, None, executed_beside(self.log)
        try:
            outcome = execute_stage(
                self.workspace, facts, models=action.models, log=self.log, known=self.placed.get, stop=self.stop
            )
        except UndeclaredReadError as error:
            error.where = None  # the log of the run has all of it, and its submitter says where
            raise
        except StageFailedError as error:
            ended = error.ended
        return Answer(
            action=self.job.action,
            outcome=None if outcome is None else outcome_of(outcome),
            ended=ended,
            log=self.store.put_file(self.log),
            notebook=self.store.put_file(executed) if executed.is_file() else None,
            hardware=hardware(),
            variables=variables,
        )


@contextlib.contextmanager
def _variables(action: Action, given: Mapping[str, str]) -> Iterator[None]:
    """Set the variables that count for the key as the submitter has them; raises WorkerEnvironmentError where this
    machine has another value of one that was not handed over."""
    before = dict(os.environ)
    wanted = action.parts.get("env", {})
    try:
        os.environ.update({name: value for name, value in given.items() if name in action.env})
        for name in action.env:
            if name not in wanted:
                os.environ.pop(name, None)
            elif name not in os.environ or blake3_bytes(os.environ[name].encode()) != wanted[name]:
                raise WorkerEnvironmentError(
                    f"the variable {name} is not on the worker what it is where the run was started",
                    found="another value" if name in os.environ else "not set",
                    where="the worker's environment",
                    hint="set it there too: what looks like a secret is not sent along",
                )
        yield
    finally:
        for name in action.env:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


def _set(names: Sequence[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
