"""``mintage status``: what is out of date, at once, running nothing."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.cli.sharing import origins
from mintage.data.status import data_states
from mintage.pipeline.facts import Inspector
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.status import states_of
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]

_MEANING = {
    "modified": "changed since it was added (`mintage add` versions it)",
    "missing": "not here, but in the store (`mintage checkout` brings it back)",
    "lost": "neither here nor in the store",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if anything is out of date")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        inspector = Inspector(workspace, cache)
        stages = states_of(inspector, model_stages(workspace, signer=None))
        data = data_states(workspace, inspector.locks, cache)
        known = origins(context, cache, stages)
    stale = [state for state in stages if state.reasons]
    changed = [state for state in data if state.state != "ok"]
    if arguments.json:
        emit_json(
            {
                "data": {state.path: state.state for state in data},
                "stages": {state.name: list(state.reasons) for state in stages},
                "known": known,
            }
        )
    else:
        for item in changed:
            emit(f"{item.path}: {_MEANING[item.state]}")
        for state in stale:
            emit(f"{state.name}: {'; '.join(state.reasons)}")
            if state.name in known:
                emit(f"  `mintage run` would not run it: {known[state.name]}")
        if not stale and not changed:
            emit("everything is up to date" if stages or data else "no stages and no data yet")
    return 1 if arguments.exit_code and (stale or changed) else 0
