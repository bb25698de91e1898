"""``mintage why STAGE``: what makes a stage run, part by part of its cache key."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.cli.sharing import origins
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.select import members
from mintage.pipeline.status import StageState, stage_states
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", help="a stage of mintage.yaml (of a matrix all members), or model:NAME")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        states = {state.name: state for state in stage_states(workspace, cache, model_stages(workspace, signer=None))}
        project = workspace.project()
        others = [name for name in states if name not in project.stages]
        asked = [states[name] for name in members(project, arguments.stage, others)]
        known = origins(context, cache, asked)
    if arguments.json:
        told = [{**_plain(state), "known": known.get(state.name)} for state in asked]
        emit_json({"members": told} if arguments.stage in project.families else told[0])
        return 0
    for state in asked:
        _tell(state, known.get(state.name))
    return 0


def _plain(state: StageState) -> dict[str, object]:
    return {"stage": state.name, "key": state.key, "reasons": list(state.reasons)}


def _tell(state: StageState, known: str | None) -> None:
    if state.reasons:
        emit(f"{state.name} would run:")
        for reason in state.reasons:
            emit(f"  {reason}")
        if known is not None:
            emit(f"but `mintage run` has its result: {known}")
    else:
        emit(f"{state.name} is up to date: nothing that it depends on has changed")
