"""``mintage reproduce``: run the pipeline of a commit again in an empty place, and compare stage by stage.

Code comes from the commit, inputs by digest from stores, the interpreter is the recorded one or built from the lock;
the cache is empty and the network closed. Nothing else of the clone is touched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintage.attest.keys import ensure_project_key
from mintage.database.connection import open_database
from mintage.errors import NetworkOpenError, NothingRecordedError
from mintage.pipeline.environment import named_interpreter
from mintage.pipeline.events import Event
from mintage.pipeline.graph import maker_of, order
from mintage.pipeline.hardware import hardware
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.offline import way
from mintage.pipeline.reproduce.compare import Nearness
from mintage.pipeline.reproduce.environment import Chosen, choose, choose_locked
from mintage.pipeline.reproduce.fresh import fresh, set_up
from mintage.pipeline.reproduce.judge_stage import judge_model, judge_stage
from mintage.pipeline.reproduce.sources import Sources, outside_items
from mintage.pipeline.reproduce.verdict import Reproduction, StageVerdict, what_differs
from mintage.pipeline.run import run_pipeline
from mintage.repo.locked_python import LockedPython
from mintage.repo.locks import Lock, read_locks
from mintage.repo.project import Project
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache
from mintage.tracking.runs import RunStore

__all__ = ["How", "reproduce"]


@dataclass(frozen=True, kw_only=True)
class How:
    """Which commit, which of its models (None: all that it records), from which stores, and how strictly.

    ``independent``: with an environment built from the lock. ``network``: left open. ``clock`` and ``actor`` are for
    the records of the rebuild, which go with it.
    """

    commit: str
    target: str
    model: str | None
    sources: Sources
    independent: bool
    network: bool
    tolerance: float
    clock: Callable[[], str]
    actor: str


def reproduce(workspace: Workspace, how: How, *, on_event: Callable[[Event], None] = lambda _: None) -> Reproduction:
    """Rebuild, and say how near it came. Raises what keeps it from being rebuilt."""
    network = _network(how)
    with fresh(workspace, how.commit) as tree:
        project, locks = tree.project(allow_unmade=True), read_locks(tree.root)
        names = _recorded(project, locks, how)
        _check_code(tree, names, locks, how)
        how.sources.bring(outside_items(locks.values()), tree)
        chosen = _interpreters(workspace, tree, locks, how, on_event=on_event)
        interpreters = {named: use.python for named, use in chosen.items() if use.python is not None}
        set_up(tree, interpreters=interpreters, closed=network == "closed")
        _run(tree, how, on_event)
        stages = _compare(
            project, locks, read_locks(tree.root), names=names, how=how, made=Sources([Store(tree.store_dir)])
        )
    body = next((body for name in names if (body := how.sources.body(locks[name].run))), {})
    packages = dict.fromkeys(line for use in chosen.values() for line in use.differs)
    here = hardware()
    return Reproduction(
        commit=how.commit,
        target=how.target,
        stages=tuple(stages),
        models={name: str(locks[name].root) for name in names if locks[name].what == "model"},
        independent=how.independent,
        network=network,
        tolerance=how.tolerance,
        environments=tuple(_described(named, use) for named, use in chosen.items()),
        hardware=here,
        differs=(*what_differs(body.get("hardware", {}), here, skip=("memory_bytes",)), *packages),
    )


def _network(how: How) -> str:
    """``open``, ``closed``, or ``not closable``; raises NetworkOpenError where an independent one cannot close it."""
    if how.network:
        return "open"
    if way() != "none":
        return "closed"
    if how.independent:
        raise NetworkOpenError(
            "an independent reproduction needs the network closed, which this machine cannot do",
            expected="Linux with user namespaces or seccomp",
            hint="run it on such a machine, or leave the network open with --network",
        )
    return "not closable"


def _recorded(project: Project, locks: Mapping[str, Lock], how: How) -> list[str]:
    """The names of the locks to compare, in running order; raises NothingRecordedError."""
    stages = project.stages
    maker = maker_of(stages, project.models[how.model].source) if how.model is not None else None
    models = [f"model:{name}" for name in project.models if how.model in (None, name)]
    names = [*order(stages, target=maker), *models]
    missing = [name for name in names if name not in locks or locks[name].key is None]
    if missing or not names:
        raise NothingRecordedError(
            f"{how.commit[:12]} does not record what its stages made",
            expected="a lock in mintage.lock/ for each",
            found=f"none for {', '.join(missing[:5])}" if missing else "no stages",
            hint="name a revision that has them, or `mintage run` and commit mintage.lock",
        )
    return names


def _check_code(tree: Workspace, names: Sequence[str], locks: Mapping[str, Lock], how: How) -> None:
    """Raise NothingRecordedError if the commit lacks code that its stages ran, as when that was never committed."""
    for name in names:
        parts = locks[name].parts
        lacking = [] if "use" in parts else [path for path in parts.get("code", {}) if not (tree.root / path).is_file()]
        if lacking:
            raise NothingRecordedError(
                f"{how.commit[:12]} does not hold {lacking[0]}, which its stage {name} ran",
                expected="a commit with the code that was run",
                found=f"not in it: {', '.join(lacking[:5])}",
                hint=f"`git add {lacking[0]}` and commit it, then reproduce that commit",
            )


def _interpreters(
    workspace: Workspace, tree: Workspace, locks: Mapping[str, Lock], how: How, *, on_event: Callable[[Event], None]
) -> dict[str | LockedPython | None, Chosen]:
    """What to use for each interpreter that the stages name."""
    project, found = tree.project(allow_unmade=True), dict[str | LockedPython | None, Chosen]()
    with StatCache(workspace.cache_database) as cache:
        for name in order(project.stages):
            named, lock = named_interpreter(project, name), locks.get(name)
            if project.stages[name].image is not None:  # its digest is all that there is to say
                continue
            if named in found or lock is None:
                continue
            body = how.sources.body(lock.run)
            recorded = how.sources.json(body.get("stages", {}).get(name, {}).get("environment"))
            given: dict[str, Any] = {"recorded": recorded, "key": lock.parts.get("environment")}

            def tell(text: str, about: str = str(named or "python")) -> None:
                on_event(Event(what="tell", stage=about, detail=text))

            if isinstance(named, LockedPython):
                found[named] = choose_locked(tree, cache, named, **given, tell=tell)
            else:
                given["build"] = how.independent
                found[named] = choose(workspace, tree, cache, named=named, **given, tell=tell)
            tell(_said(found[named]))
    return found


def _run(tree: Workspace, how: How, on_event: Callable[[Event], None]) -> None:
    """Run all of it, whatever the locks say, with a database and a key of its own."""
    with contextlib.closing(open_database(tree.database)) as connection:
        runs = RunStore(connection, lambda *_, **__: None)
        run_pipeline(
            tree,
            runs=lambda: runs,
            clock=how.clock,
            actor=lambda: how.actor,
            implicit=lambda: model_stages(tree, signer=lambda: ensure_project_key(tree.keys_dir)),
            force=True,
            sandbox=True,
            on_event=on_event,
        )


def _compare(
    project: Project, old: Mapping[str, Lock], new: Mapping[str, Lock], *, names: list[str], how: How, made: Sources
) -> list[StageVerdict]:
    """The verdicts in the order of ``names``; models are judged first, for what they say of their estimators."""
    told: dict[str, Any] = {"recorded": how.sources, "made": made, "tolerance": how.tolerance}
    models = {name: judge_model(old[name], new[name], **told) for name in names if old[name].what == "model"}
    near = {project.models[name.partition(":")[2]].source: Nearness(verdict.level) for name, verdict in models.items()}
    return [models.get(name) or judge_stage(old[name], new[name], models=near, **told) for name in names]


_LIKENESS = {
    "same": "the recorded environment",
    "same versions": "the recorded versions, installed otherwise",
    "another": "another environment than recorded",
    "unknown": "an environment; the recorded one is in no store",
}


def _said(use: Chosen) -> str:
    built = f", built from {use.built}" if use.built else ""
    return f"{_LIKENESS[use.likeness]}{built}" + (f" ({use.note})" if use.note else "")


def _described(named: str | LockedPython | None, use: Chosen) -> dict[str, Any]:
    return {
        "name": None if named is None else str(named),
        "likeness": use.likeness,
        "builtFrom": use.built,
        "note": use.note,
        "differs": list(use.differs),
    }
