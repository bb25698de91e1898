"""The policy of a model, ``policies/<model>.yaml``: what it must prove, and with what statistics.

It belongs to the owner of the risk. Unknown keys, unknown checks and a policy that requires nothing are errors with
file, line and column. See docs/spec/policy.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mintage.certify.answers import Task
from mintage.certify.check import Check, Requirement, Resampling
from mintage.certify.clauses import find_clause
from mintage.certify.holdout_use import HoldoutRules
from mintage.certify.registry import find_checks
from mintage.errors import (
    DomainMismatchError,
    FileMalformedError,
    FileMissingError,
    PolicyForAnotherModelError,
    PolicyUnfitError,
    UnknownCheckError,
)
from mintage.record.digest import is_digest, sha256_bytes
from mintage.repo.yamlfile import Marks, check_version, convert, load_yaml

__all__ = [
    "Multiplicity",
    "Policy",
    "Statistics",
    "check_domain",
    "check_model",
    "check_task",
    "parse_policy",
    "read_policy",
]

Multiplicity = Annotated[str, Meta(pattern=r"^(none|bonferroni|benjamini-hochberg\((0?\.[0-9]{1,6})\))$")]
_HINT = "see docs/spec/policy.md"
_STEPPED = "benjamini-hochberg("


class Statistics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How numbers become verdicts.

    ``confidence`` of the interval of one comparison or, with ``multiplicity: bonferroni``, of all comparisons together;
    with ``benjamini-hochberg(q)`` at least ``confidence``, and so much that of the verdicts that are decided at most a
    share ``q`` is expected to be wrong; ``draws`` resamples from ``seed``; whether an INCONCLUSIVE ``must`` blocks.
    """

    confidence: Annotated[float, Meta(ge=0.8, lt=1)] = 0.95
    multiplicity: Multiplicity = "none"
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    draws: Annotated[int, Meta(ge=200, le=1_000_000)] = 4000
    inconclusive: Literal["block", "allow"] = "block"

    def __post_init__(self) -> None:
        share = self.false_share
        if share is not None and not 0 < share < 1:
            raise ValueError(f"benjamini-hochberg takes a share between 0 and 1, not {share:g}")

    @property
    def false_share(self) -> float | None:
        """The ``q`` of ``benjamini-hochberg(q)``; None of other corrections."""
        return float(self.multiplicity[len(_STEPPED) : -1]) if self.multiplicity.startswith(_STEPPED) else None

    def shared_by(self, openings: int) -> Statistics:
        """The statistics of each of so many looks that share what ``confidence`` lets go wrong (Bonferroni).

        An INCONCLUSIVE blocks then: the share bounds what passes wrongly only if nothing passes undecided.
        """
        if openings == 1:
            return self  # to the last bit what the policy says
        return msgspec.structs.replace(self, confidence=1 - (1 - self.confidence) / openings, inconclusive="block")

    def resampling(self, *, comparisons: int, decided: int | None = None) -> Resampling:
        """The resampling of each of ``comparisons`` comparisons, of which ``decided`` (by default all) are decided."""
        confidence, count = self.confidence, max(comparisons, 1)
        if self.multiplicity == "bonferroni":
            confidence = 1 - (1 - self.confidence) / count
        elif self.false_share is not None:
            confidence = max(confidence, 1 - self.false_share * (count if decided is None else decided) / count)
        return Resampling(confidence=confidence, draws=self.draws, seed=self.seed)


class _PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    model: str
    owner: str
    requirements: list[Any]
    domain: str | None = None
    valid_days: Annotated[int, Meta(ge=1, le=3660)] = 90
    check_limit_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    statistics: Statistics = Statistics()
    holdout: HoldoutRules = HoldoutRules()
    examples: bool = True


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed policy. ``digest`` is the SHA-256 of its file; ``domain`` the digest it pins, if it does; ``builtin``
    the version of Mintage whose built-in default it is, None of a file; ``check_limit_s`` how long a check may take;
    ``holdout`` what it demands of the hold-out; ``examples`` whether results may show rows."""

    model: str
    owner: str
    digest: str
    where: str
    requirements: tuple[Requirement, ...]
    domain: str | None
    valid_days: int
    statistics: Statistics
    builtin: str | None = None
    check_limit_s: int = 600
    holdout: HoldoutRules = HoldoutRules()
    examples: bool = True


def read_policy(path: Path, *, checks: Mapping[str, Check[Any]] | None = None) -> Policy:
    """Read and parse a policy file; raises FileMissingError too."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissingError(
            f"there is no policy {path.name}",
            expected="what the model must prove",
            where=str(path),
            hint=f"`mintage policy init {path.stem}` writes one, best before the model is trained; {_HINT}",
        ) from None
    return parse_policy(data, where=str(path), checks=checks)


def parse_policy(data: bytes, *, where: str, checks: Mapping[str, Check[Any]] | None = None) -> Policy:
    """Parse and check a policy; raises FileMalformedError, UnknownCheckError or UnknownClauseError.

    ``checks`` are those that may be named; by default all that are found.
    """
    known = find_checks() if checks is None else checks
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a policy", expected="keys model, owner, requirements", where=where, hint=_HINT)
    check_version(value, marks, known=1)
    file = convert(value, _PolicyFile, marks, hint=_HINT)
    if file.domain is not None and not (is_digest(file.domain) and file.domain.startswith("sha256:")):
        raise FileMalformedError(
            "not a digest of a domain", expected="sha256:<64 hex>", found=file.domain, where=marks.at(("domain",))
        )
    requirements = tuple(
        _requirement(raw, ("requirements", index), marks, known) for index, raw in enumerate(file.requirements)
    )
    _check_requirements(requirements, marks)
    return Policy(
        model=file.model,
        owner=file.owner,
        digest=sha256_bytes(data),
        where=where,
        requirements=requirements,
        domain=file.domain,
        valid_days=file.valid_days,
        check_limit_s=file.check_limit_s,
        statistics=file.statistics,
        holdout=file.holdout,
        examples=file.examples,
    )


def check_model(policy: Policy, model: str) -> None:
    """Raise PolicyForAnotherModelError if the policy is not of ``model``."""
    if policy.model != model:
        raise PolicyForAnotherModelError(
            "the policy is for another model",
            expected=model,
            found=policy.model,
            where=policy.where,
            hint="certify with the policy that names this model",
        )


def check_domain(policy: Policy, domain: str) -> None:
    """Raise DomainMismatchError if the policy pins another domain than ``domain``."""
    if policy.domain is None or policy.domain == domain:
        return
    raise DomainMismatchError(
        f"the declared domain of {policy.model} is not the one that its policy was written for",
        expected=policy.domain,
        found=domain,
        where=policy.where,
        hint=f"models/{policy.model}.yaml changed its task, target, threshold, group key, inputs or impossible rows: "
        f"take that back, or have the policy's owner ({policy.owner}) review it and set `domain: {domain}`",
    )


def check_task(policy: Policy, task: Task) -> None:
    """Raise PolicyUnfitError if the policy asks for what a model of the task does not have."""
    for requirement in policy.requirements:
        try:
            requirement.check_task(task)
        except PolicyUnfitError as error:
            error.where = error.where or policy.where
            raise


def _requirement(raw: Any, at: tuple[str | int, ...], marks: Marks, checks: Mapping[str, Check[Any]]) -> Requirement:
    if not isinstance(raw, dict) or not isinstance(raw.get("check"), str):
        raise FileMalformedError(
            "not a requirement", expected="{id: ..., check: ..., severity: ...}", where=marks.at(at), hint=_HINT
        )
    name = raw["check"]
    if name not in checks:
        near = _nearest(name, checks)
        raise UnknownCheckError(
            f"there is no check {name!r}",
            expected=", ".join(f"{known} ({check.title})" for known, check in checks.items()),
            where=marks.at((*at, "check")),
            hint=f"did you mean {near}, {checks[near].title}?" if near else "install the package that brings it",
        )
    requirement: Requirement = convert(raw, checks[name].requirement_type, marks, at=at, hint=_HINT)
    for index, control in enumerate(requirement.controls):
        find_clause(control, where=marks.at((*at, "controls", index)))
    return requirement


def _nearest(name: str, checks: Mapping[str, Check[Any]]) -> str | None:
    """The check whose id is most like ``name``, or whose title has it as a word."""
    word = next((known for known, check in checks.items() if name.lower() in check.title.lower().split()), None)
    if word is not None:
        return word
    likeness = {known: difflib.SequenceMatcher(None, name.upper(), known.upper()).ratio() for known in checks}
    best = max(likeness, key=lambda known: likeness[known], default=None)
    return best if best is not None and likeness[best] >= 0.4 else None


def _check_requirements(requirements: tuple[Requirement, ...], marks: Marks) -> None:
    seen: set[str] = set()
    for index, requirement in enumerate(requirements):
        if requirement.id in seen:
            raise FileMalformedError(
                f"two requirements have the id {requirement.id!r}",
                where=marks.at(("requirements", index, "id")),
                hint="give each an id of its own",
            )
        seen.add(requirement.id)
    if not any(requirement.severity == "must" for requirement in requirements):
        raise FileMalformedError(
            "a policy that requires nothing",
            expected="at least one requirement with severity must",
            where=marks.at(("requirements",)),
            hint=_HINT,
        )
