"""The reproduction as an in-toto statement of type https://mintage.dev/reproduction/v0. Pure."""

from __future__ import annotations

import msgspec

from mintage.attest.statement import Statement, Subject
from mintage.pipeline.reproduce.verdict import Reproduction
from mintage.record.digest import parse_digest

__all__ = ["PREDICATE_TYPE", "reproduction_statement"]

PREDICATE_TYPE = "https://mintage.dev/reproduction/v0"


def reproduction_statement(found: Reproduction, *, project: str, by: str, at: str, version: str) -> Statement:
    """The statement; its subjects are the commit and the models that were rebuilt, as recorded."""
    subjects = [Subject(name="commit", digest={"gitCommit": found.commit})]
    subjects += [
        Subject(name=name, digest={"sha256": parse_digest(root)[1]}) for name, root in sorted(found.models.items())
    ]
    first = found.first_divergent
    return Statement(
        subjects=tuple(subjects),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "project": project,
            "target": found.target,
            "level": found.level,
            "firstDivergent": None if first is None else first.name,
            "independent": found.independent,
            "network": found.network,
            "tolerance": found.tolerance,
            "stages": [{"level": stage.level, **msgspec.to_builtins(stage)} for stage in found.stages],
            "environments": list(found.environments),
            "hardware": found.hardware,
            "differs": list(found.differs),
            "rebuilder": {"id": by, "mintage": version},
            "finishedOn": at,
        },
    )
