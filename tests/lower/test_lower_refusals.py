"""What has no exact lowering is refused with its place in the pipeline, the reason and the ways out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 the import makes the next one possible
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mintage.errors import EstimatorRefusedError, ParityFailedError
from mintage.lower.extract.writer import Writer

NUMBERS = ["ratio", "visits"]


class Doubler(BaseEstimator, TransformerMixin):
    """Custom code."""

    def fit(self, rows: Any, labels: Any = None) -> Doubler:
        return self

    def transform(self, rows: Any) -> Any:
        return np.asarray(rows) * 2


class Mine(StandardScaler):
    """A subclass of a known type is custom code too."""


def add_one(rows: Any) -> Any:
    """A function of one's own; joblib does not even write a lambda."""
    return rows + 1


def small(step: Any) -> Pipeline:
    return Pipeline([("columns", ColumnTransformer([("part", step, NUMBERS)])), ("end", LogisticRegression())])


@pytest.mark.parametrize(
    ("estimator", "found", "where"),
    [
        (small(FunctionTransformer(np.nan_to_num)), "runs a function of yours", "estimator/columns/part"),
        (small(Doubler()), "not from a known library", "estimator/columns/part"),
        (small(Mine()), "not from a known library", "estimator/columns/part"),
        (small(FunctionTransformer(add_one)), "custom code", "estimator/columns/part"),
        (small(KNNImputer()), "KNNImputer", "estimator/columns/part"),
        (small(IterativeImputer(max_iter=1)), "IterativeImputer", "estimator/columns/part"),
        (
            Pipeline(
                [
                    ("columns", ColumnTransformer([("part", "passthrough", NUMBERS)])),
                    ("end", GaussianProcessClassifier(optimizer=None)),
                ]
            ),
            "GaussianProcessClassifier",
            "estimator/end",
        ),
        (
            Pipeline(
                [
                    ("columns", ColumnTransformer([("part", "passthrough", NUMBERS)])),
                    ("end", BernoulliNB()),
                ]
            ),
            "BernoulliNB",
            "estimator/end",
        ),
    ],
)
def test_unknown_parts_are_refused_by_name_and_place(estimator: Any, found: str, where: str, case: Any) -> None:
    rows, labels = case.training
    with pytest.raises(EstimatorRefusedError) as caught:
        case.prove(estimator.fit(case.table(rows), labels), case.unseen)
    assert found in str(caught.value)
    assert caught.value.where == where
    assert "entry point" in (caught.value.hint or "")


@pytest.mark.parametrize("attribute", ["scale_", "with_mean"])
def test_a_library_that_names_its_attributes_differently_is_refused(
    attribute: str, case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, labels = case.training
    estimator = small(StandardScaler()).fit(case.table(rows), labels)
    real = Writer.value

    def renamed(self: Writer, item: Any, depth: int = 0) -> Any:
        """What the process would write if that library had another version."""
        found = real(self, item, depth)
        if isinstance(found, dict) and str(found.get("type", "")).endswith("StandardScaler"):
            found["state"][f"new_{attribute}"] = found["state"].pop(attribute, None)
        return found

    monkeypatch.setattr(Writer, "value", renamed)
    with pytest.raises(EstimatorRefusedError, match="version of its library is not known") as caught:
        case.prove(estimator, case.unseen)
    assert attribute in str(caught.value)
    assert caught.value.where == "estimator/columns/part"


def test_a_classifier_without_probabilities_is_refused(case: Any) -> None:
    rows, labels = case.training
    estimator = Pipeline([("columns", small("passthrough")[0]), ("end", RidgeClassifier())]).fit(
        case.table(rows), labels
    )
    with pytest.raises(EstimatorRefusedError, match="probabilities"):
        case.prove(estimator, case.unseen)


def test_columns_that_the_model_does_not_declare_are_named(case: Any) -> None:
    rows, labels = case.training
    estimator = small("passthrough").fit(case.table(rows), labels)
    with pytest.raises(EstimatorRefusedError, match="visits"):
        case.prove(estimator, {name: column for name, column in case.unseen.items() if name != "visits"})


def test_a_signature_that_accepts_what_the_original_refuses_fails_parity(case: Any) -> None:
    rows, labels = case.training
    estimator = small(StandardScaler()).fit(case.table(rows), labels)
    with pytest.raises(ParityFailedError, match="refuses rows") as caught:
        case.prove(estimator, case.unseen)
    assert "nullable: false" in (caught.value.hint or "")


def test_a_category_that_looks_like_the_mark_of_a_missing_text_is_refused(case: Any) -> None:
    rows, labels = case.training
    odd = {
        **rows,
        "grade": np.array(["\ue000missing" if place % 2 else "b" for place in range(len(labels))], dtype=object),
    }
    estimator = HistGradientBoostingClassifier(max_iter=2, categorical_features=["grade"])
    chosen = {name: odd[name] for name in ("ratio", "grade")}
    with pytest.raises(EstimatorRefusedError, match="reserved"):
        case.prove(estimator.fit(case.table(chosen), labels), chosen)
