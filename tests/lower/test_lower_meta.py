"""Classifiers over classifiers, calibrated, voting and stacked, give the library's own answers on real flights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mintage.errors import EstimatorRefusedError

NUMBERS = ["distance", "wind_gust"]
TEXTS = ["carrier", "dest"]


def some(rows: Any, count: int | None = None) -> Any:
    """The first ``count`` rows of the columns used here."""
    return {name: rows[name][:count] for name in NUMBERS + TEXTS}


def over(last: Any, *, scaled: bool = False) -> Pipeline:
    """Imputed numbers and encoded texts, then ``last``."""
    steps = [SimpleImputer(strategy="median"), *([StandardScaler()] if scaled else [])]
    parts = [("numbers", make_pipeline(*steps), NUMBERS), ("texts", TargetEncoder(cv=StratifiedKFold(3)), TEXTS)]
    return make_pipeline(ColumnTransformer(parts), last)


def line() -> Pipeline:
    return over(LogisticRegression(max_iter=300), scaled=True)


def boosting() -> Pipeline:
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}
    parts = [("texts", OrdinalEncoder(**unknown), TEXTS), ("numbers", "passthrough", NUMBERS)]
    trees = HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=5, categorical_features=[0, 1], random_state=0)
    return make_pipeline(ColumnTransformer(parts), trees)


def forest() -> Pipeline:
    return over(RandomForestClassifier(4, max_depth=4, random_state=0))


def gradient(**options: Any) -> Pipeline:
    return over(GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=0, **options))


def calibrated(inner: Any, method: str, *, ensemble: bool = True) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(inner, method=method, ensemble=ensemble, cv=2)


def stacked(*inner: Any, **options: Any) -> StackingClassifier:
    parts = [(f"part{place}", part) for place, part in enumerate(inner)]
    return StackingClassifier(parts, **{"final_estimator": LogisticRegression(), "cv": 2, **options})


EXACT = {
    "a line, sigmoid": calibrated(line(), "sigmoid"),
    "a line, isotonic": calibrated(line(), "isotonic"),
    "a line, isotonic, fitted on all rows": calibrated(line(), "isotonic", ensemble=False),
    "histogram boosting, sigmoid, fitted on all rows": calibrated(boosting(), "sigmoid", ensemble=False),
    "histogram boosting, isotonic": calibrated(boosting(), "isotonic"),
    "a forest, which has no decision function, sigmoid": calibrated(forest(), "sigmoid", ensemble=False),
    "a forest, isotonic": calibrated(forest(), "isotonic"),
    "bagged trees, isotonic": calibrated(
        over(BaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=3, random_state=0)), "isotonic"
    ),
    "gradient boosting, isotonic": calibrated(gradient(), "isotonic"),
    "adaptive boosting, sigmoid": calibrated(over(AdaBoostClassifier(n_estimators=5, random_state=0)), "sigmoid"),
    "a line, temperature": calibrated(line(), "temperature"),
    "a forest, temperature": calibrated(forest(), "temperature"),
    "support vectors of a line, sigmoid": calibrated(over(LinearSVC(), scaled=True), "sigmoid"),
    "calibrated inside a pipeline": over(calibrated(LogisticRegression(max_iter=300), "isotonic"), scaled=True),
    "a soft vote": VotingClassifier([("line", line()), ("boost", boosting()), ("forest", forest())], voting="soft"),
    "a weighted vote with one left out": VotingClassifier(
        [("line", line()), ("gone", "drop"), ("boost", boosting())], voting="soft", weights=[2.0, 5.0, 0.7]
    ),
    "a vote of calibrated ones": VotingClassifier(
        [("a", calibrated(line(), "sigmoid")), ("b", calibrated(boosting(), "isotonic"))], voting="soft"
    ),
    "stacked probabilities": stacked(line(), boosting(), forest()),
    "stacked decision functions": stacked(line(), gradient(), stack_method="decision_function"),
    "stacked with the columns behind": over(stacked(LogisticRegression(), passthrough=True), scaled=True),
    "trees over probabilities": stacked(line(), final_estimator=HistGradientBoostingClassifier(max_iter=3)),
    "calibrated stacks": calibrated(stacked(line(), boosting()), "sigmoid"),
}


@pytest.mark.parametrize("name", EXACT)
def test_lowered_classifiers_over_classifiers_equal_the_original(name: str, case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    estimator = EXACT[name].fit(case.table(some(rows)), late)
    proven = case.prove(estimator, some(unseen, 300))
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == 300
    assert max(item.max_error for item in proven.parity) <= 1e-12
    assert sum(item.label_flips for item in proven.parity) == 0


def test_a_frozen_classifier_is_calibrated_as_it_is(case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    frozen = FrozenEstimator(boosting().fit(case.table(some(rows)), late))
    estimator = CalibratedClassifierCV(frozen, method="isotonic").fit(case.table(some(rows)), late)
    assert all(item.passed for item in case.prove(estimator, some(unseen, 300)).parity)


def test_the_trees_of_several_classifiers_are_each_looked_at(case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    vote = VotingClassifier([("boost", boosting()), ("forest", forest())], voting="soft").fit(
        case.table(some(rows)), late
    )
    lowered = case.prove(vote, some(unseen, 200)).lowered
    last = max(int(feature) for tree in lowered.trees for feature in tree.feature)
    assert len(lowered.trees) == 6 + 4
    assert len(lowered.sources) == 8
    assert last >= 4


def test_categories_that_one_encoder_refuses_are_refused(case: Any) -> None:
    rows, labels = case.training
    wide = [[*sorted(set(rows["city"].tolist())), "nowhere"]]
    encoders = OneHotEncoder(categories=wide), OneHotEncoder()
    parts = [
        (f"part{place}", make_pipeline(ColumnTransformer([("city", encoder, ["city"])]), LogisticRegression()))
        for place, encoder in enumerate(encoders)
    ]
    vote = VotingClassifier(parts, voting="soft").fit(case.table({"city": rows["city"]}), labels)
    proven = case.prove(vote, {"city": case.unseen["city"]}, not_null=("city",))
    assert proven.parity[1].passed
    assert "nowhere" not in proven.lowered.categories["city"]


@pytest.mark.parametrize(
    ("estimator", "found", "where"),
    [
        (VotingClassifier([("a", line()), ("b", forest())]), "probabilities", None),
        (
            stacked(VotingClassifier([("a", line()), ("b", forest())])),
            "gives labels",
            "estimator/part0",
        ),
        (
            VotingClassifier([("a", line()), ("b", over(BernoulliNB()))], voting="soft"),
            "BernoulliNB",
            "estimator/b/bernoullinb",
        ),
    ],
)
def test_what_would_not_be_exact_is_refused_with_its_place(
    estimator: Any, found: str, where: str | None, case: Any, flights: Any
) -> None:
    (rows, late), _ = flights
    with pytest.raises(EstimatorRefusedError, match=found) as caught:
        case.prove(estimator.fit(case.table(some(rows)), late), some(rows, 50))
    assert where is None or (caught.value.where or "").startswith(where)
