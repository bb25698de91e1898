"""``mintage why STAGE``: what makes a stage run, part by part of its cache key."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.select import members
from mintage.pipeline.status import StageState, stage_states
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", help="a stage of mintage.yaml (of a matrix all members), or model:NAME")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        states = {state.name: state for state in stage_states(workspace, cache, model_stages(workspace, signer=None))}
    project = workspace.project()
    asked = [states[name] for name in members(project, arguments.stage, [n for n in states if n not in project.stages])]
    if arguments.json:
        told = [{"stage": state.name, "key": state.key, "reasons": list(state.reasons)} for state in asked]
        emit_json({"members": told} if arguments.stage in project.families else told[0])
        return 0
    for state in asked:
        _tell(state)
    return 0


def _tell(state: StageState) -> None:
    if state.reasons:
        emit(f"{state.name} would run:")
        for reason in state.reasons:
            emit(f"  {reason}")
    else:
        emit(f"{state.name} is up to date: nothing that it depends on has changed")
