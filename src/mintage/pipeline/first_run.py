"""The first run of a stage that declares neither inputs nor outputs: record it, and declare what it did.

The command runs on a private copy of the project. If it ends well and does not change what it reads, its outputs go
into the store and the missing keys into mintage.yaml; from then on the stage is like any other. If not, nothing is
changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.errors import DataError, StageChangesInputError
from mintage.pipeline.closure import closure
from mintage.pipeline.facts import Inspector, StageFacts
from mintage.pipeline.recording.insert import insert_keys
from mintage.pipeline.recording.propose import CONFIG_BYTES, Proposal, propose
from mintage.pipeline.recording.record import record
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.recording.source import Value
from mintage.pipeline.sandbox import Scratch, stage_environment, tail_of
from mintage.pipeline.stage_capture import captured_of, watch_stage, write_captured
from mintage.pipeline.stage_failure import failure
from mintage.pipeline.stage_run import StageOutcome, keep_inputs, keep_outcome
from mintage.repo.project import parse_project
from mintage.repo.workspace import PROJECT_FILE
from mintage.store.publish import publish_bytes

__all__ = ["Learned", "learn_stage"]

_LINES = 30


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a first run taught: the stage's facts as it stands declared now, its outcome, the proposal that was written,
    how its reads were seen, and the lines that changed in mintage.yaml."""

    facts: StageFacts
    outcome: StageOutcome
    proposal: Proposal
    seen_by: str
    diff: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """The part of it that a record and ``--json`` have, as plain JSON values."""
        return {
            "declared": {name: list(paths) for name, paths in self.proposal.keys.items()},
            "parameters": [_entry(value) for value in self.proposal.parameters],
            "seeds": [_entry(value) for value in self.proposal.seeds],
            "remarks": list(self.proposal.remarks),
            "seen_by": self.seen_by,
        }


def learn_stage(inspector: Inspector, facts: StageFacts, *, log: Path) -> Learned:
    """Record the stage, keep what it made, and write what it should declare into mintage.yaml.

    Raises StageFailedError, StageChangesInputError, RecordingTooLargeError, or DataError if a file changed meanwhile.
    """
    workspace = inspector.workspace
    with contextlib.ExitStack() as scratches:
        scratch = scratches.enter_context(Scratch(workspace.tmp_dir))
        recording = _record(inspector, facts, scratch, log=log, without=())
        if stale := _stale_outputs(recording, log):
            scratch = scratches.enter_context(Scratch(workspace.tmp_dir))
            again = _record(inspector, facts, scratch, log=log, without=stale)
            note = f"was run again without the {_some(stale)} of an earlier run, which it writes anew"
            recording = dataclasses.replace(again, notes=(*again.notes, note))
        _check(recording, facts, log=log, root=workspace.root)
        tables, remarks = captured_of(scratch, facts.name, recording.writes)
        proposal = _propose(inspector, facts, scratch, recording).with_captured(tuple(tables), remarks)
        old = (workspace.root / PROJECT_FILE).read_bytes().decode()
        text = insert_keys(old, facts.name, proposal.keys) if proposal.keys else old
        stage = parse_project(text.encode(), where=PROJECT_FILE).stages[facts.name]
        write_captured(scratch, tables, stage.captured, inspector.project.models)
        outcome = keep_outcome(inspector.store, scratch, facts.name, stage, finished=recording.finished, log=log)
    if text != old:
        publish_bytes(workspace.root / PROJECT_FILE, text.encode())
        inspector.reload_project()
    declared = inspector.facts(facts.name)
    keep_inputs(inspector.store, workspace.root, declared.inputs)
    diff = tuple(_changed_lines(old, text))
    return Learned(facts=declared, outcome=outcome, proposal=proposal, seen_by=recording.seen_by, diff=diff)


def _stale_outputs(recording: Recording, log: Path) -> tuple[str, ...]:
    """Links to the user's files that the command was denied to write, though it read nothing of them.

    They are outputs of an earlier run, large, and written by a library that the hook cannot help: the log names them.
    """
    if recording.finished.exit_code == 0:
        return ()
    tail = tail_of(log, lines=_LINES)
    if "ermission denied" not in tail:
        return ()
    return tuple(path for path in recording.linked if path.rpartition("/")[2] in tail and path not in recording.reads)


def _record(
    inspector: Inspector, facts: StageFacts, scratch: Scratch, *, log: Path, without: tuple[str, ...]
) -> Recording:
    params = facts.parts["params"] if facts.stage.params else inspector.params
    (scratch.private / "params.json").write_text(json.dumps(params))
    environment = stage_environment(
        scratch,
        seed=facts.stage.seed,
        threads=facts.stage.threads,
        declared=facts.stage.env,
        environment=facts.environment,
    )
    return record(
        facts.command,
        root=inspector.workspace.root,
        scratch=scratch,
        environment=watch_stage(scratch, environment, hooked=True),
        log=log,
        python=facts.environment.python,
        libraries=(*facts.environment.folders, *facts.environment.prefixes),
        without=without,
        timeout_s=facts.stage.timeout_s,
    )


def _check(recording: Recording, facts: StageFacts, *, log: Path, root: Path) -> None:
    if recording.finished.exit_code != 0:
        raise failure(facts, recording.finished, log=log, root=root)
    if recording.changed_inputs:
        raise StageChangesInputError(
            f"stage {facts.name} changes what it reads: {_some(recording.changed_inputs)}",
            expected="outputs under names of their own",
            where=str(root / recording.changed_inputs[0]),
            hint="write to another file, so that it can run again from the same input; yours was not changed",
        )
    if recording.unsteady:
        raise DataError(
            f"{_some(recording.unsteady)} changed while stage {facts.name} read it",
            where=str(root / recording.unsteady[0]),
            hint="run again when nothing writes to it",
        )


def _propose(inspector: Inspector, facts: StageFacts, scratch: Scratch, recording: Recording) -> Proposal:
    root = inspector.workspace.root
    code = {path: (root / path).read_text(errors="replace") for path in recording.modules}
    return propose(
        recording,
        stage=facts.stage,
        closure=closure(facts.command, (), root),
        sources=code,
        texts=_small(scratch.work, (*recording.reads, *recording.writes)),
        params=inspector.params,
    )


def _small(work: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """The content of small files that may be configuration or metrics."""
    wanted = [work / path for path in paths if path.endswith((".json", ".yaml", ".yml", ".toml"))]
    files = [path for path in wanted if path.is_file() and path.stat().st_size <= CONFIG_BYTES]
    return {path.relative_to(work).as_posix(): path.read_bytes() for path in files}


def _changed_lines(old: str, new: str) -> Iterable[str]:
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0):
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
            yield line


def _entry(value: Value) -> dict[str, Any]:
    """A value by name and place; one that JSON does not hold exactly is told as text."""
    inexact = isinstance(value.value, float) and not math.isfinite(value.value)
    large = isinstance(value.value, int) and abs(value.value) >= 1 << 53
    plain = isinstance(value.value, int | float | str | list | None) and not inexact and not large
    return {"name": value.name, "value": value.value if plain else str(value.value), "where": value.where}


def _some(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
