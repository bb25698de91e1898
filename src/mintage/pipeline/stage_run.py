"""Run one stage: fill the scratch folder from the store, run the command, keep its outputs, read its metrics."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mintage.errors import DataError, DiskTooFullError, NotPortableError, ProjectError, StageOutputMissingError
from mintage.pipeline.determinism import needs_avx2, variables
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.hardware import has_avx2
from mintage.pipeline.linker import Linker
from mintage.pipeline.notebook.start import executed_beside, keeping_executed, stage_command
from mintage.pipeline.offline import cut_off
from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.reading import SPARE
from mintage.pipeline.sandbox import Finished, Scratch, stage_environment
from mintage.pipeline.secret_file import masking
from mintage.pipeline.seen.key import Saw
from mintage.pipeline.seen.observe import saw_in
from mintage.pipeline.seen.place import place_sources
from mintage.pipeline.seen.sources import narrowed
from mintage.pipeline.settle import unnamed
from mintage.pipeline.stage_capture import keep_declared, watch_stage
from mintage.pipeline.stage_data import files_of
from mintage.pipeline.stage_failure import changed_meanwhile, changes_input, failure
from mintage.repo.locks import Item
from mintage.repo.notebook import NOTEBOOK, strip_notebook
from mintage.repo.project import ModelEntry, Stage
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

if TYPE_CHECKING:
    from mintage.pipeline.mlflow_log.keep import KeptLog
    from mintage.pipeline.mlflow_log.logged import Logged
    from mintage.pipeline.recording.recording import Recording
    from mintage.pipeline.walls.enclosed import Within

__all__ = [
    "StageOutcome",
    "check_room",
    "entered",
    "environment_of_stage",
    "execute_stage",
    "keep_inputs",
    "keep_outcome",
    "level_variables",
]

_METRIC_LIMIT = 100_000


@dataclass(frozen=True, kw_only=True)
class StageOutcome:
    """What a command made: outputs in the store, metrics as (name, value, step), how it ended, digests of its log
    and, of a notebook, of the executed one, and what it logged with MLflow; ``remarks`` are what a person should know
    of it, ``seeds`` the calls that seeded, ``used`` the numeric libraries that its processes had loaded, ``saw`` what
    it used of the code around it (None: nobody looked), ``sandbox`` how it was closed off, if it should be; of one that
    ran elsewhere ``worker`` says what and on what, and ``variables`` what its determinism level set there."""

    outputs: tuple[Item, ...]
    metrics: tuple[tuple[str, float, int], ...]
    finished: Finished
    log: str
    notebook: str | None = None
    remarks: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    used: tuple[dict[str, Any], ...] = ()
    mlflow: KeptLog | None = None
    saw: Saw | None = None
    sandbox: str | None = None
    worker: dict[str, Any] | None = None
    variables: dict[str, str] | None = None


def keep_inputs(store: Store, root: Path, items: Sequence[Item]) -> None:
    """Put inputs that the store lacks into it, so that the run can be repeated from its record."""
    for item in items:
        if not store.has(item.digest):
            digest = store.put_tree(root / item.path) if item.folder else store.put_file(root / item.path)
            if digest != item.digest:
                raise DataError(
                    f"{item.path} changed while it was read", expected=item.digest, found=digest, hint="run again"
                )


def check_room(store: Store, facts: StageFacts, *, copied: Sequence[Item]) -> None:
    """Raise DiskTooFullError if the disk cannot take what the store lacks of the inputs, and a copy of ``copied``.

    It is asked before a byte is copied: a full disk harms more than this run.
    """
    lacking = [item for item in facts.inputs if not store.has(item.digest)]
    needed = sum(item.size for item in lacking) + sum(item.size for item in copied)
    free = shutil.disk_usage(store.root.parent).free
    if facts.inputs and needed + SPARE > free:
        largest = max(facts.inputs, key=lambda item: item.size)
        raise DiskTooFullError(
            f"the disk has no room for the inputs of stage {facts.name}",
            expected=f"{_gigabytes(needed + SPARE)} free: a copy of each input for the store and for the stage",
            found=f"{_gigabytes(free)}; the largest input is {largest.path} with {_gigabytes(largest.size)}",
            where=str(store.root),
            hint="free some space, move the project to a larger disk, or let the stage read less",
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def execute_stage(
    workspace: Workspace,
    facts: StageFacts,
    *,
    models: Mapping[str, ModelEntry],
    log: Path,
    known: Callable[[Path], str | None],
    stop: Callable[[], bool] = lambda: False,
) -> StageOutcome:
    """Run the command of ``facts`` in a scratch folder; ``models`` are the project's, ``known`` gives the digest of a
    file if it needs no read. The command is ended where ``stop`` says so.

    Raises StageFailedError with the last lines of its output, and StageStoppedError.
    """
    from mintage.pipeline.mlflow_log.read import read_logged
    from mintage.pipeline.recording.compare import compare
    from mintage.pipeline.recording.leave_out import leave_out
    from mintage.pipeline.walls.close import way
    from mintage.pipeline.walls.denied import explained, went_on

    store = Store(workspace.store_dir)
    linker = _linker(workspace, facts, known)
    check_room(store, facts, copied=[item for item in facts.inputs if not linker.can_link(item)])
    keep_inputs(store, workspace.root, facts.inputs)
    with Scratch(workspace.tmp_dir) as scratch:
        _fill(scratch, store, facts, workspace.root, linker)
        placed = _place_around(workspace, facts, scratch)
        recording = _observed(facts, workspace, scratch, log=log, links=linker.links, stop=stop)
        if recording.finished.exit_code != 0:
            here = workspace.root == workspace.state.parent
            error = failure(facts, recording.finished, log=log, root=workspace.root, asked=recording.asked, here=here)
            raise explained(error, facts, recording, root=workspace.root, work=scratch.work, log=log)
        if recording.changed_inputs:
            raise changes_input(facts, recording.changed_inputs, root=workspace.root)
        if recording.unsteady:
            raise changed_meanwhile(facts, recording.unsteady, root=workspace.root)
        recording, denied = went_on(facts, recording, root=workspace.root, work=scratch.work, log=log)
        logged = read_logged(scratch.work, without=facts.stage.inputs)
        if facts.stage.captured:
            keep_declared(scratch, facts.name, facts.stage, models)
        outcome = keep_outcome(
            store, scratch, facts.name, facts.stage, finished=recording.finished, log=log, logged=logged
        )
        saw = saw_in(recording, among=unnamed(facts, placed), around=facts.around, work=scratch.work)
    own = replace(recording, before=tuple(path for path in recording.before if path not in placed))
    remarks = compare(leave_out(own, logged), facts.stage, new_inputs=_are_new(facts))
    return replace(
        outcome,
        remarks=(*denied, *remarks),
        sandbox=way() if facts.sandbox else None,
        seeds=recording.seeds,
        used=recording.used,
        saw=saw,
    )


def _place_around(workspace: Workspace, facts: StageFacts, scratch: Scratch) -> set[str]:
    """Put the code around the stage beside what it declares; returns the paths."""
    paths = narrowed(facts.around, facts.parts["code"])
    where = {"root": workspace.root, "work": scratch.work, "pool": workspace.code_dir}
    return set(place_sources(paths, **where, now_ns=time.time_ns()))


def _observed(
    facts: StageFacts,
    workspace: Workspace,
    scratch: Scratch,
    *,
    log: Path,
    links: Mapping[str, Path],
    stop: Callable[[], bool],
) -> Recording:
    """Run the command in the filled scratch folder, and what it did there; ``links`` cannot be written through."""
    from mintage.pipeline.recording.mirror import filled
    from mintage.pipeline.recording.protect import closing
    from mintage.pipeline.recording.record import observe
    from mintage.pipeline.walls.enclosed import Within, enclosed

    root, environment = workspace.root, environment_of_stage(scratch, facts)
    command = stage_command(
        facts.command, root=root, scratch=scratch, environment=facts.environment, params=facts.parts["params"]
    )
    made = filled(root, scratch.work, links=links)
    with contextlib.ExitStack() as around:
        thin = bool(links) and not facts.sandbox
        before = around.enter_context(closing(made.protected, writable=[scratch.base])) if thin else None
        within = Within(before, environment)
        if facts.sandbox:
            closed = enclosed(workspace, facts, within, scratch=scratch, command=command, links=links, log=log)
            within = around.enter_context(closed)
        hidden = [environment[name] for name in facts.stage.secrets]
        around.enter_context(masking(log, executed_beside(log), root=root, environment=environment, hidden=hidden))
        around.enter_context(keeping_executed(scratch, log))
        if facts.stage.image is not None:
            command, environment = around.enter_context(_in_image(facts, command, scratch, environment))
        return observe(
            command,
            made=made,
            scratch=scratch,
            environment=watch_stage(scratch, within.variables) if facts.stage.captured else within.variables,
            log=log,
            python=facts.environment.python,
            libraries=(*facts.environment.folders, *facts.environment.prefixes),
            timeout_s=facts.stage.timeout_s,
            before=within.before if facts.stage.network or facts.stage.image is not None else cut_off(within.before),
            stop=stop,
            walls=within.walls,
        )


def _linker(workspace: Workspace, facts: StageFacts, known: Callable[[Path], str | None]) -> Linker:
    """What links inputs; nothing for a stage in a container, which cannot be kept from writing through a link."""
    return Linker(workspace.root, known if facts.stage.image is None else lambda _: None)


def _in_image(
    facts: StageFacts, command: Sequence[str], scratch: Scratch, variables: Mapping[str, str]
) -> contextlib.AbstractContextManager[tuple[list[str], dict[str, str]]]:
    from mintage.pipeline.container.contain import contained

    stage = facts.stage
    return contained(str(stage.image), command, scratch=scratch, variables=variables, network=stage.network)


@contextlib.contextmanager
def entered(
    workspace: Workspace, facts: StageFacts, *, known: Callable[[Path], str | None]
) -> Iterator[tuple[Path, list[str], Within]]:
    """The filled scratch folder of a stage, its command, and what this sees and calls first; deleted with the block.

    Inputs are copied, never linked: what is done by hand is watched by nobody.
    """
    if facts.used is not None:
        raise ProjectError(
            f"stage {facts.name} is one of {facts.used.use.repo}",
            where="mintage.yaml",
            hint="open the shell in a clone of that repository",
        )
    if facts.stage.image is not None:
        raise ProjectError(
            f"stage {facts.name} runs in a container",
            found=facts.stage.image,
            where="mintage.yaml",
            hint=f"`docker run -it {facts.stage.image} sh` opens a shell in its image",
        )
    from mintage.pipeline.walls.enclosed import Within, enclosed

    store = Store(workspace.store_dir)
    check_room(store, facts, copied=facts.inputs)
    keep_inputs(store, workspace.root, facts.inputs)
    with Scratch(workspace.tmp_dir) as scratch:
        _fill(scratch, store, facts, workspace.root, Linker(workspace.root, lambda _: None))
        _place_around(workspace, facts, scratch)
        environment = environment_of_stage(scratch, facts)
        command = stage_command(
            facts.command,
            root=workspace.root,
            scratch=scratch,
            environment=facts.environment,
            params=facts.parts["params"],
        )
        with contextlib.ExitStack() as around:
            within = Within(None, environment)
            if facts.sandbox:
                closed = enclosed(workspace, facts, within, scratch=scratch, command=command, links={}, log=None)
                within = around.enter_context(closed)
            yield scratch.work, command, within


def environment_of_stage(scratch: Scratch, facts: StageFacts) -> dict[str, str]:
    """The variables that the command of ``facts`` sees; those of its determinism level come last."""
    known = stage_environment(
        scratch,
        seed=facts.stage.seed,
        threads=facts.stage.threads,
        declared=(*facts.stage.env, *_given_secrets(facts)),
        environment=facts.environment,
    )
    return known | level_variables(facts)


def level_variables(facts: StageFacts) -> dict[str, str]:
    """What the determinism level of ``facts`` sets here; raises NotPortableError where this machine cannot keep it."""
    stage, machine = facts.stage, platform.machine()
    if needs_avx2(stage.determinism, machine) and not has_avx2():
        raise NotPortableError(
            f"stage {facts.name} cannot run as `determinism: portable` on this processor",
            expected="a processor with AVX2, whose code paths are used everywhere",
            where="mintage.yaml",
            hint="run it on another machine, or declare `determinism: same-machine`",
        )
    numpy = facts.environment.version_of("numpy")
    return variables(stage.determinism, seed=stage.seed, threads=stage.threads, machine=machine, numpy=numpy)


def _given_secrets(facts: StageFacts) -> tuple[str, ...]:
    """The declared secrets; raises ProjectError for one that is not set, before the command fails less clearly."""
    for name in facts.stage.secrets:
        if not os.environ.get(name):
            raise ProjectError(
                f"stage {facts.name} needs the secret {name}, which is not set",
                where="mintage.yaml",
                hint=f"set the variable {name}; its value is passed on, masked in logs, and never kept",
            )
    return facts.stage.secrets


def _are_new(facts: StageFacts) -> bool:
    """Whether the stage declares other inputs than when it last ran."""
    last = facts.lock.inputs if facts.lock is not None else ()
    return {item.path for item in last} != {item.path for item in facts.inputs}


def keep_outcome(
    store: Store, scratch: Scratch, name: str, stage: Stage, *, finished: Finished, log: Path, logged: Logged
) -> StageOutcome:
    """Put the outputs of stage ``name`` from its scratch folder, its log and what it ``logged`` into the store; read
    its metrics."""
    from mintage.pipeline.mlflow_log.keep import keep_logged
    from mintage.pipeline.mlflow_log.models import place_models

    place_models(logged, scratch.work, stage=name, outputs=stage.out)
    outputs = tuple(_keep(store, scratch.work, path, name) for path in stage.outputs)
    metrics = _reported(scratch.private / "metrics.jsonl") + _from_files(scratch.work, name, stage.metrics)
    kept = keep_logged(store, logged, stage=name, taken={key for key, _, _ in metrics})
    executed = executed_beside(log)
    return StageOutcome(
        outputs=outputs,
        metrics=tuple(metrics),
        finished=finished,
        log=store.put_file(log),
        notebook=store.put_file(executed) if executed.is_file() else None,
        mlflow=kept,
    )


def _fill(scratch: Scratch, store: Store, facts: StageFacts, root: Path, linker: Linker) -> None:
    for item in facts.inputs:
        if item.folder:
            (scratch.work / item.path).mkdir(parents=True, exist_ok=True)
        programs = (
            {entry.path for entry in store.get_tree(item.digest).entries if entry.executable} if item.folder else ()
        )
        for file in files_of(item, store):
            if not linker.link(file, scratch.work):
                store.checkout(file.digest, scratch.work / file.path, executable=file.path in programs)
    for path in facts.parts["code"]:
        target = scratch.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = root / path
        data = source.read_bytes()
        target.write_bytes(strip_notebook(data, where=path) if path.endswith(NOTEBOOK) else data)
        target.chmod(source.stat().st_mode & 0o755)
    for path in facts.stage.outputs:
        (scratch.work / path).parent.mkdir(parents=True, exist_ok=True)
    (scratch.private / "params.json").write_text(json.dumps(facts.parts["params"]))
    _write_params(scratch.work / PARAMS_FILE, facts, root)


def _write_params(target: Path, facts: StageFacts, root: Path) -> None:
    """For a script that opens params.yaml itself: the declared slice of it, unless all of it is an input."""
    if facts.parts["params"] and (root / PARAMS_FILE).is_file() and not target.exists():
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        target.write_text(yaml.dump(facts.parts["params"], Dumper=dumper, sort_keys=False, allow_unicode=True))


def _keep(store: Store, work: Path, path: str, stage: str) -> Item:
    made = work / path.rstrip("/")
    if not made.exists():
        raise StageOutputMissingError(
            f"stage {stage} ended well but did not write {path}",
            expected=path,
            found=", ".join(sorted(p.name for p in made.parent.iterdir())) if made.parent.is_dir() else None,
            hint="correct `out:` of the stage, or let its command write the file",
        )
    if made.is_dir():
        digest = store.put_tree(made)
        return Item(path=path.rstrip("/"), digest=digest, size=store.get_tree(digest).size, folder=True)
    return Item(path=path, digest=store.put_file(made), size=made.stat().st_size)


def _reported(path: Path) -> list[tuple[str, float, int]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines()[:_METRIC_LIMIT]:
        entry = json.loads(line)
        found.append((str(entry["key"]), float(entry["value"]), int(entry["step"])))
    return found


def _from_files(work: Path, stage: str, paths: Sequence[str]) -> list[tuple[str, float, int]]:
    found: list[tuple[str, float, int]] = []
    for path in paths:
        try:
            value = json.loads((work / path).read_bytes())
        except ValueError as error:
            raise DataError(
                f"the metrics file {path} of stage {stage} is not JSON", found=str(error), where=path
            ) from error
        found += _numbers(value, "")
    return found[:_METRIC_LIMIT]


def _numbers(value: Any, name: str) -> list[tuple[str, float, int]]:
    if isinstance(value, dict):
        return [entry for key, item in value.items() for entry in _numbers(item, f"{name}.{key}" if name else str(key))]
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isinf(value):
        return [(name or "value", float(value), 0)]
    return []
