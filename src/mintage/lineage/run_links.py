"""The part of the chain below a model: the run that made it, its data, environment and commit."""

from __future__ import annotations

import json
from typing import Any

from mintage.errors import LinkBrokenError
from mintage.lineage.chain import Link, check_link
from mintage.record.digest import blake3_bytes, short
from mintage.record.envelope import Record
from mintage.repo.git import Git
from mintage.store.local import Store

__all__ = ["run_link"]


def run_link(store: Store, git: Git, digest: str) -> Link:
    """The run with that record, its stages' inputs and outputs, its environment and its commit."""

    def check() -> tuple[str, tuple[Link, ...]]:
        record = store.get_record(digest, kind="run")
        if record.body["status"] != "finished":
            raise LinkBrokenError("the run did not finish", expected="finished", found=str(record.body["status"]))
        records = _with_earlier(store, record)
        stages = {name: entry for each in reversed(records) for name, entry in _ran(each).items()}
        children = [_data_link(store, stages), _environment_link(store, record), _commit_link(git, records)]
        detail = f"by {record.body['actor']}, {record.body['started']}, stages {', '.join(stages)}"
        return detail, tuple(children)

    return check_link("run", short(digest), check, digest=digest)


def _with_earlier(store: Store, record: Record) -> list[Record]:
    """The run, and those earlier ones whose results it kept or restored."""
    found = [record]
    seen: set[str] = set()
    for each in found:
        for entry in each.body["stages"].values():
            earlier = entry.get("run")
            if entry["action"] in ("keep", "restore") and earlier and earlier not in seen:
                seen.add(earlier)
                found.append(store.get_record(earlier, kind="run"))
    return found


def _ran(record: Record) -> dict[str, Any]:
    return {name: entry for name, entry in record.body["stages"].items() if entry["action"] == "run"}


def _data_link(store: Store, stages: dict[str, Any]) -> Link:
    items = {item["path"]: item for entry in stages.values() for item in (*entry["inputs"], *entry["outputs"])}
    made = {item["path"] for entry in stages.values() for item in entry["outputs"]}
    raw = [path for path in items if path not in made]

    def check() -> tuple[str, tuple[Link, ...]]:
        for item in items.values():
            if item.get("folder"):
                store.verify_tree(item["digest"])
            else:
                store.get_bytes(item["digest"])
        links = tuple(Link(kind="data", title=path, ok=True, digest=items[path]["digest"]) for path in raw)
        return f"{len(items)} files of the run match their digests", links

    return check_link("data", f"{len(raw)} inputs, {len(made)} outputs", check)


def _environment_link(store: Store, record: Record) -> Link:
    digest = str(record.body["environment"])

    def check() -> tuple[str, tuple[Link, ...]]:
        frozen = json.loads(store.get_bytes(digest))
        return f"Python {frozen['python']}, {len(frozen['packages'])} packages with hashes", ()

    return check_link("environment", short(digest), check, digest=digest)


def _commit_link(git: Git, records: list[Record]) -> Link:
    commit = str(records[0].body["commit"])

    def check() -> tuple[str, tuple[Link, ...]]:
        count = 0
        for record in records:
            for entry in _ran(record).values():
                for path, digest in entry["parts"]["code"].items():
                    data = git.show(str(record.body["commit"]), path)
                    found = blake3_bytes(data) if data is not None else "no file"
                    if found != digest:
                        raise LinkBrokenError(
                            f"{path} of the commit is not what was run", expected=digest, found=found, where=commit[:12]
                        )
                    count += 1
        facts = git.describe(commit)
        snapshot = " (snapshot of a dirty tree)" if records[0].body["dirty"] else ""
        return f"{facts.subject!r} of {facts.when[:10]}{snapshot}; {count} code files match", ()

    return check_link("commit", commit[:12], check)
