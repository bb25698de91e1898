"""Evidence at its bounds: nothing, one class, one group, NaN. Each is a clear error, or INCONCLUSIVE."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_evidence import POLICY, binary, make_evidence

from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Champion, Evidence, Split
from mintage.certify.policy import parse_policy
from mintage.errors import EvidenceInvalidError

POLICY_OF_LATE = parse_policy(POLICY, where="policies/late.yaml")


def judged(evidence: Evidence) -> dict[str, CheckResult]:
    return {result.requirement: result for result in certify(evidence, POLICY_OF_LATE).results}


def split(**changes: object) -> Split:
    parts: dict[str, object] = {
        "name": "hold-out",
        "columns": {"a": np.array([1.0, 2.0])},
        "labels": np.array([0, 1]),
        "answers": binary(np.array([0.1, 0.9])),
    }
    return Split(**(parts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"labels": np.zeros(0), "answers": binary(np.zeros(0)), "columns": {"a": np.zeros(0)}},
            "hold-out has no rows",
        ),
        ({"answers": binary(np.array([0.1]))}, "answers of the hold-out has another length"),
        ({"columns": {"a": np.array([1.0])}}, "a of the hold-out has another length"),
        ({"labels": np.array([1, 2])}, "labels of the hold-out are no classes"),
        ({"labels": np.array(["yes", "no"], dtype=object)}, "labels of the hold-out are no classes"),
        ({"groups": np.array(["monday", None], dtype=object)}, "no group"),
        ({"groups": np.array([1.0, np.nan])}, "no group"),
        ({"groups": np.array(["monday"], dtype=object)}, "another length"),
    ],
)
def test_a_malformed_split_is_an_error_that_names_it(changes: dict[str, object], says: str) -> None:
    with pytest.raises(EvidenceInvalidError, match=says):
        split(**changes)


def test_scores_of_champion_and_library_must_fit_the_hold_out() -> None:
    evidence = make_evidence()
    with pytest.raises(EvidenceInvalidError, match="the champion's answers: another number of rows"):
        replace(evidence, champion=Champion(root="sha256:" + "c" * 64, answers=binary(np.array([0.5]))))
    assert evidence.native is not None
    with pytest.raises(EvidenceInvalidError, match="native answers to edge rows"):
        replace(evidence, native=replace(evidence.native, edge=np.full(200, np.nan)))
    with pytest.raises(EvidenceInvalidError, match="other columns"):
        replace(evidence, train=replace(evidence.train, columns={"a": evidence.train.columns["a"]}))


def test_a_hold_out_of_one_class_is_inconclusive_for_auc_and_says_why() -> None:
    evidence = make_evidence()
    one_class = replace(evidence, holdout=replace(evidence.holdout, labels=np.zeros(evidence.holdout.rows)))
    found = judged(one_class)
    for name in ("auc", "trivial", "gap"):
        assert found[name].verdict == "INCONCLUSIVE"
        assert "all rows have one class" in found[name].reason
    assert certify(one_class, POLICY_OF_LATE).verdict != "PASS"


def test_one_group_gives_no_interval_and_says_how_many_are_needed() -> None:
    evidence = make_evidence()
    monday = np.full(evidence.holdout.rows, "monday", dtype=object)
    one = replace(evidence, holdout=replace(evidence.holdout, groups=monday))
    result = judged(one)["auc"]
    assert (result.verdict, result.needed, result.groups) == ("INCONCLUSIVE", 5, 1)
    assert "1 group gives no interval of 95 %" in result.reason
    assert "about 5 groups would settle it, 1 now" in result.reason


def test_classes_in_two_groups_only_leave_it_open() -> None:
    evidence = make_evidence()
    groups = np.unique(evidence.holdout.groups)
    labels = np.where(np.isin(evidence.holdout.groups, groups[:2]), evidence.holdout.labels, 0)
    result = judged(replace(evidence, holdout=replace(evidence.holdout, labels=labels)))["auc"]
    assert result.verdict == "INCONCLUSIVE"
    assert "% of the resamples have no value (all rows have one class)" in result.reason


def test_rows_without_groups_are_resampled_one_by_one() -> None:
    evidence = make_evidence(rows=60)
    rowwise = replace(
        evidence, train=replace(evidence.train, groups=None), holdout=replace(evidence.holdout, groups=None)
    )
    result = judged(rowwise)["auc"]
    assert result.groups == result.rows == evidence.holdout.rows
    assert result.verdict == "PASS"


def test_all_missing_and_constant_columns_do_not_stop_the_trivial_models() -> None:
    evidence = make_evidence()

    def odd(part: Split) -> Split:
        columns = {
            "a": np.full(part.rows, np.nan),
            "b": np.ones(part.rows),
            "kind": np.full(part.rows, None, dtype=object),
        }
        return replace(part, columns=columns)

    result = judged(replace(evidence, train=odd(evidence.train), holdout=odd(evidence.holdout)))["trivial"]
    assert result.verdict == "PASS"
    assert result.details["tree"] == pytest.approx(0.5)


def test_a_model_trained_on_one_class_is_compared_with_constant_scores() -> None:
    evidence = make_evidence()
    trained = replace(evidence, train=replace(evidence.train, labels=np.zeros(evidence.train.rows)))
    result = judged(trained)["trivial"]
    assert result.details["tree"] == pytest.approx(0.5)
