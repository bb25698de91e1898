"""B3, metamorphic relations: how the answer must change when a row is changed, said by a file of the project.

Each public function of ``checks/<name>.py`` takes a row and gives changed rows and the relation of their answers to the
row's. Rows are searched for in the declared domain; the smallest that breaks a relation is asked again here, and kept.
A search that does not come upon planted faults proves nothing. See docs/spec/own-check.md.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import Example, example_of, said
from mintage.certify.impossible import impossible_rows
from mintage.certify.inside.relation import RELATIONS, holds
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.own_requirement import FileRequirement, OwnPath, find_file, left_open
from mintage.certify.row_schema import row_schema
from mintage.certify.served import Columns, Served
from mintage.errors import MintageError, OwnCheckError
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "RelationRequirement", "Relations"]

_Value = float | str | None
_Row = dict[str, _Value]
_MOST_TEXT = 1_500


class RelationRequirement(FileRequirement, frozen=True, kw_only=True):
    """The file of ``relations``; ``examples`` rows are tried of each, an answer may be off by ``tolerance``."""

    relations: OwnPath
    examples: Annotated[int, Meta(ge=20, le=100_000)] = 300
    tolerance: Annotated[float, Meta(ge=0)] = 1e-6

    @property
    def path(self) -> str:
        """See FileRequirement."""
        return self.relations


class _Broken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    row: _Row
    rows: Annotated[tuple[_Row, ...], Meta(min_length=1, max_length=100)]
    relation: str


class _Searched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(pattern=r"^\w{1,200}$")]
    title: Annotated[str, Meta(max_length=120)]
    tried: Annotated[int, Meta(ge=0)]
    planted: Annotated[int, Meta(ge=0)]
    found: Annotated[int, Meta(ge=0)]
    broken: _Broken | None


class _Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    relations: Annotated[tuple[_Searched, ...], Meta(min_length=1, max_length=100)]


class Relations:
    """The check."""

    id = "B3"
    version = 0
    title = "metamorphic relations"
    samples = False
    measured = False
    requirement_type = RelationRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: RelationRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Search, ask what was found again, and count the relations that are broken."""
        try:
            own, file = find_file(evidence, requirement)
            answered = own.run(
                file,
                _job(evidence, requirement, seed=resampling.seed),
                files={},
                served=_possible(evidence),
                columns=evidence.holdout.columns,
                needs=("numpy", "hypothesis"),
            )
            found = _read(answered.text)
            again = {each.name: _ask_again(evidence, requirement, each) for each in found if each.broken is not None}
        except MintageError as error:
            return left_open(self, requirement, error)
        tried = sum(each.tried for each in found)
        shown = {name: text for name, (text, _) in again.items()}
        result = conclude(
            self,
            requirement,
            title="relations with a counter-example",
            measurement=exact(float(len(shown)), rows=tried),
            gate=Gate(direction="at_most", threshold=0.0),
            needed_unit="rows",
            details=file.told | _told(found, shown, resampling.confidence),
            also=f" ({len(found)} searched, {tried:,} rows tried)" + "".join(f"; {text}" for text in shown.values()),
            examples=[example for _, example in again.values()],
        )
        doubt = _doubt(found)
        if result.verdict == "PASS" and doubt:
            return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=f"{result.reason}; but {doubt}")
        return result


def _possible(evidence: Evidence) -> Served | None:
    """The served model, which lets no row in that the model file calls impossible."""
    served, conditions = evidence.served, evidence.conditions
    if served is None or not conditions:
        return served
    return Served(served.ask, accepts=lambda columns: served.accepts(columns) & ~impossible_rows(conditions, columns))


def _job(evidence: Evidence, requirement: RelationRequirement, *, seed: int) -> dict[str, Any]:
    return {
        "do": "relations",
        "task": evidence.task,
        "threshold": evidence.holdout.answers.threshold,
        "tolerance": requirement.tolerance,
        "examples": requirement.examples,
        "seed": seed,
        "inputs": row_schema(evidence.inputs, evidence.train.columns),
    }


def _read(text: bytes) -> tuple[_Searched, ...]:
    try:
        return msgspec.json.decode(text, type=_Found).relations
    except msgspec.MsgspecError as error:
        raise OwnCheckError("what the file found cannot be read", found=str(error)) from None


def _ask_again(evidence: Evidence, requirement: RelationRequirement, searched: _Searched) -> tuple[str, Example]:
    """The counter-example in words, and as an example; raises OwnCheckError if it is none when asked here."""
    broken, columns = searched.broken, evidence.holdout.columns
    assert broken is not None and evidence.served is not None
    rows = [broken.row, *broken.rows]
    if broken.relation not in RELATIONS or any(set(row) != set(columns) for row in rows):
        raise OwnCheckError(f"the counter-example of {searched.name} is none of this model's rows")
    asked = _columns(rows, columns)
    values = evidence.served.ask_anew(asked).values
    if holds(
        broken.relation,
        values,
        task=evidence.task,
        threshold=evidence.holdout.answers.threshold,
        tolerance=requirement.tolerance,
    ):
        raise OwnCheckError(f"the counter-example of {searched.name} is none when it is asked again")
    changed = [{name: value for name, value in row.items() if value != broken.row[name]} for row in broken.rows]
    then = ", ".join(json.dumps(row) for row in changed)
    told = f"{searched.name}, {broken.relation}: {json.dumps(broken.row)} gives {_answer(values[0])}, with {then}"
    told = f"{told} it gives {', '.join(map(_answer, values[1:]))}"[:_MOST_TEXT]
    return told, example_of(
        asked,
        0,
        of="made",
        changed={name: column[1:] for name, column in asked.items()},
        answered=said(*values[:2], classes=evidence.classes),
        expected=broken.relation,
        about=searched.name if len(rows) == 2 else f"{searched.name}, the first of {len(rows) - 1} changed rows",
    )


def _columns(rows: list[_Row], like: Columns) -> Columns:
    found: dict[str, NDArray[Any]] = {}
    for name, column in like.items():
        values = [row[name] for row in rows]
        text = column.dtype.kind == "O"
        if any(value is not None and isinstance(value, str) != text for value in values):
            raise OwnCheckError(f"a value of {name} has another type than the input")
        found[name] = np.array(values if text else [np.nan if value is None else value for value in values])
        found[name] = found[name].astype(object if text else np.float64)
    return found


def _answer(value: Any) -> str:
    return f"{float(value):.6g}" if np.ndim(value) == 0 else str([round(float(part), 6) for part in value])


def _told(
    found: tuple[_Searched, ...], shown: dict[str, str], confidence: float
) -> dict[str, float | int | str | bool | None]:
    """By relation what was tried, and how large a share of such rows may still break it."""
    details: dict[str, float | int | str | bool | None] = {}
    for each in found:
        details[f"{each.name}: tried"] = each.tried
        details[f"{each.name}: planted faults found"] = f"{each.found} of {each.planted}"
        if each.name in shown:
            details[f"{each.name}: counter-example"] = shown[each.name]
        elif each.tried:
            details[f"{each.name}: share at most"] = clopper_pearson(0, each.tried, confidence).high
    return details


def _doubt(found: tuple[_Searched, ...]) -> str:
    """Why a search that found nothing proves nothing; empty if it does."""
    idle = [each.name for each in found if each.tried == 0]
    if idle:
        return f"{', '.join(idle)} could be tried on no row: it gives None, or the model refuses its rows"
    blind = [each.name for each in found if 2 * each.found <= each.planted]
    return f"the search for {', '.join(blind)} does not come upon planted faults either" if blind else ""


CHECK = Relations()
