"""The roles of tables that Mintage captured: they are what their makers said when they made them.

Tables of the project itself come first where they have a hold-out; else the captured ones are taken, whose training
rows are those that the estimator was given.
"""

from __future__ import annotations

from dataclasses import dataclass

from mintage.pipeline.capture.tables import About, about_in
from mintage.pipeline.facts import Inspector
from mintage.pipeline.infer.finding import Finding
from mintage.pipeline.infer.roles import Roles
from mintage.pipeline.sandbox import Scratch
from mintage.repo.locks import Item

__all__ = ["Captured", "captured_tables", "choose_roles"]

_NO_ROWS = "nothing was seen of its rows"


@dataclass(frozen=True, kw_only=True)
class Captured:
    """One captured table and what it says of itself."""

    path: str
    about: About


def captured_tables(inspector: Inspector, *, stage: str, estimator: str) -> list[Captured]:
    """Those that were captured for the estimator in that file of ``stage``."""
    lock, project = inspector.locks.get(stage), inspector.project.stages
    paths = project[stage].captured if stage in project else ()
    items = [item for item in (lock.outputs if lock is not None else ()) if item.path in paths]
    found = [(item.path, _about(inspector, item)) for item in items]
    return [
        Captured(path=path, about=about) for path, about in found if about is not None and about.estimator == estimator
    ]


def choose_roles(named: Roles, captured: list[Captured]) -> tuple[Roles, Finding[tuple[str, ...]] | None]:
    """The roles out of those by name and the captured ones, and the target where the latter tell it. Pure."""
    by_role = {each.about.role: each for each in captured}
    train = by_role.get("train")
    if train is None or named.holdout is not None:
        return named, None
    found = {role: Finding(value=each.path, source=each.about.source) for role, each in by_role.items()}
    roles = Roles(
        train=found["train"],
        validation=found.get("validation") or named.validation,
        holdout=found.get("holdout"),
        why="" if "holdout" in found else train.about.why or _NO_ROWS,
    )
    return roles, Finding(value=train.about.targets, source="what the estimator was given as labels")


def _about(inspector: Inspector, item: Item) -> About | None:
    with Scratch(inspector.workspace.tmp_dir) as scratch:
        source = scratch.private / "rows"
        inspector.store.checkout(item.digest, source)
        return about_in(source)
