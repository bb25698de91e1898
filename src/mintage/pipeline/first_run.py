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

from mintage.errors import DiskTooFullError, FileMalformedError
from mintage.pipeline.closure import closure, scripts_of
from mintage.pipeline.facts import Inspector, StageFacts
from mintage.pipeline.mlflow_log.read import read_logged
from mintage.pipeline.notebook.notebook_source import read_notebook
from mintage.pipeline.notebook.start import executed_beside, keeping_executed, stage_command
from mintage.pipeline.recording.configuration import CONFIG_BYTES, CONFIG_SUFFIXES
from mintage.pipeline.recording.insert import as_json, insert_keys, key_lines
from mintage.pipeline.recording.leave_out import add_logged, leave_out
from mintage.pipeline.recording.propose import Proposal, propose
from mintage.pipeline.recording.record import record
from mintage.pipeline.recording.recording import Recording
from mintage.pipeline.recording.replace import replace_keys
from mintage.pipeline.recording.source import Value
from mintage.pipeline.sandbox import Scratch, tail_of
from mintage.pipeline.secret_file import masking
from mintage.pipeline.seen.observe import saw_in
from mintage.pipeline.seen.sources import narrowed
from mintage.pipeline.settle import unnamed
from mintage.pipeline.stage_capture import captured_of, watch_stage, write_captured
from mintage.pipeline.stage_failure import changed_meanwhile, changes_input, failure
from mintage.pipeline.stage_run import StageOutcome, check_room, environment_of_stage, keep_inputs, keep_outcome
from mintage.pipeline.table import SUFFIXES
from mintage.repo.notebook import NOTEBOOK
from mintage.repo.project import parse_project
from mintage.repo.workspace import PROJECT_FILE
from mintage.store.publish import publish_bytes

__all__ = ["Learned", "learn_stage"]

_LINES = 30


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What a first run taught: the stage's facts as it stands declared now, its outcome, the proposal that was written,
    how its reads were seen, the lines that changed in mintage.yaml, and those that ``amend`` would change."""

    facts: StageFacts
    outcome: StageOutcome
    proposal: Proposal
    seen_by: str
    diff: tuple[str, ...]
    suggested: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """The part of it that a record and ``--json`` have, as plain JSON values."""
        return {
            "declared": {name: as_json(value) for name, value in self.proposal.keys.items()},
            "parameters": [_entry(value) for value in self.proposal.parameters],
            "seeds": [_entry(value) for value in self.proposal.seeds],
            "seeds_set": list(self.outcome.seeds),
            "remarks": list(self.proposal.remarks),
            "seen_by": self.seen_by,
        }


def learn_stage(inspector: Inspector, facts: StageFacts, *, log: Path, amend: bool) -> Learned:
    """Record the stage, keep what it made, and write what it should declare into mintage.yaml: keys that it lacks, and
    with ``amend`` also other lists under those that it has.

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
        logged = read_logged(scratch.work)
        recording = leave_out(recording, logged)
        own = any(path.lower().endswith(SUFFIXES) for path in (*recording.reads, *recording.writes))
        tables, remarks = captured_of(scratch, facts.name, recording.writes, has_tables=own)
        proposal = add_logged(
            _propose(inspector, facts, scratch, recording),
            logged,
            recording,
            stage=facts.name,
            passed=facts.stage.env,
            work=scratch.work,
        ).with_captured(tuple(tables), remarks)
        old = (workspace.root / PROJECT_FILE).read_bytes().decode()
        text = insert_keys(old, facts.name, proposal.keys) if proposal.keys else old
        if amend and proposal.amended:
            text = replace_keys(text, facts.name, proposal.amended)
        stage = parse_project(text.encode(), where=PROJECT_FILE, allow_unmade=True).stages[facts.name]
        write_captured(scratch, tables, stage.captured, inspector.project.models)
        outcome = keep_outcome(
            inspector.store, scratch, facts.name, stage, finished=recording.finished, log=log, logged=logged
        )
        outcome = dataclasses.replace(outcome, seeds=recording.seeds, used=recording.used)
    if text != old:
        publish_bytes(workspace.root / PROJECT_FILE, text.encode())
        inspector.reload_project()
    declared = inspector.placing(inspector.facts(facts.name))
    among = unnamed(declared, narrowed(declared.around, declared.parts["code"]))
    saw = saw_in(recording, among=among, around=declared.around, work=workspace.root)  # it is steady: that was checked
    outcome = dataclasses.replace(outcome, remarks=_kept(inspector, declared), saw=saw)
    diff = tuple(_changed_lines(old, text))
    return Learned(
        facts=declared,
        outcome=outcome,
        proposal=proposal,
        seen_by=recording.seen_by,
        diff=diff,
        suggested=() if amend else _suggested(text, facts.name, proposal),
    )


def _suggested(text: str, stage: str, proposal: Proposal) -> tuple[str, ...]:
    """The lines that ``amend`` would change; those to write by hand where it cannot."""
    if not proposal.amended:
        return ()
    try:
        return tuple(_changed_lines(text, replace_keys(text, stage, proposal.amended)))
    except FileMalformedError:
        return tuple(f"+{line}" for line in key_lines(proposal.amended, indent="    "))


def _kept(inspector: Inspector, declared: StageFacts) -> tuple[str, ...]:
    """Keep the inputs; what the command made is not thrown away because the disk has no room for them."""
    try:
        check_room(inspector.store, declared, copied=())
    except DiskTooFullError as error:
        return (
            f"has inputs that were not copied into the store ({error.found}): it cannot be repeated from its record",
        )
    keep_inputs(inspector.store, inspector.workspace.root, declared.inputs)
    return ()


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
    root = inspector.workspace.root
    command = stage_command(facts.command, root=root, scratch=scratch, environment=facts.environment, params=params)
    environment = environment_of_stage(scratch, facts)
    with masking(log, executed_beside(log), root=root, environment=environment), keeping_executed(scratch, log):
        return record(
            command,
            root=root,
            scratch=scratch,
            environment=watch_stage(scratch, environment),
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
        raise changes_input(facts, recording.changed_inputs, root=root)
    if recording.unsteady:
        raise changed_meanwhile(facts, recording.unsteady, root=root)


def _propose(inspector: Inspector, facts: StageFacts, scratch: Scratch, recording: Recording) -> Proposal:
    root = inspector.workspace.root
    found = closure(facts.command, (), root)
    code = {path: (root / path).read_text(errors="replace") for path in recording.modules}
    return propose(
        recording,
        stage=facts.stage,
        closure={*found, *narrowed(facts.around, found)},
        sources=code,
        texts=_small(scratch.work, (*recording.reads, *recording.writes)),
        params=inspector.params,
        notebooks=[read_notebook(root, path) for path in found if path.endswith(NOTEBOOK)],
        command=facts.command,
        scripts=scripts_of(facts.command, root),
    )


def _small(work: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """The content of small files that may be configuration or metrics."""
    wanted = [work / path for path in paths if path.endswith(CONFIG_SUFFIXES)]
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
