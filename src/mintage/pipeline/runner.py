"""Carries one run through its stages: decide about each, keep, restore or run it, and record what it did."""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mintage.data.checkout import clear_unfinished, place
from mintage.errors import MintageError
from mintage.pipeline.environment_change import explained
from mintage.pipeline.events import Event
from mintage.pipeline.facts import Inspector, StageFacts, StageResult, flat_params, split_command
from mintage.pipeline.implicit import ImplicitStage, model_lock
from mintage.pipeline.key import cache_key, explain
from mintage.pipeline.plan import plan
from mintage.pipeline.ready import Demand
from mintage.pipeline.seen.note import note
from mintage.pipeline.session import RunSession, interrupted, keep_environment
from mintage.repo.ignore import ignore_path
from mintage.repo.locks import Lock, write_locks
from mintage.repo.notebook_filter import ATTRIBUTES, set_up_filter
from mintage.repo.project import unmade_model
from mintage.repo.workspace import PROJECT_FILE

if TYPE_CHECKING:  # what only a stage that runs needs is imported then
    from mintage.pipeline.attempts import Attempted
    from mintage.pipeline.executor import Executor
    from mintage.pipeline.first_run import Learned
    from mintage.pipeline.infer.find_models import FoundModels
    from mintage.pipeline.shared.find import Found
    from mintage.pipeline.shared.sharing import Sharing
    from mintage.pipeline.stage_run import StageOutcome

__all__ = ["Runner"]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A stage whose command must run: why, and whether it is recorded (``learns``)."""

    facts: StageFacts
    why: list[str]
    log: Path
    learns: bool


class Runner:
    """Carries one run through its stages; the flow is in ``run_pipeline``."""

    def __init__(
        self,
        inspector: Inspector,
        session: RunSession,
        *,
        force: bool,
        again: Collection[str],
        amend: bool,
        on_event: Callable[[Event], None],
        update_uses: bool = False,
        sharing: Sharing | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.update_uses = update_uses
        self.sharing = sharing
        self.executor = executor
        self.again = again
        self.amend = amend
        self.inspector = inspector
        self.session = session
        self.force = force
        self.on_event = on_event
        self.actions: dict[str, str] = {}
        self.wrote: list[str] = []
        self.learned: dict[str, Learned] = {}
        self.found: FoundModels | None = None
        self.remarks: dict[str, list[str]] = {}
        self._current = ""
        self._told_of_sandbox = False
        self._theirs: set[str] = set()
        self._pending: list[tuple[StageFacts, StageResult]] = []

    def tell(self, detail: str) -> None:
        """Tell something of the stage that is at its turn."""
        self._tell_of(self._current, detail)

    def _tell_of(self, stage: str, detail: str) -> None:
        self.on_event(Event(what="tell", stage=stage, detail=detail))

    def begin(self, name: str) -> Work | None:
        """Decide about a stage, and keep or restore it; returns what is left to do of one whose command must run."""
        self._current = name
        inspector = self.inspector
        for path in inspector.project.stages[name].inputs:
            inspector.fetch(path.rstrip("/"))
        for told in inspector.pin(name, update=self.update_uses):
            self.tell(told)
        facts = inspector.facts(name)
        known = (
            None if facts.in_place and facts.lock and facts.lock.key == facts.key else inspector.known_result(facts.key)
        )
        again = self.force or name in self.again
        action: str = plan(
            lock_key=facts.lock.key if facts.lock else None,
            key=facts.key,
            in_place=facts.in_place,
            known_result=known is not None,
            force=again,
        )
        found: Found | None = None
        if action == "run" and not again:
            from mintage.pipeline.shared.elsewhere import elsewhere
            from mintage.pipeline.shared.find import Wanted

            wanted = Wanted(name=name, key=facts.key, outputs=facts.stage.outputs, inputs=facts.inputs)
            action, known, found = elsewhere(inspector, self.sharing, wanted, self.tell)
        self.actions[name] = action
        if action == "keep":
            run = facts.lock.run if facts.lock else None
            self.session.note(name, {"action": "keep", "key": facts.key, "run": run}, upstream=[run])
            if facts.lock and facts.used and facts.lock.use != facts.used.pin:
                self._write(msgspec.structs.replace(facts.lock, use=facts.used.pin))
            self.on_event(Event(what="keep", stage=name))
        elif known is not None and action in ("restore", "download"):
            self._restore(facts, known, found)
        else:
            return self._start(inspector.ready(facts, self.tell))
        return None

    def skip(self, name: str, *, because: str) -> None:
        """Tell that a stage does not run because one that it needs failed."""
        self.actions[name] = "skip"
        self.on_event(Event(what="skip", stage=name, detail=because))

    def demand(self, name: str) -> Demand:
        """What the stage takes while it runs; one that is recorded runs alone."""
        stage = self.inspector.project.stages[name]
        own = stage.resources
        alone = stage.declares_nothing or name in self.again
        return Demand(cpu=own.cpu, gpu=own.gpu, memory_gib=own.memory_gib, mutex=stage.mutex, alone=alone)

    def _start(self, facts: StageFacts) -> Work:
        """Tell that the command runs now."""
        self._open()
        why = explained(self.inspector.store, facts.lock, facts.parts, frozen=facts.environment.frozen)
        learns = facts.stage.declares_nothing or (facts.name in self.again and facts.used is None)
        said = [*why[:3], *(["recording what it reads and writes"] if learns else [])]
        log = self.inspector.workspace.logs_dir / self.session.id / f"{facts.name}.log"
        self.on_event(Event(what="start", stage=facts.name, detail="; ".join(said), log=log))
        if facts.sandbox and not learns:
            self._tell_of_sandbox()
        if not learns and facts.used is None:
            from mintage.pipeline.taken import overruled_defaults

            self._note(facts.name, overruled_defaults(facts, self.inspector.workspace.root))
        if not learns:
            self.inspector.cache.flush()
        return Work(facts=self.inspector.placing(facts), why=why, log=log, learns=learns)

    def _tell_of_sandbox(self) -> None:
        """Once, where the sandbox that is wanted cannot be had."""
        from mintage.pipeline.walls.close import NOT_ENFORCED, way

        if way() == "none" and not self._told_of_sandbox:
            self._told_of_sandbox = True
            self.on_event(Event(what="tell", stage="sandbox", detail=NOT_ENFORCED))

    def perform(self, work: Work, stop: Callable[[], bool]) -> tuple[StageFacts, Attempted]:
        """Run the command; of a stage that declares nothing, write what it did into mintage.yaml.

        But for those, it may be called in a thread of its own: nothing of this object is changed.
        """
        from mintage.pipeline.attempts import Attempted, attempt_stage

        if work.learns:
            facts, outcome = self._learn(work.facts, work.log)
            return facts, Attempted(outcome=outcome, attempts=())
        inspector = self.inspector
        return work.facts, attempt_stage(
            inspector.workspace,
            work.facts,
            models=inspector.project.models,
            log=work.log,
            stop=stop,
            executor=self.executor,
        )

    def _restore(self, facts: StageFacts, known: StageResult, found: Found | None) -> None:
        """Put a result in place; ``found`` tells of one that another made, which is remembered with its proof only."""
        from mintage.pipeline.stage_track import track

        self._open()
        if found is not None:
            self._theirs.add(facts.name)
        for item in known.outputs:
            place(self.inspector.store, item, self.inspector.workspace.root / item.path)
        self._lock(facts, known)
        track(self.session, self.inspector.store, facts, known)
        entry = {"action": "restore", "key": facts.key, "run": known.run}
        if found is None:
            self.session.note(facts.name, entry, upstream=[known.run])
            self.on_event(Event(what="restore", stage=facts.name))
            return
        self.session.note(facts.name, {**entry, "shared": found.statement}, upstream=[known.run, found.statement])
        self.on_event(Event(what="download" if found.came else "restore", stage=facts.name, detail=found.said))

    def complete(self, work: Work, facts: StageFacts, attempted: Attempted) -> None:
        """Put what the command made in place, and record it."""
        from mintage.pipeline.settle import news_of, settled
        from mintage.pipeline.stage_entry import entry_of
        from mintage.pipeline.stage_run import level_variables
        from mintage.pipeline.stage_track import track
        from mintage.pipeline.uses.used import kept_use

        session, inspector, why, outcome = self.session, self.inspector, work.why, attempted.outcome
        facts = settled(facts, outcome.saw)
        self._current = facts.name
        self._note(facts.name, attempted.remarks)
        parameters = self._parameters(facts)
        self._note(facts.name, (*news_of(facts), *outcome.remarks))
        for item in outcome.outputs:
            place(inspector.store, item, inspector.workspace.root / item.path)
        for path in (*facts.stage.out, *facts.stage.captured):
            if ignore_path(inspector.workspace.root, path.rstrip("/")) and ".gitignore" not in self.wrote:
                self.wrote.append(".gitignore")
        environment, kept = keep_environment(inspector, facts.name), outcome.mlflow
        used = kept_use(inspector.store, facts.used, facts.parts["code"]) if facts.used else {}
        variables = {} if facts.stage.determinism == "off" else outcome.variables or level_variables(facts)
        session.note(
            facts.name,
            entry_of(
                facts,
                outcome,
                why=why,
                attempts=attempted.attempts,
                environment=environment,
                parameters=parameters,
                variables=variables,
                recorded=self._recorded(facts.name),
                used=used,
            ),
            upstream=[
                *facts.parts["inputs"].values(),
                *used.get("code", {}).values(),
                environment,
                kept.record if kept else None,
            ],
        )
        metrics = tuple((key, value if math.isfinite(value) else None, step) for key, value, step in outcome.metrics)
        # Killed from here on, the run has a record of what is done, and its locks name that.
        unfinished = session.write_record(inspector, "running", only=facts.name)
        result = StageResult(
            outputs=outcome.outputs, run=unfinished, metrics=metrics, mlflow=kept.record if kept else None
        )
        self._pending.append((facts, result))
        track(session, inspector.store, facts, result, params=parameters)
        inspector.cache.flush()
        self._lock(facts, result)
        self.on_event(
            Event(what="end", stage=facts.name, duration_s=outcome.finished.duration_s, detail=self._evidence(outcome))
        )
        self._share(facts, result)

    def _evidence(self, outcome: StageOutcome) -> str:
        """What it logged with MLflow, and where to look at an executed notebook."""
        logged = [outcome.mlflow.said] if outcome.mlflow is not None else []
        executed = [] if outcome.notebook is None else [f"executed notebook: mintage notebook {self._current}"]
        return "; ".join((*logged, *executed))

    def _open(self) -> None:
        """Open the session, whose snapshot has the project's notebooks as Git is to have them: without outputs."""
        if not self.session.commit:
            self._keep_outputs_out_of_git()
        if (last := self.session.open(self.inspector)) is not None:
            for path in {path for stage in self.inspector.project.stages.values() for path in stage.outputs}:
                clear_unfinished(self.inspector.workspace.root / path.rstrip("/"))
            for stage, detail in interrupted(self.inspector, last):
                self.on_event(Event(what="tell", stage=stage, detail=detail))

    def _keep_outputs_out_of_git(self) -> None:
        """The first run with a notebook in this clone: Git is told to leave outputs out, and the user is."""
        from mintage.pipeline.notebook.start import is_inside, is_notebook

        for name, stage in self.inspector.project.stages.items():
            command = split_command(stage.run, name)
            if not (is_notebook(command) and is_inside(command[0])):
                continue
            if set_up_filter(self.session.workspace.git, command[0], python=sys.executable):
                self.wrote.append(ATTRIBUTES)
                note = f"Git takes notebooks without outputs from now on ({ATTRIBUTES}); the outputs in your file stay"
                self.on_event(Event(what="tell", stage=name, detail=note))

    def _parameters(self, facts: StageFacts) -> dict[str, Any]:
        """What the stage took: they become the run's parameters."""
        from mintage.pipeline.taken import taken_parameters

        if facts.used is not None:
            return {f"{facts.name}.{key}": value for key, value in flat_params(facts.parts["params"]).items()}
        return taken_parameters(facts, self.inspector.workspace.root)

    def _note(self, stage: str, lines: Iterable[str]) -> None:
        for line in lines:
            self.remarks.setdefault(stage, []).append(line)
            self.on_event(Event(what="note", stage=stage, detail=line))

    def _learn(self, facts: StageFacts, log: Path) -> tuple[StageFacts, StageOutcome]:
        from mintage.pipeline.first_run import learn_stage

        learned = learn_stage(self.inspector, facts, log=log, amend=self.amend)
        self.learned[facts.name] = learned
        if learned.diff and PROJECT_FILE not in self.wrote:
            self.wrote.append(PROJECT_FILE)
        self.on_event(Event(what="learn", stage=facts.name, learned=learned))
        return learned.facts, learned.outcome

    def _recorded(self, stage: str) -> dict[str, Any]:
        """What the record of the run keeps of a recording."""
        learned = self.learned.get(stage)
        return {} if learned is None else {"recorded": learned.summary()}

    def _lock(self, facts: StageFacts, result: StageResult) -> None:
        self._write(self._lock_of(facts, result))

    def _lock_of(self, facts: StageFacts, result: StageResult) -> Lock:
        if facts.name not in self._theirs:
            self.inspector.cache.remember(facts.key, msgspec.json.encode(result).decode())
        note(self.inspector.cache, facts.parts, facts.seen)
        return Lock(
            name=facts.name,
            what="stage",
            key=facts.key,
            parts=facts.parts,
            inputs=facts.inputs,
            outputs=result.outputs,
            run=result.run,
            use=facts.used.pin if facts.used else None,
            seen=tuple(path for path in facts.seen.code if path in facts.parts["code"]),
        )

    def _share(self, facts: StageFacts, result: StageResult) -> None:
        if self.sharing is not None:
            tell = functools.partial(self._tell_of, facts.name)
            self.sharing.offer(self.inspector, facts, result, tell)

    def _write(self, *locks: Lock) -> None:
        written = write_locks(self.inspector.workspace.root, locks)
        known = set(self.wrote)
        self.wrote += [path for path in written if path not in known]
        self.inspector.locks.update({lock.name: lock for lock in locks})

    def _name_record(self, record: str) -> None:
        """Name the record of the whole run in the locks of those that ran, and in what was shared."""
        named = [(facts, msgspec.structs.replace(made, run=record)) for facts, made in self._pending]
        self._write(*[self._lock_of(facts, made) for facts, made in named])
        for facts, made in named:
            self._share(facts, made)
        self._pending.clear()

    def close_pipeline(self) -> str | None:
        """Write the run's record once the user's stages are done, and name it in the locks of those that ran."""
        if not self.session.commit:
            return None
        self.session.take_in([path for path in self.wrote if path == PROJECT_FILE or path.startswith("models/")])
        record = self.session.write_record(self.inspector, "finished")
        self._name_record(record)
        return record

    def find_models(self) -> bool:
        """Look for models among what the stages wrote; whether mintage.yaml names new ones now."""
        if not self.learned and self.inspector.project.models:
            return False
        from mintage.pipeline.infer.find_models import find_models

        self._current = "models"
        self.found = find_models(self.inspector, learned=self.learned)
        if self.found is None:
            return False
        if self.found.diff and PROJECT_FILE not in self.wrote:
            self.wrote.append(PROJECT_FILE)
        self.on_event(Event(what="find", stage="models", found=self.found))
        return bool(self.found.diff)

    def unmade(self, models: Sequence[ImplicitStage]) -> dict[str, MintageError]:
        """The errors of models that a person named and that no stage turned out to write."""
        project = self.inspector.project
        errors = {f"model:{name}": unmade_model(project, name, where=PROJECT_FILE) for name in project.models}
        return {stage.name: error for stage in models if (error := errors.get(stage.name)) is not None}

    def attempt(
        self, models: Sequence[ImplicitStage], step: Callable[[ImplicitStage], None], failed: dict[str, MintageError]
    ) -> None:
        """Take one step with each model that has not failed: one that cannot be built does not keep the others."""
        for stage in models:
            if stage.name not in failed:
                self._current = stage.name
                try:
                    step(stage)
                except MintageError as error:
                    failed[stage.name] = error

    def prepare(self, stage: ImplicitStage) -> None:
        written = stage.prepare(self.inspector, self.session)
        if written is not None:
            self.wrote.append(written)
            self.on_event(Event(what="write", stage=stage.name, detail=written))

    def implicit(self, stage: ImplicitStage) -> None:
        inspector = self.inspector
        parts = stage.parts(inspector)
        key = cache_key(parts)
        lock = inspector.locks.get(stage.name)
        in_place = lock is not None and stage.in_place(inspector, lock)
        known = None if lock is not None and lock.key == key and in_place else inspector.known_result(key)
        action: str = plan(
            lock_key=lock.key if lock else None,
            key=key,
            in_place=in_place,
            known_result=known is not None,
            force=self.force,
        )
        found: Found | None = None
        if action == "run" and not self.force:
            from mintage.pipeline.shared.elsewhere import elsewhere
            from mintage.pipeline.shared.find import Wanted

            wanted = Wanted(name=stage.name, key=key, outputs=(stage.name,), is_model=True)
            action, known, found = elsewhere(inspector, self.sharing, wanted, self.tell)
        self.actions[stage.name] = action
        if action == "keep":
            self.on_event(Event(what="keep", stage=stage.name))
            return
        self._open()
        if known is None or action == "run":
            self._build(stage, key, parts, lock)
            return
        stage.restore(inspector, known)
        said = found.said if found is not None else ""
        self.on_event(Event(what="download" if action == "download" else "restore", stage=stage.name, detail=said))
        self._write(model_lock(stage.name, key, parts, known))

    def _build(self, stage: ImplicitStage, key: str, parts: dict[str, Any], lock: Lock | None) -> None:
        started = time.monotonic()
        why = explain(lock.parts if lock else None, parts)
        self.on_event(Event(what="start", stage=stage.name, detail="; ".join(why[:3])))
        result = stage.execute(self.inspector, self.session)
        self.inspector.cache.remember(key, msgspec.json.encode(result).decode())
        self.on_event(Event(what="end", stage=stage.name, duration_s=time.monotonic() - started))
        built = model_lock(stage.name, key, parts, result)
        self._write(built)
        if self.sharing is not None:
            self.sharing.offer_model(self.inspector, built, result, self.tell)

    def finish(self, record: str | None) -> None:
        if self.session.commit:
            self.session.runs().finish(
                self.session.id,
                status="finished",
                finished=self.session.clock(),
                record=record,
                commit_id=self.session.commit,
            )

    def fail(self, failed: Mapping[str, BaseException]) -> None:
        """Record a run that did not end well, with what ``failed`` by stage; what was finished stays usable."""
        if not self.session.commit:
            return
        status: Literal["failed", "interrupted"] = "failed"
        for name, error in failed.items():
            ended = "failed" if isinstance(error, Exception) else "interrupted"
            status = "interrupted" if ended == "interrupted" else status
            what = error.as_dict() if isinstance(error, MintageError) else {"message": type(error).__name__}
            self.session.note(name or self._current, {"action": ended, "error": what})
        record = self.session.write_record(self.inspector, status)
        self._name_record(record)
        self.session.runs().finish(self.session.id, status=status, finished=self.session.clock(), record=record)
