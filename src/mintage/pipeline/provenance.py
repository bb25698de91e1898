"""How a model was made, as a signed statement: SLSA Provenance v1 (https://slsa.dev/spec/v1.0/provenance).

The subject is the model's root and its files; resolved dependencies are the commit, the data and the environment. The
build type is ``PIPELINE``: a Mintage pipeline whose parameters are the external parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mintage.attest.statement import Statement, Subject
from mintage.record.digest import parse_digest
from mintage.repo.locks import Item

__all__ = ["PIPELINE", "PREDICATE_TYPE", "provenance_statement"]

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
PIPELINE = "https://mintage.dev/pipeline/v0"


def provenance_statement(
    *,
    model: str,
    root: str,
    files: Mapping[str, str],
    commit: str,
    run: str,
    stages: Mapping[str, str],
    params: Mapping[str, Any],
    data: Sequence[Item],
    environment: str,
    builder: str,
    started: str,
) -> Statement:
    """The statement for one model. ``files`` maps a file of its folder to its SHA-256 digest; ``stages`` a stage to the
    cache key under which it ran; ``run`` is the run's record; ``data`` the versioned inputs; ``builder`` who ran it."""
    subjects = [Subject(name=model, digest={"sha256": parse_digest(root)[1]})]
    subjects += [
        Subject(name=f"{model}/{path}", digest={"sha256": parse_digest(digest)[1]}) for path, digest in files.items()
    ]
    dependencies: list[dict[str, Any]] = [{"name": "code", "digest": {"gitCommit": commit}}]
    dependencies += [{"name": item.path, "digest": {"blake3": parse_digest(item.digest)[1]}} for item in data]
    dependencies.append({"name": "environment", "digest": {"blake3": parse_digest(environment)[1]}})
    return Statement(
        subjects=tuple(subjects),
        predicate_type=PREDICATE_TYPE,
        predicate={
            "buildDefinition": {
                "buildType": PIPELINE,
                "externalParameters": {"params": dict(params), "model": model},
                "internalParameters": {"stages": dict(stages)},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": builder},
                "metadata": {"invocationId": run, "startedOn": started},
            },
        },
    )
