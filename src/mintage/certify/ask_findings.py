"""Ask a model the rows of findings, one by one: a row that it refuses is an answer too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.expectation import Answered, parse_expectation
from mintage.certify.finding import AnsweredFinding, Finding
from mintage.errors import DataError
from mintage.model.runtime import Predictor
from mintage.model.signature import Input, Signature

__all__ = ["ask_findings", "ask_row"]


def ask_findings(findings: Sequence[Finding], predictor: Predictor) -> tuple[AnsweredFinding, ...]:
    """Each finding with what the model says now."""
    answered = []
    for finding in findings:
        answer = ask_row(finding.row, predictor)
        answered.append(
            AnsweredFinding(
                finding=finding.finding,
                expect=finding.expect,
                answer=str(answer),
                met=parse_expectation(finding.expect).met_by(answer),
                is_open=finding.is_open,
                author=finding.author,
                at=finding.at,
                about=finding.about,
                row=finding.row,
            )
        )
    return tuple(answered)


def ask_row(row: dict[str, float | int | str | None], predictor: Predictor) -> Answered:
    """The model's answer to one row. Inputs that it does not take are left out; one that it takes must be there."""
    signature = predictor.signature
    absent = [item.name for item in signature.inputs if item.name not in row]
    if absent:
        return Answered(refused=f"the row has no {', '.join(absent[:5])}")
    try:
        columns = {item.name: _column(item, row[item.name]) for item in signature.inputs}
        prediction = predictor.predict(columns)
    except (DataError, ValueError) as error:
        return Answered(refused=str(error)[:200])
    if signature.task == "regression":
        return Answered(value=float(prediction.values[0, 0]))
    shares = prediction.probabilities[0]
    names = tuple(map(str, signature.classes))
    return Answered(
        label=names[_place(shares, signature)],
        probabilities={name: float(share) for name, share in zip(names, shares, strict=True)},
    )


def _place(shares: NDArray[Any], signature: Signature) -> int:
    if signature.task == "binary":
        return int(shares[1] >= signature.threshold)
    return int(np.argmax(shares))


def _column(item: Input, value: float | int | str | None) -> NDArray[Any]:
    if item.datatype == "BYTES":
        column = np.empty(1, dtype=object)
        column[0] = value
        return column
    return np.array([np.nan if value is None else float(value)], dtype=np.float64)
