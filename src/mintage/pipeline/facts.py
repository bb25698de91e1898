"""Gather what decides about a stage: its key's parts, its lock, and whether its outputs are in place."""

from __future__ import annotations

import functools
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.data.checkout import place
from mintage.errors import FileMissingError, ProjectError
from mintage.pipeline.arguments import argument_text, argument_words, check_arguments
from mintage.pipeline.closure import closure, imported_names
from mintage.pipeline.environment import Environment, environment_of, named_interpreter, ready_environment
from mintage.pipeline.graph import maker_of
from mintage.pipeline.key import KEY_FORMAT
from mintage.pipeline.params import PARAMS_FILE, put_params, read_params, slice_params
from mintage.pipeline.seen.around import Around
from mintage.pipeline.seen.key import Look, Seen, joined, listed_names
from mintage.pipeline.seen.note import noted, seen_by
from mintage.record.digest import blake3_bytes
from mintage.repo.locked_python import LockedPython
from mintage.repo.locks import Item, Lock, read_locks
from mintage.repo.notebook import NOTEBOOK, code_digest
from mintage.repo.project import Project, Stage
from mintage.repo.use import Pin
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

if TYPE_CHECKING:  # few projects use another repository
    from mintage.pipeline.uses.pipeline import Member
    from mintage.pipeline.uses.used import Used

__all__ = ["Inspector", "StageFacts", "StageResult", "flat_params", "split_command"]

_UNQUOTED = re.compile(r"""[ !#-&(-\[\]-~]*""")


class StageResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key led to, as remembered in the cache: outputs and the record of the run that made them.

    ``metrics`` are (name, value, step); None stands for a value that is not finite. ``mlflow`` is the record of what
    the command logged with MLflow.
    """

    outputs: tuple[Item, ...]
    run: str | None
    metrics: tuple[tuple[str, float | None, int], ...] = ()
    root: str | None = None
    record: str | None = None
    mlflow: str | None = None


@dataclass(frozen=True, kw_only=True)
class StageFacts:
    """One stage as it stands: command, environment, parts and key, declared inputs by digest, its lock; ``in_place`` if
    the work tree holds the lock's outputs and the store the record of the run that made them; ``used``: what it uses
    of another repository, whose paths and code the parts name then; ``seen`` which of the parts a run was seen to use,
    ``around`` the code that its run may use without naming it, once ``Inspector.placing`` found that; ``sandbox``:
    whether what it does not declare is closed to it."""

    name: str
    stage: Stage
    command: list[str]
    environment: Environment
    parts: dict[str, Any]
    key: str
    inputs: tuple[Item, ...]
    lock: Lock | None
    in_place: bool
    used: Used | None = None
    seen: Seen = field(default_factory=Seen)
    around: tuple[str, ...] = ()
    sandbox: bool = False


class Inspector:
    """Looks at stages of one project with one set of parameters, each stage in its own environment."""

    def __init__(self, workspace: Workspace, cache: StatCache) -> None:
        self.workspace = workspace
        self.cache = cache
        self.store = Store(workspace.store_dir)
        self.project: Project = workspace.project()
        self.params = read_params(workspace.root, self.project.params, keep=workspace.parsed_dir / PARAMS_FILE)
        self.locks = read_locks(workspace.root)
        self._environments: dict[str | LockedPython | None, Environment] = {}
        self._ready: set[LockedPython] = set()
        self._images: set[str] = set()
        self._imported: dict[str, list[tuple[int, str]]] = {}
        self.pins: dict[str, Pin] = {}
        self._expected = False
        self._around = Around(workspace)
        self.sandbox = False

    def reload_project(self) -> None:
        """Read mintage.yaml again, after a run wrote it, which tells itself of a model that no stage writes."""
        self.project = self.workspace.project(allow_unmade=True)
        self._around = Around(self.workspace)  # what is an output now is no code around a stage

    def environment(self, stage: str | None) -> Environment:
        """The environment of ``stage``; None: of the project. Raises InterpreterError if it cannot be used."""
        if stage in self.project.stages and (image := self.project.stages[stage].image) is not None:
            from mintage.pipeline.container.contain import image_environment

            return image_environment(image)
        named = named_interpreter(self.project, stage)
        if named not in self._environments:
            self._environments[named] = environment_of(self.workspace, self.cache, named)
        return self._environments[named]

    def ready(self, facts: StageFacts, tell: Callable[[str], None]) -> StageFacts:
        """``facts`` with an environment that is there: one of a lock is built, or looked through, once a run."""
        if facts.stage.image is not None:
            self._have_image(facts.stage.image, tell)
            return facts
        named = named_interpreter(self.project, facts.name)
        if not isinstance(named, LockedPython) or "environment" not in facts.parts:
            return facts
        if named not in self._ready:
            self._environments[named] = ready_environment(self.workspace, self.cache, named, tell=tell)
            self._ready.add(named)
        return replace(facts, environment=self._environments[named])

    def _have_image(self, image: str, tell: Callable[[str], None]) -> None:
        """Have the image here, once a run."""
        from mintage.pipeline.container.engine import find_engine, have_image, sweep

        if image not in self._images:
            engine = find_engine()
            sweep(engine)
            have_image(engine, image, tell=tell)
            self._images.add(image)

    def facts(self, name: str) -> StageFacts:
        """What decides about stage ``name``; its inputs must be there (``fetch`` brings stored ones back)."""
        stage = self.project.stages[name]
        self._expect()
        inputs = tuple(self.item(path.rstrip("/"), name) for path in stage.inputs)
        used = None if stage.use is None else self._used(name, stage)
        written, params, root, items = stage, self.params, self.workspace.root, inputs
        if used is not None:
            from mintage.pipeline.uses.used import renamed

            written, params, root = used.stage or stage, used.params, used.root
            items = (*renamed(used.use, inputs), *used.fixed)
        environment = self.environment(name)
        if used is not None and used.pipeline:
            from mintage.pipeline.uses.pipeline import joined_parts

            outside = {item.path: item for item in items}
            used = replace(used, members=tuple(self._members(name, used, outside)))
            command, parts = [stage.run], joined_parts(used.members, inputs={p: i.digest for p, i in outside.items()})
        else:
            command = self._command(name, written, params)
            parts = self._parts(name, written, command, params=params, root=root, items=items)
        if used is not None:
            from mintage.pipeline.uses.used import used_part

            parts["use"] = used_part(used)
            if not used.use.runs:
                del parts["environment"]  # nothing runs: the files are what they are
        lock = self.locks.get(name)
        project = self.project if used is None else used.project
        parts, key, seen = joined(
            parts, seen_by(lock), key=lock.key if lock else None, look=lambda: self._look(root, project, written)
        )
        return StageFacts(
            name=name,
            stage=stage,
            command=[*command, *argument_words(written.args)],
            environment=environment,
            parts=parts,
            key=key,
            inputs=inputs,
            lock=lock,
            in_place=lock is not None and self.is_recorded(lock.run) and self.in_place(lock.outputs),
            used=used,
            seen=seen,
            sandbox=self.sandbox and stage.image is None,  # a container has walls of its own
        )

    def _command(self, name: str, stage: Stage, params: Mapping[str, Any]) -> list[str]:
        command = put_params(split_command(stage.run, name), params, stage=name, place=self._place_of_param(name))
        check_arguments(command, stage.args, stage=name)
        return command

    def _members(self, name: str, used: Used, outside: Mapping[str, Item]) -> Iterator[Member]:
        from mintage.pipeline.uses.pipeline import Member, plain

        for each, stage in used.pipeline.items():
            command = self._command(name, stage, used.params)
            items = tuple(outside[plain(path)] for path in stage.inputs if plain(path) in outside)
            parts = self._parts(name, stage, command, params=used.params, root=used.root, items=items)
            yield Member(name=each, stage=stage, command=[*command, *argument_words(stage.args)], parts=parts)

    def _expect(self) -> None:
        """Have what is known of all declared files looked up at once, before the first of them is asked for."""
        if not self._expected:
            self._expected = True
            stages = self.project.stages.values()
            paths = dict.fromkeys(path.rstrip("/") for stage in stages for path in (*stage.inputs, *stage.outputs))
            self.cache.expect([f"{self.workspace.root}/{path}" for path in paths])

    def _look(self, root: Path, project: Project, stage: Stage) -> Look:
        """How what runs of the stage saw stands now."""

        @functools.cache
        def around() -> list[str]:
            return self._around.of_stage(root, project, stage)

        return Look(
            digest=lambda path: self.code_digest(path, root) if (root / path).is_file() else None,
            names=lambda folder: listed_names(around(), folder),
            lacks=lambda path: path not in around(),
            noted=lambda key: noted(self.cache, key),
            has=lambda key: self.cache.result(key) is not None,
        )

    def placing(self, facts: StageFacts) -> StageFacts:
        """``facts`` with the code around the stage, for its run."""
        if facts.stage.image is not None:
            return facts  # what it uses in a container nobody sees
        used = facts.used
        root, project = (self.workspace.root, self.project) if used is None else (used.root, used.project)
        stage = facts.stage if used is None or used.stage is None else used.stage
        return replace(facts, around=tuple(self._around.of_stage(root, project, stage)))

    def _parts(
        self,
        name: str,
        stage: Stage,
        command: list[str],
        *,
        params: Mapping[str, Any],
        root: Path,
        items: tuple[Item, ...],
    ) -> dict[str, Any]:
        code = closure(command, stage.code, root, names_of=lambda path: self.imported(path, root))
        parts: dict[str, Any] = {
            "format": KEY_FORMAT,
            "command": command,
            "params": slice_params(params, stage.params, stage=name, place=self._place_of_param(name)),
            "inputs": {item.path: item.digest for item in items},
            "code": {path: self.code_digest(path, root) for path in code},
            "environment": self.environment(name).key,
            "seed": stage.seed,
            "threads": stage.threads,
            # A variable may hold a secret: its value enters the key only as a digest.
            "env": {key: blake3_bytes(os.environ[key].encode()) for key in sorted(stage.env) if key in os.environ},
            "outputs": sorted(stage.outputs),
        }
        if not stage.network:
            parts["network"] = False
        if stage.determinism != "off":
            parts["determinism"] = stage.determinism
        if stage.reads:
            from mintage.pipeline.outside_reads import read_digests

            where = self._place_of_reads(name)
            parts["reads"] = read_digests(stage.reads, self.cache, stage=name, where=where)
        if stage.args:  # as the words that the command gets: 1 and 1.0 are two things there
            parts["args"] = {key: argument_text(value) for key, value in stage.args.items()}
        return parts

    def pin(self, name: str, *, update: bool) -> list[str]:
        """Have what stage ``name`` uses fetched and pinned, if it uses something; returns what to tell of a new pin.
        Raises UseError."""
        use, lock = self.project.stages[name].use, self.locks.get(name)
        if use is None:
            return []
        from mintage.pipeline.uses.pin import pin_use

        pin = self.pins[name] = pin_use(self.workspace, use, lock, update=update)
        before = lock.use.commit[:12] if lock is not None and lock.use is not None else "not pinned"
        return [f"uses {pin.repo} at {pin.rev}: {before} -> {pin.commit[:12]}"] if before != pin.commit[:12] else []

    def _used(self, name: str, stage: Stage) -> Used:
        """What the stage uses, at the commit that this run or its lock pinned."""
        from mintage.pipeline.uses.used import open_used, pinned

        pin = self.pins.get(name) or (pinned(stage.use, self.locks.get(name)) if stage.use else None)
        return open_used(self.workspace, self.cache, name, stage, pin)

    def imported(self, path: str, root: Path) -> list[tuple[int, str]]:
        """What the module at ``path`` imports; its text is parsed once for all stages and commands."""
        full = f"{root}/{path}"
        digest = self.cache.file_digest(full)
        known = self._imported.get(digest)
        if known is None:
            text = self.cache.result(f"imports:{digest}")
            if text is None:
                text = msgspec.json.encode(imported_names(Path(full).read_bytes(), path)).decode()
                self.cache.remember(f"imports:{digest}", text)
            known = self._imported[digest] = msgspec.json.decode(text, type=list[tuple[int, str]])
        return known

    def code_digest(self, path: str, root: Path) -> str:
        """The digest of a code file; of a notebook that of what its run depends on, without prose and outputs."""
        full = f"{root}/{path}"
        digest = self.cache.file_digest(full)
        if not path.endswith(NOTEBOOK):
            return digest
        known = self.cache.result(f"notebook:{digest}")
        if known is None:
            known = code_digest(Path(full).read_bytes(), where=path)
            self.cache.remember(f"notebook:{digest}", known)
        return known

    def item(self, path: str, stage: str) -> Item:
        """The input at ``path`` by digest; raises FileMissingError with what to do."""
        full = f"{self.workspace.root}/{path}"
        found = self.cache.find(full)
        if found is None:
            maker = maker_of(self.project.stages, path)
            if maker:
                hint = f"stage {maker} writes it: run that first"
            elif any(item.path == path for lock in self.locks.values() for item in (*lock.inputs, *lock.outputs)):
                hint = "`mintage pull` brings what was pushed; or copy it here from where it was last run or added"
            else:
                hint = f"put it there, or `mintage add {path}`"
            raise FileMissingError(
                f"stage {stage} reads {path}, which is not there",
                expected=full,
                where=self._place_of_input(stage, path),
                hint=hint,
            )
        digest, size, folder = found
        return Item(path=path, digest=digest, size=size, folder=folder)

    def _place_of_input(self, name: str, path: str) -> str:
        from mintage.pipeline.places import input_place

        return input_place(self.workspace.root, name, self.project.stages[name], path)

    def _place_of_param(self, name: str) -> Callable[[str], str]:
        def place(key: str) -> str:
            from mintage.pipeline.places import param_place

            return param_place(self.workspace.root, name, self.project.stages[name], key)

        return place

    def _place_of_reads(self, name: str) -> Callable[[], str]:
        def place() -> str:
            from mintage.pipeline.places import place_in

            return place_in(self.workspace.root, name, "reads")

        return place

    def fetch(self, path: str) -> bool:
        """Bring back a missing file that a lock names and the store has; returns whether it did."""
        if os.path.exists(f"{self.workspace.root}/{path}"):  # noqa: PTH110 as text: faster
            return False
        for lock in self.locks.values():
            for item in lock.outputs:
                if item.path == path and self.store.has(item.digest):
                    place(self.store, item, self.workspace.root / path)
                    return True
        return False

    def is_recorded(self, run: str | None) -> bool:
        """Whether the store has the record of that run; without it nothing can be proven of what it made."""
        return run is not None and self.store.has(run)

    def metrics(self, name: str) -> dict[str, float]:
        """The metrics of a stage, from the record of the run that its lock names; empty if that is not there."""
        lock = self.locks.get(name)
        if lock is None or lock.run is None or not self.store.has(lock.run):
            return {}
        stage = self.store.get_record(lock.run).body["stages"].get(name, {})  # a run, or what was adopted
        return {key: float(value) for key, value in stage.get("metrics", {}).items()}

    def in_place(self, outputs: tuple[Item, ...]) -> bool:
        """Whether the work tree holds exactly these outputs."""
        for item in outputs:
            found = self.cache.find(f"{self.workspace.root}/{item.path}")
            if found is None or found[0] != item.digest:
                return False
        return True

    def known_result(self, key: str) -> StageResult | None:
        """The result remembered under a key, if all its bytes and the record of its run are in the store."""
        text = self.cache.result(key)
        if text is None:
            return None
        result = msgspec.json.decode(text, type=StageResult)
        named = [digest for digest in (result.record, result.mlflow) if digest is not None]
        if not self.is_recorded(result.run) or not all(map(self.store.has, named)):
            return None
        for item in result.outputs:
            if not self.store.has(item.digest):
                return None
            if item.folder and not all(self.store.has(e.digest) for e in self.store.get_tree(item.digest).entries):
                return None
        return result


def split_command(run: str, stage: str) -> list[str]:
    """The words of a command; no shell is involved. Raises ProjectError if it is empty or has open quotes."""
    try:
        # What has nothing to unquote is split at its spaces: the same words, twenty times as fast.
        words = run.split() if _UNQUOTED.fullmatch(run) else shlex.split(run)
    except ValueError as error:
        raise ProjectError(
            f"the command of stage {stage} cannot be read", found=str(error), where=run, hint="close its quotes"
        ) from error
    if not words:
        raise ProjectError(f"stage {stage} has an empty command", where="mintage.yaml")
    return words


def flat_params(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters with dotted names, for the tracking database."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat_params(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
