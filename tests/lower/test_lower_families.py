"""Each family of estimators gives the library's own scores and labels, on real rows and on edge rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

NUMBERS = ["amount", "ratio", "visits"]
TEXTS = ["city", "grade"]
UNKNOWN = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}


def boosting(**options: Any) -> HistGradientBoostingClassifier:
    defaults = {"max_iter": 12, "max_leaf_nodes": 7, "min_samples_leaf": 15, "random_state": 0}
    return HistGradientBoostingClassifier(**{**defaults, **options})


def columns(*parts: Any, **options: Any) -> ColumnTransformer:
    return ColumnTransformer(list(parts), **options)


def pipeline(*steps: Any) -> Pipeline:
    return Pipeline([(f"step{place}", step) for place, step in enumerate(steps)])


ORDINAL = ("ordinal", OrdinalEncoder(**UNKNOWN), TEXTS)
NULLABLE = {
    "boosting with categories behind the numbers, which the library puts in front": pipeline(
        columns(("scale", StandardScaler(), ["amount", "ratio"]), ("keep", "passthrough", ["visits"]), ORDINAL),
        boosting(categorical_features=[3, 4]),
    ),
    "boosting with a category between scaled numbers": pipeline(
        columns(("a", StandardScaler(), ["amount"]), ORDINAL, ("b", MinMaxScaler(), ["ratio", "visits"])),
        boosting(categorical_features=[1, 2]),
    ),
    "boosting on places as numbers, with codes of their own for unknown and missing": pipeline(
        columns(
            (
                "ordinal",
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                TEXTS,
            ),
            ("keep", "passthrough", NUMBERS),
        ),
        boosting(),
    ),
    "boosting with the remainder passed and a group dropped": pipeline(
        columns(("gone", "drop", ["city"]), ("grade", OrdinalEncoder(**UNKNOWN), ["grade"]), remainder="passthrough"),
        boosting(),
    ),
    "boosting with the remainder scaled": pipeline(
        columns(ORDINAL, remainder=StandardScaler()), boosting(categorical_features=[0])
    ),
    "boosting on numbers with many values taken as categories": pipeline(
        columns(("keep", "passthrough", NUMBERS)), boosting(categorical_features=[2])
    ),
    "boosting on one-hot columns": pipeline(
        columns(
            ("hot", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
            ("numbers", MinMaxScaler(clip=True), NUMBERS),
        ),
        boosting(),
    ),
    "boosting on encoded numbers": pipeline(
        columns(("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["amount", "visits"])),
        boosting(),
    ),
    "boosting whose trees are all one leaf": pipeline(
        columns(("keep", "passthrough", NUMBERS)), boosting(min_samples_leaf=1400)
    ),
    "logistic regression with imputed, scaled and one-hot columns": pipeline(
        columns(
            ("numbers", pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
            ("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS),
        ),
        LogisticRegression(max_iter=500),
    ),
    "logistic regression with imputed texts and a dropped first category": pipeline(
        columns(
            (
                "numbers",
                pipeline(SimpleImputer(strategy="constant", fill_value=-7.0), MinMaxScaler(clip=True)),
                NUMBERS,
            ),
            (
                "texts",
                pipeline(
                    SimpleImputer(strategy="most_frequent", missing_values=None),
                    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                ),
                TEXTS,
            ),
        ),
        "passthrough",
        LogisticRegression(max_iter=500),
    ),
}


@pytest.mark.parametrize("name", NULLABLE)
def test_lowered_estimator_equals_the_original(name: str, case: Any) -> None:
    rows, labels = case.training
    estimator = NULLABLE[name].fit(case.table(rows), labels)
    proven = case.prove(estimator, case.unseen)
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == 300
    assert proven.parity[1].rows >= 300
    assert max(item.max_error for item in proven.parity) <= 1e-12


def test_one_hot_with_a_dropped_category_equals_the_original(case: Any) -> None:
    rows, labels = case.training
    estimator = pipeline(
        columns(("hot", OneHotEncoder(drop="first"), TEXTS), ("ratio", "passthrough", ["ratio"])), LogisticRegression()
    ).fit(case.table(rows), labels)
    proven = case.prove(estimator, case.unseen, not_null=("ratio", "city"))
    assert proven.lowered.closed == {"city", "grade"}
    assert proven.parity[1].passed
    assert proven.parity[1].refused > 0


def test_more_categories_than_a_machine_word_has_bits(case: Any) -> None:
    rows = case.rows(4000, seed=4, levels=250)
    estimator = pipeline(
        columns(ORDINAL, ("keep", "passthrough", NUMBERS)), boosting(categorical_features=[0, 1], min_samples_leaf=5)
    ).fit(case.table(rows), case.target(rows, seed=5))
    proven = case.prove(estimator, case.rows(500, seed=6, levels=255))
    assert any(len(members) > 64 for tree in proven.lowered.trees for members in tree.members if members)
    assert all(item.passed for item in proven.parity)


def test_missing_values_that_training_never_saw_go_where_the_original_sends_them(case: Any) -> None:
    rows, labels = case.training
    full = {**rows, "amount": np.nan_to_num(rows["amount"], nan=3.0)}
    estimator = pipeline(columns(("keep", "passthrough", NUMBERS)), boosting()).fit(case.table(full), labels)
    assert case.prove(estimator, rows).parity[1].passed


def test_an_estimator_fitted_on_arrays_takes_the_columns_in_their_order(case: Any) -> None:
    rows, labels = case.training
    numbers = {name: rows[name] for name in NUMBERS}
    estimator = boosting().fit(np.column_stack(list(numbers.values())), labels)
    assert case.prove(estimator, numbers).parity[1].passed


def test_the_positive_class_is_the_second_of_text_classes(case: Any) -> None:
    rows, labels = case.training
    words = np.where(labels == 1, "yes", "no")
    estimator = pipeline(columns(("keep", "passthrough", NUMBERS)), boosting()).fit(case.table(rows), words)
    proven = case.prove(estimator, case.unseen)
    assert proven.predictor.signature.outputs[1].classes == ("no", "yes")
    assert proven.validation.native.labels.mean() > 0.3


def test_texts_given_to_boosting_itself_are_encoded_as_it_does(case: Any) -> None:
    rows, labels = case.training
    chosen = {"city": rows["city"], "ratio": rows["ratio"]}
    estimator = boosting(categorical_features=["city"]).fit(case.table(chosen), labels)
    proven = case.prove(estimator, {name: case.unseen[name] for name in chosen})
    assert all(item.passed for item in proven.parity)


def test_nothing_in_the_graph_meets_nan_in_a_set_of_categories(case: Any) -> None:
    rows, labels = case.training
    estimator = NULLABLE["boosting with a category between scaled numbers"].fit(case.table(rows), labels)
    proven = case.prove(estimator, case.unseen)
    import onnxruntime

    features = onnxruntime.InferenceSession(proven.lowered.probe).run(
        None, proven.predictor.tensors(proven.edges.columns)
    )[0]
    by_set = {
        int(tree.feature[node])
        for tree in proven.lowered.trees
        for node, members in enumerate(tree.members)
        if members is not None
    }
    assert by_set
    assert not np.isnan(features[:, sorted(by_set)]).any()
