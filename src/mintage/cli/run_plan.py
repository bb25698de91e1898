"""``mintage run --dry`` and ``-S``: what would run and why; parameters that are set beforehand."""

from __future__ import annotations

from typing import Any

from mintage.cli.console import emit, emit_json, table
from mintage.cli.context import Context
from mintage.cli.sharing import origins
from mintage.errors import FileMissingError, UsageError
from mintage.pipeline.changed import changed
from mintage.pipeline.facts import Inspector
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.params import PARAMS_FILE, set_param_text
from mintage.pipeline.places import cycles_placed
from mintage.pipeline.select import Selection, select
from mintage.pipeline.status import states_of
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.repo.yamlfile import load_yaml
from mintage.store.publish import publish_bytes
from mintage.store.statcache import StatCache

__all__ = ["set_parameter", "show_plan"]


def show_plan(context: Context, selection: Selection, *, force: bool, shared: bool, as_json: bool) -> int:
    """Print for each chosen stage what a run would do and why; with ``shared``, what others made counts."""
    workspace = context.workspace
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        inspector = Inspector(workspace, cache)
        implicit = model_stages(workspace, signer=None)
        names = [stage.name for stage in implicit]
        with cycles_placed(workspace.root, inspector.project.stages):
            chosen = select(inspector.project, selection, models=names, changed=lambda rev: changed(inspector, rev))
        states = {state.name: state for state in states_of(inspector, implicit)}
        wanted = [*chosen.stages, *(names if chosen.models is None else chosen.models)]
        known = origins(context, cache, states.values()) if shared and not force else {}
        rows: list[dict[str, Any]] = []
        for name in wanted:
            reasons = list(states[name].reasons) or (["forced"] if force else [])
            key = states[name].key
            own = bool(reasons) and not force and key is not None and inspector.known_result(key) is not None
            action = "keep" if not reasons else "restore" if own else "download" if name in known else "run"
            if action == "download":
                reasons.insert(0, known[name].removeprefix("downloaded, "))
            rows.append({"stage": name, "action": action, "reasons": reasons})
    if as_json:
        emit_json({"plan": rows})
    elif not rows:
        emit("nothing to run")
    else:
        emit(table([(row["stage"], row["action"], "; ".join(row["reasons"][:3])) for row in rows]))
    return 0


def set_parameter(workspace: Workspace, setting: str) -> str:
    """Write ``name=value`` into params.yaml, or under ``params:`` of mintage.yaml; comments stay. Says what it did."""
    name, equals, value = setting.partition("=")
    if not equals or not name:
        raise UsageError("not a setting", expected="NAME=VALUE, as in train.depth=4", found=repr(setting))
    own = workspace.root / PARAMS_FILE
    inline = not own.is_file() and workspace.project().params is not None
    path = workspace.root / PROJECT_FILE if inline else own
    if not path.is_file():
        raise FileMissingError("there are no parameters to set", where=str(own), hint="write params.yaml first")
    old = path.read_bytes().decode()
    new = set_param_text(old, f"params.{name}" if inline else name, value)
    load_yaml(new.encode(), where=path.name)  # a value that breaks the file is not written
    if new != old:
        publish_bytes(path, new.encode())
    return f"{name} = {value} in {path.name}" + ("" if new != old else ", as before")
