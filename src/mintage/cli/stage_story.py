"""Show what the last run of a stage made: outputs, metrics, and what its script logged with MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mintage.cli.console import emit, emit_json, human_size, say, table
from mintage.cli.context import Context
from mintage.errors import RefusedError
from mintage.pipeline.mlflow_log.tracked import logged_files
from mintage.record.canonical import canonical_bytes
from mintage.record.manifest import safe_path
from mintage.repo.locks import Lock, read_lock
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["show_stage"]

_SHOWN = 12


def show_stage(context: Context, name: str, *, files: str | None, as_json: bool) -> int:
    """Print it; with ``files`` write what was logged to that folder. Raises RefusedError if the stage never ran."""
    lock = read_lock(context.workspace.root, name)
    store = Store(context.workspace.store_dir)
    if lock is None or lock.run is None or not store.has(lock.run):
        raise RefusedError(f"there is no record of the stage {name} here", hint=f"run `mintage run {name}`")
    body = store.get_record(lock.run).body
    entry = body["stages"].get(name, {})
    logged = store.get_record(entry["mlflow"], kind="mlflow-log").body if "mlflow" in entry else None
    if files is not None:
        _write(store, logged, Path(files), stage=name)
    if as_json:
        emit_json({"stage": name, "run": body.get("run"), "record": lock.run, **entry, "logged": logged})
    else:
        _print(lock, entry, body, logged)
    return 0


def _print(lock: Lock, entry: dict[str, Any], body: dict[str, Any], logged: dict[str, Any] | None) -> None:
    when = body.get("finished", body.get("at", ""))
    emit(f"{lock.name}, made by run {body['run']} of {when}" if "run" in body else f"{lock.name}, adopted {when}")
    if lock.outputs:
        emit(table([(item.path, human_size(item.size), item.digest[:15]) for item in lock.outputs], indent="  "))
    _pairs("metrics", entry.get("metrics", {}))
    if logged is None:
        return
    emit(f"  logged with MLflow: record {entry['mlflow']}")
    for run in logged["runs"]:
        emit(
            f"  run {run['prefix'] or run['name'] or run['id']}: {run['status'].lower()}, as MLflow had it {run['id']}"
        )
        _pairs("  parameters", run["params"])
    if list(logged_files(logged)):
        emit(f"  {len(list(logged_files(logged)))} files: `mintage show {lock.name} --files FOLDER` writes them")
    for text in logged["left_out"]:
        emit(f"  left out: {text}")


def _pairs(title: str, values: dict[str, Any]) -> None:
    shown = [
        f"{key} = {value:.4g}" if isinstance(value, float) else f"{key} = {value}" for key, value in values.items()
    ]
    if shown:
        more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        emit(f"  {title}: {', '.join(shown[:_SHOWN])}{more}")


def _write(store: Store, logged: dict[str, Any] | None, folder: Path, *, stage: str) -> None:
    if logged is None:
        raise RefusedError(f"the stage {stage} logged nothing with MLflow")
    if folder.exists():
        raise RefusedError(f"{folder} is there already", where=str(folder), hint="name another folder with --files")
    paths = [(safe_path(path), digest) for path, digest, _ in logged_files(logged)]
    for path, digest in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        store.checkout(digest, folder / path)
    publish_bytes(folder / "log.json", canonical_bytes(logged))
    say(f"wrote {len(paths)} files and log.json to {folder}")
