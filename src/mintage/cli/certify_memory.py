"""What ``mintage certify`` keeps in ``.mintage/certify``, so that only what changed is done again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mintage.certify.content import content_digest
from mintage.certify.kept_answers import KeptAnswers
from mintage.certify.kept_files import KeptFiles
from mintage.certify.kept_results import KeptResults
from mintage.pipeline.environment import own_environment
from mintage.pipeline.extract import environment_of_estimator
from mintage.repo.locks import Item
from mintage.repo.modelfile import ModelSpec
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["Memory", "native_key", "open_memory"]

_RESULTS_BYTES, _ANSWERS_BYTES = 50_000_000, 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Results of checks, and answers of models."""

    results: KeptResults
    answers: KeptAnswers


@contextmanager
def open_memory(workspace: Workspace, *, fresh: bool) -> Iterator[Memory]:
    """What was kept; with ``fresh`` nothing is taken from it. At the end what is over the limit goes."""
    with StatCache(workspace.cache_database) as cache:
        environment = own_environment(cache).key
    folder = workspace.state / "certify"
    results = KeptFiles(folder / "results", most_bytes=_RESULTS_BYTES, fresh=fresh)
    answers = KeptFiles(folder / "answers", most_bytes=_ANSWERS_BYTES, fresh=fresh)
    try:
        yield Memory(
            results=KeptResults(results, environment=environment),
            answers=KeptAnswers(answers, environment=environment),
        )
    finally:
        results.prune()
        answers.prune()


def native_key(
    memory: Memory, workspace: Workspace, spec: ModelSpec, *, root: str, estimator: Item, holdout: str, seed: int
) -> str | None:
    """What the original's answers to the hold-out and to edge rows made from it are kept under."""
    facts: tuple[Any, ...] = (root, estimator.path, estimator.digest, holdout, content_digest(spec), seed)
    return memory.answers.native_key(*facts, environment_of_estimator(workspace, estimator).key)
