"""Find the models among what stages wrote, and name them in mintage.yaml.

A model of a stage that this run recorded is written there, since that stage had declared nothing. Of a stage that
declares everything, in a project without a model, it is only remarked, with the line to write. The files are opened in
the environment that wrote them, by the process that opens them to build a model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.pipeline.estimator_file import can_hold_one, estimator_kind, names_an_estimator
from mintage.pipeline.facts import Inspector
from mintage.pipeline.stage_data import files_of
from mintage.repo.locks import Item
from mintage.repo.workspace import PROJECT_FILE
from mintage.store.publish import publish_bytes

if TYPE_CHECKING:
    from mintage.pipeline.infer.choose_models import Choice

__all__ = ["FoundModels", "find_models"]

_LOOK = 0
"""Part of what ``_is_one`` is remembered under: raised when ``estimator_kind`` changes."""
_MOST_FILES = 20
"""Each is opened by a process of its own, which takes a second."""


class FoundModels(msgspec.Struct, frozen=True, kw_only=True):
    """``names`` to paths of the models that were written into mintage.yaml, its lines that changed, and remarks."""

    names: dict[str, str]
    diff: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"declared": self.names, "remarks": list(self.remarks)}


def find_models(inspector: Inspector, *, learned: Collection[str]) -> FoundModels | None:
    """Look through what the stages ``learned`` wrote, or all if the project has no models; None: nothing to say."""
    stages = learned or ([] if _has_models(inspector) else list(inspector.project.stages))
    files = _files(inspector, stages)
    if len(files) > _MOST_FILES:
        remark = (
            f"{len(files)} files may be models, none was opened: name those that are under `models:` in mintage.yaml"
        )
        return FoundModels(names={}, remarks=(remark,))
    if not files:  # the rest is imported where there is something to look at
        return None
    from mintage.pipeline.infer.choose_models import choose_models
    from mintage.pipeline.infer.glance_at import look_at
    from mintage.pipeline.recording.insert_models import model_entry

    seen = [found for found in (look_at(inspector, file) for file in files) if found is not None]
    if not seen:
        return None
    choice = choose_models(seen, project=inspector.project.project, taken=list(inspector.project.models))
    if learned:
        return _write(inspector, choice)
    lines = [model_entry(name, path) for name, path in choice.names.items()]
    remarks = [f"no model is declared; to build one, write under `models:` in mintage.yaml: `{line}`" for line in lines]
    return FoundModels(names={}, remarks=tuple(remarks)) if remarks else None


def _has_models(inspector: Inspector) -> bool:
    """Whether there is a key ``models``; an empty one says that there shall be none."""
    return inspector.project.names_models


def _files(inspector: Inspector, stages: Collection[str]) -> list[Item]:
    """The files that the stages wrote, that may hold an estimator by name and bytes, and that no model names."""
    named = {model.source for model in inspector.project.models.values()}
    locks = [inspector.locks[name] for name in stages if name in inspector.locks]
    items = [item for lock in locks for item in lock.outputs if item.folder or can_hold_one(item.path)]
    items = [item for item in items if not item.folder or inspector.store.has(item.digest)]
    files = [file for item in items for file in files_of(item, inspector.store) if can_hold_one(file.path)]
    there = [file for file in files if file.path not in named and inspector.store.has(file.digest)]
    unsure = {file.path: _key(file) for file in there if not names_an_estimator(file.path)}
    known = inspector.cache.results(unsure.values())
    return [file for file in there if (key := unsure.get(file.path)) is None or _is_one(inspector, file, key, known)]


def _key(file: Item) -> str:
    return f"estimator:{_LOOK}:{PurePosixPath(file.path).suffix}:{file.digest}"


def _is_one(inspector: Inspector, file: Item, key: str, known: Mapping[str, str]) -> bool:
    """By its first bytes, which are read (and all of it verified) once for a content and an ending."""
    found = known.get(key)
    if found is None:
        from mintage.pipeline.infer.glance_at import head_of

        found = "no" if estimator_kind(file.path, head_of(inspector, file)) is None else "yes"
        inspector.cache.remember(key, found)
    return found == "yes"


def _write(inspector: Inspector, choice: Choice) -> FoundModels:
    import difflib

    from mintage.pipeline.recording.insert_models import insert_models, model_entry

    path = inspector.workspace.root / PROJECT_FILE
    old = path.read_bytes().decode()
    text = insert_models(old, choice.names) if choice.names else old
    if text is None:
        lines = ", ".join(f"`{model_entry(name, source)}`" for name, source in choice.names.items())
        remark = f"models cannot be written into mintage.yaml in place; write under `models:` {lines}"
        return FoundModels(names={}, remarks=(*choice.remarks, remark))
    if text != old:
        publish_bytes(path, text.encode())
        inspector.reload_project()
    changed = difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="", n=0)
    diff = [line for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return FoundModels(names=choice.names, diff=tuple(diff), remarks=choice.remarks)
