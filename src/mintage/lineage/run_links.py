"""The part of the chain below a model: the run that made it, its data, environment and commit.

A run that was interrupted proves the stages that it finished: what counts is that for each of them some record says how
it was made, under the key that the run names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mintage.errors import LinkBrokenError
from mintage.lineage.chain import Link, check_link
from mintage.pipeline.adopt import ADOPTED
from mintage.pipeline.behind import behind
from mintage.record.digest import blake3_bytes, short
from mintage.record.envelope import Record
from mintage.repo.git import Git
from mintage.repo.notebook import NOTEBOOK, code_digest
from mintage.store.local import Store

__all__ = ["run_link"]


@dataclass(frozen=True, kw_only=True)
class _Made:
    """How one stage's outputs were made: the commit it ran at, and its entry in the record of that run."""

    commit: str
    entry: Mapping[str, Any]


def run_link(store: Store, git: Git, digest: str, *, made: str | None = None) -> Link:
    """The run with that record, its stages' inputs and outputs, its environment and its commit; ``made`` is the path of
    what the chain is about (without it, everything that the run made)."""

    def check() -> tuple[str, tuple[Link, ...]]:
        record = store.get_record(digest, kind="run")
        stages = _made_by(store, record)
        children = [
            _data_link(store, stages, made),
            _environment_link(store, record),
            _commit_link(git, store, record, stages),
        ]
        detail = f"by {record.body['actor']}, {record.body['started']}, stages {', '.join(stages)}"
        return detail, tuple(children)

    return check_link("run", short(digest), check, digest=digest)


def _made_by(store: Store, record: Record) -> dict[str, _Made]:
    """How each finished stage of the run was made: in it, or in the earlier one whose result it kept or restored."""
    found: dict[str, _Made] = {}
    for name, entry in record.body["stages"].items():
        if entry["action"] not in ("run", "keep", "restore") or "key" not in entry:
            continue
        maker = record if entry["action"] == "run" else store.get_record(str(entry["run"]))
        if maker.kind == ADOPTED:
            raise LinkBrokenError(
                f"no run of Mintage's made the outputs of stage {name}",
                expected="the record of a run",
                found=str(maker.body["note"]),
                hint=f"run it once: `mintage run {name} --force`",
            )
        if maker.kind != "run":
            raise LinkBrokenError(f"what made stage {name} is not a run", expected="run", found=maker.kind)
        made = maker.body["stages"].get(name, {})
        if made.get("action") != "run" or made.get("key") != entry["key"]:
            raise LinkBrokenError(
                f"no record says how stage {name} was made", expected=str(entry["key"]), found=str(made.get("key"))
            )
        found[name] = _Made(commit=str(maker.body["commit"]), entry=made)
    if not found:
        raise LinkBrokenError("the run finished no stage", found=str(record.body["status"]))
    return found


def _data_link(store: Store, stages: Mapping[str, _Made], about: str | None) -> Link:
    entries = {name: made.entry for name, made in stages.items()}
    needed = behind(entries, [about]) if about is not None else set()
    chosen = [entry for name, entry in entries.items() if name in needed or not needed or _is_here(store, entry)]
    items = {item["path"]: item for entry in chosen for item in _items(entry)}
    made = {item["path"] for entry in chosen for item in entry["outputs"]}
    raw = [path for path in items if path not in made]

    def check() -> tuple[str, tuple[Link, ...]]:
        for item in items.values():
            if item.get("folder"):
                store.verify_tree(item["digest"])
            else:
                store.get_bytes(item["digest"])
        links = tuple(Link(kind="data", title=path, ok=True, digest=items[path]["digest"]) for path in raw)
        left = len(entries) - len(chosen)
        others = f"; those of {left} other stage{'s' if left > 1 else ''} are not here" if left else ""
        return f"{len(items)} files of the run match their digests{others}", links

    return check_link("data", f"{len(raw)} inputs, {len(made)} outputs", check)


def _items(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*entry["inputs"], *entry["outputs"], *entry.get("use", {}).get("inputs", ())]


def _is_here(store: Store, entry: Mapping[str, Any]) -> bool:
    return all(store.has(item["digest"]) for item in _items(entry))


def _environment_link(store: Store, record: Record) -> Link:
    digest = str(record.body["environment"])

    def check() -> tuple[str, tuple[Link, ...]]:
        frozen = json.loads(store.get_bytes(digest))
        return f"Python {frozen['python']}, {len(frozen['packages'])} packages with hashes", ()

    return check_link("environment", short(digest), check, digest=digest)


def _code_digest(path: str, data: bytes) -> str:
    return code_digest(data, where=path) if path.endswith(NOTEBOOK) else blake3_bytes(data)


def _commit_link(git: Git, store: Store, record: Record, stages: Mapping[str, _Made]) -> Link:
    commit = str(record.body["commit"])

    def check() -> tuple[str, tuple[Link, ...]]:
        count = 0
        for made in stages.values():
            for path, digest in made.entry["parts"]["code"].items():
                used = made.entry.get("use")  # its code is another repository's, and was kept
                data = store.get_bytes(used["code"][path]) if used else git.show(made.commit, path)
                if data is None and not git.has_commit(made.commit):
                    raise LinkBrokenError(
                        f"commit {made.commit[:12]}, which was run, is not in this clone: "
                        "`git fetch origin 'refs/mintage/*:refs/mintage/*'` brings the snapshots of others"
                    )
                found = _code_digest(path, data) if data is not None else "no file"
                if found != digest:
                    raise LinkBrokenError(
                        f"{path} of commit {made.commit[:12]} is not what was run", expected=digest, found=found
                    )
                count += 1
        facts = git.describe(commit)
        snapshot = " (snapshot of a dirty tree)" if record.body["dirty"] else ""
        return f"{facts.subject!r} of {facts.when[:10]}{snapshot}; {count} code files match", ()

    return check_link("commit", commit[:12], check)
