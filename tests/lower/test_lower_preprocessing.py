"""Transformers of numbers and categories give the library's own answers, on real flights and on edge rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier

from mintage.errors import EstimatorRefusedError, ParityFailedError
from mintage.lower.extract.main import main as extract_estimator
from mintage.lower.graph import Graph
from mintage.lower.intervals import edge_tree, interpolate, locate
from mintage.model.prove import answer, prove

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
HOT = ("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS)
TARGET = ("texts", TargetEncoder(cv=StratifiedKFold(3)), TEXTS)


def linear(*steps: Any, last: Any = None, texts: Any = TARGET) -> Pipeline:
    """Numbers through ``steps``, texts encoded, and a linear model on both."""
    numbers = NUMBERS[:2] if any(isinstance(step, KBinsDiscretizer) for step in steps) else NUMBERS
    parts = ColumnTransformer([("numbers", make_pipeline(*steps), numbers), texts])
    return make_pipeline(parts, last or make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)))


def boosted(*steps: Any, texts: Any = TARGET) -> Pipeline:
    trees = HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=6, random_state=0)
    return linear(*steps, last=trees, texts=texts)


def median() -> SimpleImputer:
    return SimpleImputer(strategy="median")


def bins(**options: Any) -> KBinsDiscretizer:
    return KBinsDiscretizer(**{"n_bins": 5, "quantile_method": "averaged_inverted_cdf", **options})


def some(rows: Any, count: int | None = None) -> Any:
    """The first ``count`` rows of the columns used here."""
    return {name: rows[name][:count] for name in NUMBERS + TEXTS}


EXACT = {
    "divided by the largest": linear(median(), MaxAbsScaler()),
    "divided by the largest and clipped": linear(median(), MaxAbsScaler(clip=True)),
    "scaled by quantiles": linear(median(), RobustScaler()),
    "scaled by quantiles but not centred": boosted(RobustScaler(with_centering=False, quantile_range=(10, 90))),
    "rows of norm l1": linear(median(), Normalizer("l1")),
    "rows of norm l2": linear(median(), StandardScaler(), Normalizer("l2")),
    "rows of norm max": boosted(median(), Normalizer("max")),
    "places of bins with as many rows": linear(median(), bins(encode="ordinal")),
    "bins as wide, one-hot and sparse": linear(
        median(), bins(encode="onehot", strategy="uniform"), last=LogisticRegression(max_iter=300), texts=HOT
    ),
    "bins around means, one-hot": linear(median(), bins(encode="onehot-dense", strategy="kmeans", random_state=0)),
    "scaled bins for trees": boosted(median(), RobustScaler(), bins(encode="ordinal")),
    "uniform quantiles": linear(median(), QuantileTransformer(n_quantiles=100)),
    "uniform quantiles with missing values for trees": boosted(QuantileTransformer(n_quantiles=100)),
    "normal quantiles": linear(QuantileTransformer(n_quantiles=100, output_distribution="normal"), median()),
    "powers of any sign": linear(median(), PowerTransformer()),
    "powers of any sign, not standardised, filled afterwards": linear(PowerTransformer(standardize=False), median()),
    "the most frequent, and flags of what was missing": linear(
        SimpleImputer(strategy="most_frequent", add_indicator=True)
    ),
    "a constant, and flags for trees": boosted(SimpleImputer(strategy="constant", fill_value=-1.0, add_indicator=True)),
    "a quantile of one's own": linear(SimpleImputer(strategy=np.max)),
    "powers for trees": boosted(PowerTransformer()),
    "rows of norm l2 for trees": boosted(median(), StandardScaler(), Normalizer("l2")),
    "bins of powers": linear(median(), PowerTransformer(), bins(encode="ordinal")),
    "categories as means of the target for trees": boosted(MinMaxScaler()),
    "stochastic gradient descent": linear(
        median(), StandardScaler(), last=SGDClassifier(loss="log_loss", random_state=0)
    ),
    "linear discriminants": linear(median(), StandardScaler(), last=LinearDiscriminantAnalysis()),
}


@pytest.mark.parametrize("name", EXACT)
def test_lowered_transformers_equal_the_original_on_flights(name: str, case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    estimator = EXACT[name].fit(case.table(some(rows)), late)
    proven = case.prove(estimator, some(unseen, 600))
    assert [item.passed for item in proven.parity] == [True, True]
    assert proven.parity[0].compared == 600
    assert max(item.max_error for item in proven.parity) <= 1e-12
    assert sum(item.label_flips for item in proven.parity) == 0


def test_splits_on_numbers_whose_last_bit_differs_are_counted(case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    powers, plain = (
        case.prove(boosted(step).fit(case.table(some(rows)), late), some(unseen, 100)).lowered
        for step in (PowerTransformer(), MinMaxScaler())
    )
    numeric = sum(source not in TEXTS for source in powers.sources)
    assert sum(powers.rounded) >= len(NUMBERS)
    assert 0 < powers.rounded_splits < sum(int((~tree.is_leaf).sum()) for tree in powers.trees)
    assert numeric > len(NUMBERS)
    assert plain.rounded_splits == 0


def test_a_difference_behind_rounded_numbers_is_not_called_a_fault_of_the_lowering(case: Any) -> None:
    rows, labels = case.training
    numbers = {name: rows[name] for name in ("ratio", "visits")}
    first, second = (
        make_pipeline(PCA(random_state=0), DecisionTreeClassifier(max_depth=3)).fit(case.table(numbers), target)
        for target in (labels, 1 - labels)
    )
    proven = case.prove(first, numbers, not_null=("ratio", "visits"))
    joblib.dump(second, case.folder / "other.joblib")

    def extract(asked: Path, out: Path) -> None:
        assert extract_estimator([str(case.folder / "other.joblib"), str(asked), str(out)]) == 0

    other, _ = answer("validation", numbers, extract, case.folder / "other")
    with pytest.raises(ParityFailedError) as caught:
        prove(
            other,
            lowered=proven.lowered,
            predictor=proven.predictor,
            extract=extract,
            folder=case.folder,
            rng=np.random.default_rng(0),
        )
    assert "last bit differs" in (caught.value.hint or "")


def test_edge_rows_stand_at_the_edges_of_bins_and_quantiles(case: Any, flights: Any) -> None:
    (rows, late), unseen = flights
    estimator = linear(median(), bins(encode="ordinal")).fit(case.table(some(rows)), late)
    inner = estimator[0].named_transformers_["numbers"][1].bin_edges_[1][1:-1]
    seen = set(case.prove(estimator, some(unseen, 300)).edges.columns["distance"].tolist())
    for edge in inner.tolist():
        assert {edge, np.nextafter(edge, -np.inf), np.nextafter(np.nextafter(edge, -np.inf), -np.inf)} <= seen


edges = st.lists(st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-200), min_size=1, max_size=30)


@given(edges, st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_intervals_are_searched_and_interpolated_as_numpy_does(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs = np.sort(np.array([*values, *values[: len(values) // 3]]))
    ys = np.sort(rng.normal(size=len(xs)))
    at = [*xs, *np.nextafter(xs, np.inf), *np.nextafter(xs, -np.inf), *rng.choice(xs, 5) + rng.normal(size=5), np.nan]
    probes = np.array([*at, 1e300, -1e300])
    graph = Graph()
    x = graph.input("x", text=False)
    outputs = {"place": locate(graph, edge_tree(xs), x), "line": interpolate(graph, x, xs, ys)}
    session = onnxruntime.InferenceSession(graph.model(outputs={name: (t, "double", 1) for name, t in outputs.items()}))
    place, line = (found.ravel() for found in session.run(["place", "line"], {"x": probes.reshape(-1, 1)}))
    known = ~np.isnan(probes)
    assert (place[known] == np.searchsorted(xs, probes[known], side="right")).all()
    np.testing.assert_allclose(line[known], np.interp(probes[known], xs, ys), rtol=1e-15, atol=1e-15)
    assert np.isnan(line[~known]).all()


@pytest.mark.parametrize("powers", [(0.0, 1.0, 2.0), (2.7, -1.3, 1e-9), (0.5, 2.0 + 1e-9, -0.02)])
def test_any_power_equals_the_original(powers: tuple[float, ...], case: Any) -> None:
    rows, labels = case.training
    numbers = ["amount", "ratio", "visits"]
    parts = ColumnTransformer([("numbers", make_pipeline(median(), PowerTransformer(standardize=False)), numbers)])
    estimator = make_pipeline(parts, MaxAbsScaler(), LogisticRegression())
    estimator.fit(case.table({name: rows[name] for name in numbers}), labels)
    estimator[0].named_transformers_["numbers"][1].lambdas_ = np.array(powers)
    proven = case.prove(estimator, {name: case.unseen[name] for name in numbers})
    assert all(item.passed for item in proven.parity)


@pytest.mark.parametrize(("power", "standardize"), [(None, True), (0.0, False), (-0.7, False), (3.1, False)])
def test_box_cox_equals_the_original_and_numbers_that_it_refuses_are_refused(
    power: float | None, standardize: bool, case: Any
) -> None:
    rows, labels = case.training
    inner = make_pipeline(median(), PowerTransformer("box-cox", standardize=standardize))
    parts = ColumnTransformer([("amount", inner, ["amount"]), ("ratio", "passthrough", ["ratio"])])
    chosen = {name: rows[name] for name in ("amount", "ratio")}
    estimator = make_pipeline(parts, LogisticRegression()).fit(case.table(chosen), labels)
    if power is not None:
        estimator[0].named_transformers_["amount"][1].lambdas_ = np.array([power])
    proven = case.prove(estimator, {name: case.unseen[name] for name in chosen}, not_null=("ratio",))
    assert all(item.passed for item in proven.parity)
    low, high = proven.predictor.signature.inputs[0].limits
    assert 0 < low < 1e-100
    assert (high < 1e120) == (power == 3.1)


def test_texts_are_filled_and_flagged_as_the_original_does(case: Any) -> None:
    rows, labels = case.training
    filled = SimpleImputer(strategy="most_frequent", missing_values=None, add_indicator=True)
    parts = ColumnTransformer(
        [
            ("texts", make_pipeline(filled, OneHotEncoder(handle_unknown="ignore")), ["city", "grade"]),
            ("flags", MissingIndicator(error_on_new=False), ["amount", "ratio"]),
            ("grade", MissingIndicator(missing_values=None, features="all"), ["grade"]),
        ]
    )
    chosen = {name: rows[name] for name in ("city", "grade", "amount", "ratio")}
    estimator = make_pipeline(parts, LogisticRegression(max_iter=300)).fit(case.table(chosen), labels)
    proven = case.prove(estimator, {name: case.unseen[name] for name in chosen})
    assert all(item.passed for item in proven.parity)


@pytest.mark.parametrize(
    ("estimator", "found", "where"),
    [
        (linear(median(), bins(encode="ordinal", dtype=np.float32)), "dtype", "columntransformer/numbers/kbinsdisc"),
        (
            make_pipeline(ColumnTransformer([("flags", MissingIndicator(), NUMBERS)]), LogisticRegression()),
            "error_on_new",
            "columntransformer/flags",
        ),
    ],
)
def test_what_would_not_be_exact_is_refused_with_its_place(
    estimator: Any, found: str, where: str, case: Any, flights: Any
) -> None:
    (rows, late), _ = flights
    rows = some(rows)
    whole = {name: np.nan_to_num(column) if column.dtype == float else column for name, column in rows.items()}
    seen = rows if "flags" in where or "boosting" in where else whole
    with pytest.raises(EstimatorRefusedError, match=found) as caught:
        case.prove(estimator.fit(case.table(seen), late), some(seen, 50))
    assert (caught.value.where or "").startswith(f"estimator/{where}")
    assert "entry point" in (caught.value.hint or "")


def test_powers_that_lie_too_close_together_are_refused(case: Any) -> None:
    rows, labels = case.training
    years = {"year": 2010.0 + rows["visits"]}
    inner = ColumnTransformer([("year", PowerTransformer(), ["year"])])
    estimator = make_pipeline(inner, LogisticRegression()).fit(case.table(years), labels)
    inner = estimator[0].named_transformers_["year"]
    inner._scaler.mean_, inner._scaler.scale_ = np.array([0.05]), np.array([1e-12])
    with pytest.raises(EstimatorRefusedError, match="rounding shows"):
        case.prove(estimator, years)
