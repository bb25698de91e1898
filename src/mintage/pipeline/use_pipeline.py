"""Run a pipeline of another repository as one stage: each of its stages in a scratch folder of its own, in order.

What a stage made is remembered under a key of its own, so a later run repeats only those that something changed for.
Metrics carry the stage's name in front. Executed notebooks, and what stages logged with MLflow, are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import UseError
from mintage.pipeline.executor import Executor
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.key import cache_key
from mintage.pipeline.sandbox import Finished
from mintage.pipeline.seen.key import Saw, without
from mintage.pipeline.seen.still import saw_all, stands
from mintage.pipeline.stage_run import StageOutcome
from mintage.pipeline.uses.pipeline import Member, plain
from mintage.pipeline.uses.used import Used, renamed
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["run_members"]


class _Made(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stage of a used pipeline made, as the cache remembers it."""

    outputs: tuple[Item, ...]
    metrics: tuple[tuple[str, float, int], ...]
    seeds: tuple[str, ...]
    used: tuple[dict[str, object], ...]
    saw: Saw | None = None


def run_members(
    workspace: Workspace,
    facts: StageFacts,
    used: Used,
    *,
    log: Path,
    known: Callable[[Path], str | None],
    stop: Callable[[], bool],
    executor: Executor,
) -> StageOutcome:
    """Run the stages that are not remembered; the outcome has the outputs of all, under their paths there.

    Inputs from outside are in the store. Raises as ``execute_stage`` does, and UseError for an input that is only in
    part what a stage there writes.
    """
    store, there = Store(workspace.store_dir), Workspace(used.root, state=workspace.state)
    have = {plain(item.path): item for item in (*renamed(used.use, facts.inputs), *used.fixed)}
    log.parent.mkdir(parents=True, exist_ok=True)
    ran: list[StageOutcome] = []
    made: dict[str, _Made] = {}
    with StatCache(workspace.cache_database) as cache:
        for member in used.members:
            inputs = tuple(_input(store, have, plain(path), member.name) for path in member.stage.inputs)
            parts = {**member.parts, "inputs": {item.path: item.digest for item in inputs}}
            found = _remembered(cache, store, cache_key(parts))
            if found is not None and found.saw and not stands(found.saw, root=used.root, around=facts.around):
                found = None
            with log.open("a") as file:
                file.write(f"== {member.name}{' (as before)' if found else ''}\n")
            if found is None:
                own = _facts(facts, member, inputs, parts)
                outcome = executor.execute(there, own, models={}, log=log, known=known, stop=stop)
                found = _made(outcome)
                ran.append(outcome)
                cache.remember(f"used:{own.key}", msgspec.json.encode(found).decode())
            have |= {plain(item.path): item for item in found.outputs}
            made[member.name] = found
    code = without(facts.parts, facts.seen.code)["code"]
    return _whole(made, ran, log=store.put_file(log), code=code)


def _made(outcome: StageOutcome) -> _Made:
    return _Made(
        outputs=outcome.outputs,
        metrics=outcome.metrics,
        seeds=outcome.seeds,
        used=outcome.used,
        saw=outcome.saw,
    )


def _whole(
    made: Mapping[str, _Made], ran: Sequence[StageOutcome], *, log: str, code: Mapping[str, str]
) -> StageOutcome:
    """The outcome of all stages: what each ``made``, and how those went that ``ran``; ``code`` is in the key anyway."""
    lost = any(outcome.mlflow is not None for outcome in ran)
    return StageOutcome(
        outputs=tuple(item for each in made.values() for item in each.outputs),
        metrics=tuple(
            (f"{name}.{key}", value, step) for name, each in made.items() for key, value, step in each.metrics
        ),
        finished=Finished(exit_code=0, duration_s=sum(each.finished.duration_s for each in ran), timed_out=False),
        log=log,
        remarks=("what its stages logged with MLflow is not kept: use them one by one, as `stage`",) if lost else (),
        seeds=tuple(f"{name}: {call}" for name, each in made.items() for call in each.seeds),
        used=tuple(_once(library for each in made.values() for library in each.used)),
        saw=saw_all((each.saw for each in made.values() if each.saw is not None), known=code),
        sandbox=next((each.sandbox for each in reversed(ran) if each.sandbox), None),
        worker=next((each.worker for each in reversed(ran) if each.worker), None),
    )


def _facts(outer: StageFacts, member: Member, inputs: tuple[Item, ...], parts: dict[str, Any]) -> StageFacts:
    return replace(
        outer,
        name=f"{outer.name} ({member.name})",
        stage=member.stage,
        command=member.command,
        parts=parts,
        key=cache_key(parts),
        inputs=inputs,
        lock=None,
        used=None,
    )


def _input(store: Store, have: dict[str, Item], path: str, stage: str) -> Item:
    """What a stage reads at ``path``: from outside, or made before it, alone or in a folder."""
    if path in have:
        return have[path]
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if folder in have and have[folder].folder:
            within = path.removeprefix(f"{folder}/")
            for entry in store.get_tree(have[folder].digest).entries:
                if entry.path == within:
                    return Item(path=path, digest=entry.digest, size=entry.size)
    raise UseError(
        f"stage {stage} reads {path}, which stages before it write in parts",
        expected="an output of one stage, or a file in one",
        hint="use the stages one by one, with `stage:`",
    )


def _remembered(cache: StatCache, store: Store, key: str) -> _Made | None:
    """What was made under a key, if all of it is still in the store."""
    text = cache.result(f"used:{key}")
    made = None if text is None else msgspec.json.decode(text, type=_Made)
    for item in made.outputs if made is not None else ():
        digests = [item.digest]
        if store.has(item.digest) and item.folder:
            digests += [entry.digest for entry in store.get_tree(item.digest).entries]
        if not all(map(store.has, digests)):
            return None
    return made


def _once(libraries: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for each in libraries:
        if each not in found:
            found.append(each)
    return found
