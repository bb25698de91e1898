"""The submitter's side: put an action into the remote, hear its worker out, and take what it made once it is verified.

A worker is believed nothing: every digest that it names is read from the remote and compared before anything of the
stage is taken. One that dies, falls silent or answers what is not so is lost (WorkerLostError); nothing has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from mintage.data.transfer import Need, transfer
from mintage.errors import (
    BlobMissingError,
    DataError,
    DigestMismatchError,
    ProjectError,
    RecordInvalidError,
    StageFailedError,
    StageStoppedError,
)
from mintage.pipeline.action import Action, CodeFile, LockFiles, action_of, encode_action, other_code
from mintage.pipeline.dispatch.answers import error_of, needs_of_answer, stage_outcome
from mintage.pipeline.dispatch.channel import Channel
from mintage.pipeline.dispatch.lost import lost_with
from mintage.pipeline.dispatch.messages import LONGEST, Answer, Outcome, parse_message
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.notebook.start import executed_beside
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.sandbox import Finished
from mintage.pipeline.seen.key import Saw, listed_names
from mintage.pipeline.seen.sources import narrowed
from mintage.pipeline.stage_failure import failure
from mintage.pipeline.stage_run import StageOutcome, check_room, keep_inputs
from mintage.record.canonical import canonical_bytes
from mintage.repo.project import ModelEntry
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.local import Store

__all__ = ["hear", "publish", "take"]

_LOOK_S, _TELL_S = 0.25, 3.0


def publish(
    workspace: Workspace, facts: StageFacts, *, models: Mapping[str, ModelEntry], store: Store, remote: Store
) -> tuple[Action, str]:
    """Put the action of a stage, and all that it names, into the remote; returns it and its digest."""
    if facts.stage.image is not None:
        raise ProjectError(
            f"stage {facts.name} runs in a container, which only this machine's own executor starts",
            found=facts.stage.image,
            where=PROJECT_FILE,
            hint="`mintage run --executor local`",
        )
    check_room(store, facts, copied=())
    keep_inputs(store, workspace.root, facts.inputs)
    code = {path: _code_file(store, workspace.root / path) for path in facts.parts["code"]}
    beside = [path for path in narrowed(facts.around, code) if path not in code and (workspace.root / path).is_file()]
    around = {path: _code_file(store, workspace.root / path) for path in beside}
    lock = _lock_files(store, workspace.root, facts)
    action = action_of(
        facts,
        code=code,
        around=around,
        lock=lock,
        environment=store.put_bytes(canonical_bytes(facts.environment.frozen)),
        models=models,
        params_file=(workspace.root / PARAMS_FILE).is_file(),
    )
    if (changed := other_code(action)) is not None:
        raise DataError(f"{changed} changed while it was read", where=changed, hint="run again")
    digest = store.put_bytes(encode_action(action))
    needs = [Need(item.digest, "folder" if item.folder else "bytes") for item in action.inputs]
    needs += [Need(file.digest, "bytes") for file in (*code.values(), *around.values())]
    needs += [Need(each, "bytes") for each in (lock.files.values() if lock is not None else ())]
    needs += [Need(action.environment, "bytes"), Need(digest, "bytes")]
    transfer(needs, source=store, target=remote)
    return action, digest


def _code_file(store: Store, source: Path) -> CodeFile:
    return CodeFile(digest=store.put_file(source), executable=bool(source.stat().st_mode & 0o100))


def _lock_files(store: Store, root: Path, facts: StageFacts) -> LockFiles | None:
    """The lock of the stage's environment, for the Python that it has here, and the project file that uv asks for."""
    locked = facts.environment.lock
    if locked is None:
        return None
    minor = ".".join(str(facts.environment.frozen["python"]).split(".")[:2])
    folder = locked.lock.rpartition("/")[0]
    project = f"{folder}/pyproject.toml" if folder else "pyproject.toml"
    paths = [locked.lock, *([project] if (root / project).is_file() else [])]
    return LockFiles(
        locked=msgspec.structs.replace(locked, version=minor),
        files={path: store.put_file(root / path) for path in paths},
    )


def hear(channel: Channel, *, log: Path, stop: Callable[[], bool], silence_s: float) -> Answer:
    """Pass on what the command says into ``log`` until its worker answers; the first answer counts.

    Raises StageStoppedError where ``stop`` says so, and WorkerLostError.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    began = heard = time.monotonic()
    waits = False
    with log.open("ab") as sink:
        while True:
            if stop():
                raise StageStoppedError(
                    "the command was ended because the run was", hint="run again: it goes on from here"
                )
            line = channel.receive(_LOOK_S)
            now = time.monotonic()
            if line is None:
                heard = heard if channel.has_begun else now
                if not waits and not channel.has_begun and now - began > _TELL_S:
                    waits = True
                    sink.write(b"(waiting for a place to run)\n")
                    sink.flush()
                if now - heard > silence_s:
                    raise lost_with(f"its worker said nothing for {silence_s:.0f} s")
                continue
            heard = now
            try:
                message = parse_message(line[: LONGEST + 1])
            except RecordInvalidError as error:
                raise lost_with("its worker said what is no message", found=error.found) from error
            if message.answer is not None:
                return message.answer
            sink.write(message.log.encode())
            sink.flush()


def take(
    answer: Answer,
    *,
    workspace: Workspace,
    facts: StageFacts,
    action: Action,
    digest: str,
    store: Store,
    remote: Store,
    log: Path,
    before: int,
) -> StageOutcome:
    """What the worker of the action ``digest`` made, verified and in the store here; the first ``before`` bytes of the
    ``log`` are of other attempts. Raises what the stage failed with; WorkerLostError for an answer that is not so."""
    if answer.action != digest:
        raise lost_with("its worker answered for another stage", found=answer.action)
    if [answer.outcome is None, answer.ended is None, answer.error is None].count(False) != 1:
        raise lost_with("its worker gave no answer")
    _check_paths(answer, facts)
    try:
        _bring(answer, store=store, remote=remote)
        _write_said(answer, store, log, before)
    except (BlobMissingError, DigestMismatchError, RecordInvalidError) as error:
        raise lost_with("its worker answered with a digest that is not that of the bytes", found=error.found) from error
    if answer.error is not None:
        met = error_of(answer.error)
        met.where = met.where or str(log)
        raise met
    if answer.outcome is None:
        raise _failed(answer, facts, log=log, workspace=workspace)
    try:
        outcome = stage_outcome(answer.outcome, log=store.put_file(log), notebook=answer.notebook)
    except ValueError as error:
        raise lost_with("its worker answered with a metric that is no number", found=str(error)) from error
    ran = {"action": digest, "hardware": answer.hardware}
    return replace(outcome, worker=ran, variables=answer.variables, saw=_saw(answer.outcome, action))


def _saw(outcome: Outcome, action: Action) -> Saw | None:
    """What the command saw: names that the worker tells, with the digests of what it was given."""
    if outcome.seen is None:
        return None
    given = {**action.around, **action.code}
    unknown = [path for path in outcome.seen.code if path not in given]
    if unknown:
        raise lost_with("its worker saw code that it was not given", found=unknown[0])
    return Saw(
        code={path: given[path].digest for path in outcome.seen.code},
        listed={folder: names for folder in outcome.seen.folders if (names := listed_names(action.around, folder))},
        absent=outcome.seen.absent,
    )


def _bring(answer: Answer, *, store: Store, remote: Store) -> None:
    """Copy what the answer names into the store here, where each byte is compared with its digest."""
    if lost := transfer(needs_of_answer(answer), source=remote, target=store).lost:
        raise lost_with("its worker answered with a digest that the remote has not", found=lost[0])
    for item in answer.outcome.outputs if answer.outcome is not None else ():
        size = store.get_tree(item.digest).size if item.folder else store.path_of(item.digest).stat().st_size
        if size != item.size:
            raise lost_with(f"its worker answered with another size of {item.path}", found=str(item.size))


def _check_paths(answer: Answer, facts: StageFacts) -> None:
    wanted = [path.rstrip("/") for path in facts.stage.outputs]
    found = [item.path for item in answer.outcome.outputs] if answer.outcome is not None else wanted
    if found != wanted:
        raise lost_with("its worker answered with other outputs than were asked for", found=", ".join(found))


def _write_said(answer: Answer, store: Store, log: Path, before: int) -> None:
    """The whole log of this attempt, masked, in place of what came on the way, and the executed notebook beside it."""
    if answer.log is None:
        return
    with log.open("r+b") as sink:
        sink.truncate(before)
        sink.seek(before)
        with store.open(answer.log) as source:
            while block := source.read(1 << 20):
                sink.write(block)
    if answer.notebook is not None:
        store.checkout(answer.notebook, executed_beside(log))


def _failed(answer: Answer, facts: StageFacts, *, log: Path, workspace: Workspace) -> StageFailedError:
    """The error of a command that failed, with what this project has to say of it."""
    code = answer.ended if isinstance(answer.ended, int) else -1
    finished = Finished(exit_code=code, duration_s=answer.duration_s, timed_out=answer.ended == "timeout")
    here = workspace.root == workspace.state.parent
    asked = asked_in(log.read_text(errors="replace"), workspace.root)
    return failure(facts, finished, log=log, root=workspace.root, asked=asked, here=here)


def asked_in(said: str, root: Path) -> list[str]:
    """Files of the project whose own path a command complains of: they are hidden from it."""
    lines = [line for line in said.splitlines()[-50:] if f"{root}/" in line]
    words = [line.partition(f"{root}/")[2].split("'")[0].split('"')[0].strip() for line in lines]
    return sorted({word for word in words if word and not word.startswith(".") and (root / word).exists()})
