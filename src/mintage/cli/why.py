"""``mintage why STAGE``: what makes a stage run, part by part of its cache key."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.cli.sharing import origins
from mintage.errors import UnknownNameError
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.status import stage_states
from mintage.repo.nearest import nearest_hint
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", help="a stage of mintage.yaml, or model:NAME")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        states = {state.name: state for state in stage_states(workspace, cache, model_stages(workspace, signer=None))}
        known = origins(context, cache, [states[arguments.stage]] if arguments.stage in states else [])
    if arguments.stage not in states:
        raise UnknownNameError(
            f"there is no stage {arguments.stage!r}",
            expected=", ".join(states) or "none declared",
            where="mintage.yaml",
            hint=nearest_hint(arguments.stage, states, otherwise="declare it under `stages:` in mintage.yaml"),
        )
    state = states[arguments.stage]
    if arguments.json:
        value = {"stage": state.name, "key": state.key, "reasons": list(state.reasons)}
        emit_json({**value, "known": known.get(state.name)})
    elif state.reasons:
        emit(f"{state.name} would run:")
        for reason in state.reasons:
            emit(f"  {reason}")
        if state.name in known:
            emit(f"but `mintage run` has its result: {known[state.name]}")
    else:
        emit(f"{state.name} is up to date: nothing that it depends on has changed")
    return 0
