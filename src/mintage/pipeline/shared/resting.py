"""What must be there for a result to be proven: its record, those of the stages before it, and the data of these.

A run may have had a hundred stages; of the others only the small records come along, not the data. ``needs_of_result``
gets the records as it goes, by ``fetch``, and believes none that does not say what the statement says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mintage.data.transfer import Need
from mintage.errors import LinkBrokenError
from mintage.pipeline.behind import behind
from mintage.pipeline.shared.statement import SharedResult
from mintage.record.envelope import Record

__all__ = ["checked_entry", "checked_model", "needs_of_result"]

Entry = Mapping[str, Any]


def needs_of_result(shared: SharedResult, fetch: Callable[[str], Record]) -> list[Need]:
    """What to bring beside the records that ``fetch`` brought; raises LinkBrokenError where a record says otherwise."""
    record, about = fetch(shared.run), [item.path for item in shared.outputs]
    needs = [Need(item.digest, "folder" if item.folder else "bytes") for item in shared.outputs]
    if shared.record is None:
        checked_entry(record, shared)
    else:
        model = fetch(shared.record)
        checked_model(model, shared)
        about = [str(model.body["estimator"]["path"])]
        needs.append(Need(str(model.body["provenance"]), "bytes"))
    made: dict[str, Entry] = {}
    for name, entry in record.body["stages"].items():
        if entry.get("action") == "run":
            made[name] = entry
        elif entry.get("run") is not None:  # kept or restored: an earlier run made it
            made[name] = fetch(str(entry["run"])).body["stages"].get(name, {})
    needs.append(Need(str(record.body["environment"]), "bytes"))
    for name in behind(made, about):
        needs += _needs_of(made[name])
    return needs


def checked_model(record: Record, shared: SharedResult) -> None:
    """Raise LinkBrokenError unless the record of the model says what the statement says."""
    body = record.body if record.kind == "model" else {}
    said = tuple(body.get(key) for key in ("root", "tree", "run", "commit"))
    if said != (shared.root, shared.outputs[0].digest, shared.run, shared.commit):
        raise LinkBrokenError(
            f"the record of {shared.stage} is of another model",
            expected=f"root {str(shared.root)[:19]}… at commit {shared.commit[:12]}",
            found=f"{record.kind}, root {str(body.get('root'))[:19]}…",
        )


def checked_entry(record: Record, shared: SharedResult) -> Entry:
    """The record's entry of the stage, if it says what the statement says; raises LinkBrokenError."""
    entry: Entry = record.body.get("stages", {}).get(shared.stage, {}) if record.kind == "run" else {}
    outputs = {item["path"]: item["digest"] for item in entry.get("outputs", ())}
    stated = {item.path: item.digest for item in shared.outputs}
    said = (entry.get("action"), entry.get("key"), outputs, record.body.get("commit"))
    if said != ("run", shared.key, stated, shared.commit):
        raise LinkBrokenError(
            f"the record of the run does not say that it made stage {shared.stage} so",
            expected=f"key {shared.key[:15]}… at commit {shared.commit[:12]}",
            found=f"{record.kind}, key {str(entry.get('key'))[:15]}…",
        )
    return entry


def _needs_of(entry: Entry) -> Iterator[Need]:
    used = entry.get("use", {})
    for item in (*entry.get("inputs", ()), *entry.get("outputs", ()), *used.get("inputs", ())):
        yield Need(str(item["digest"]), "folder" if item.get("folder") else "bytes")
    for digest in (entry.get("environment"), *used.get("code", {}).values()):
        if digest is not None:
            yield Need(str(digest), "bytes")
    for key in ("log", "notebook"):
        if entry.get(key) is not None:
            yield Need(str(entry[key]), "bytes", must=False)
    if entry.get("mlflow") is not None:
        yield Need(str(entry["mlflow"]), "evidence")
