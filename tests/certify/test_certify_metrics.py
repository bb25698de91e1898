"""Each metric is scikit-learn's, a resample is the metric of the rows drawn, and what has no value says why."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from certify_evidence import binary, make_evidence
from certify_tasks import task_evidence

from mintage.certify.answers import Answers, Task
from mintage.certify.check import Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.metric import find_metric, metrics_of
from mintage.certify.metric_interval import measure_gains, measure_gap, measure_metric
from mintage.errors import EvidenceInvalidError
from mintage.stats.groups import GroupedBootstrap

metrics = pytest.importorskip("sklearn.metrics")
RESAMPLING = Resampling(confidence=0.95, draws=2000, seed=3)
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


def evidence_of(task: str, **options: Any) -> Evidence:
    return make_evidence(rows=40, days=25, **options) if task == "binary" else task_evidence(task, **options)


def sklearn_value(name: str, y: np.ndarray, answers: Answers) -> float:
    many, values = answers.task == "multiclass", answers.values
    labels = None if answers.task == "regression" else answers.labels
    average = "macro" if many else "binary"
    found = {
        "roc_auc": lambda: metrics.roc_auc_score(y, values, **({"multi_class": "ovr"} if many else {})),
        "average_precision": lambda: metrics.average_precision_score(y, values),
        "log_loss": lambda: metrics.log_loss(y, values),
        "brier": lambda: metrics.brier_score_loss(y, values),
        "accuracy": lambda: metrics.accuracy_score(y, labels),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, labels),
        "f1": lambda: metrics.f1_score(y, labels, average=average),
        "precision": lambda: metrics.precision_score(y, labels),
        "recall": lambda: metrics.recall_score(y, labels),
        "r2": lambda: metrics.r2_score(y, values),
        "mae": lambda: metrics.mean_absolute_error(y, values),
        "rmse": lambda: metrics.root_mean_squared_error(y, values),
        "median_ae": lambda: metrics.median_absolute_error(y, values),
        "mape": lambda: metrics.mean_absolute_percentage_error(y, values),
        "pinball": lambda: metrics.mean_pinball_loss(y, values, alpha=0.5),
    }
    return float(found[name]())


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_of_a_task_is_that_of_scikit_learn(task: Task) -> None:
    split = evidence_of(task).holdout
    for name in metrics_of(task):
        value = find_metric(name, task).value(split.labels, split.answers)
        assert value == pytest.approx(sklearn_value(name, split.labels, split.answers), rel=1e-10), name


def test_the_pinball_loss_of_a_quantile_is_that_of_scikit_learn() -> None:
    split = evidence_of("regression").holdout
    value = find_metric("pinball", "regression", quantile=0.9).value(split.labels, split.answers)
    assert value == pytest.approx(metrics.mean_pinball_loss(split.labels, split.answers.values, alpha=0.9), rel=1e-12)


def test_tied_scores_count_together_in_average_precision() -> None:
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 300), rng.integers(0, 6, 300) / 5
    value = find_metric("average_precision", "binary").value(y, binary(score))
    assert value == pytest.approx(metrics.average_precision_score(y, score), rel=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_a_resample_is_the_metric_of_the_rows_drawn(task: Task) -> None:
    split = evidence_of(task).holdout
    bootstrap = GroupedBootstrap(split.groups, seed=5, draws=3)
    drawn = np.repeat(np.arange(split.rows), bootstrap.weights()[1].astype(int)[bootstrap.index])
    for name in metrics_of(task):
        metric = find_metric(name, task)
        sample = metric.samples(split.labels, split.answers, bootstrap)[1]
        assert sample == pytest.approx(metric.value(split.labels[drawn], split.answers[drawn]), rel=1e-9), name


@pytest.mark.parametrize(
    ("task", "name", "labels", "values"),
    [
        ("binary", "roc_auc", [0, 0], [0.1, 0.9]),
        ("binary", "precision", [0, 1], [0.1, 0.2]),
        ("binary", "recall", [0, 0], [0.1, 0.9]),
        ("binary", "average_precision", [0, 0], [0.1, 0.9]),
        ("multiclass", "roc_auc", [0, 1], [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]]),
        ("multiclass", "balanced_accuracy", [0, 1], [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]]),
        ("regression", "r2", [4.0, 4.0], [3.0, 5.0]),
        ("regression", "mape", [0.0, 4.0], [3.0, 5.0]),
    ],
)
def test_a_metric_without_a_value_is_left_open_and_says_why(task: Task, name: Any, labels: Any, values: Any) -> None:
    answers = Answers(task=task, values=np.array(values))
    metric = find_metric(name, task)
    assert math.isnan(metric.value(np.array(labels), answers))
    split = Split(name="hold-out", columns={"a": np.zeros(2)}, labels=np.array(labels), answers=answers)
    measured = measure_metric(metric, split, RESAMPLING)
    assert (measured.estimate, measured.interval) == (None, None)
    assert measured.undecided == f"it is not defined: {metric.undefined}"


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_closed_form_of_auc_is_as_wide_as_the_resampling(task: Task) -> None:
    evidence = evidence_of(task)
    split, metric = evidence.holdout, find_metric("roc_auc", task)
    closed = measure_metric(metric, split, RESAMPLING)
    assert closed.method == "DeLong, summed by group" and closed.interval is not None
    samples = metric.samples(split.labels, split.answers, GroupedBootstrap(split.groups, seed=1, draws=2000))
    wide = np.quantile(samples, 0.975) - np.quantile(samples, 0.025)
    assert closed.interval.high - closed.interval.low == pytest.approx(wide, rel=0.2)
    assert closed.estimate == pytest.approx(metric.value(split.labels, split.answers), abs=1e-12)


def test_few_groups_are_resampled_and_many_are_not() -> None:
    few, many = make_evidence(days=19, rows=40).holdout, make_evidence(days=20, rows=40).holdout
    methods = [measure_metric(find_metric("roc_auc", "binary"), split, RESAMPLING).method for split in (few, many)]
    assert methods == ["resampled groups", "DeLong, summed by group"]


def test_a_rate_of_independent_rows_has_its_closed_form_and_of_grouped_ones_it_is_resampled() -> None:
    grouped = evidence_of("multiclass").holdout
    free = evidence_of("multiclass", grouped=False).holdout
    accuracy = find_metric("accuracy", "multiclass")
    one, other = (measure_metric(accuracy, split, RESAMPLING) for split in (free, grouped))
    assert one.method is not None and one.method.startswith("Wilson, ") and one.method.endswith(" of 1,000")
    assert other.method == "resampled groups"
    assert one.interval is not None and other.interval is not None
    assert one.interval.high - one.interval.low == pytest.approx(other.interval.high - other.interval.low, rel=0.5)


@pytest.mark.parametrize("task", TASKS)
def test_a_gain_over_itself_is_nothing_and_a_gap_has_its_sign(task: Task) -> None:
    evidence = evidence_of(task)
    split = evidence.holdout
    for name in metrics_of(task)[:2]:
        metric = find_metric(name, task)
        (gain,) = measure_gains(metric, split, {"same": split.answers}, RESAMPLING).values()
        assert gain.estimate == 0.0 and gain.interval is not None and gain.interval.contains(0.0)
        gap = measure_gap(metric, evidence.train, split, RESAMPLING)
        on_train, on_holdout = (metric.value(one.labels, one.answers) for one in (evidence.train, split))
        assert gap.estimate == pytest.approx(metric.sign * (on_train - on_holdout), abs=1e-12)


@pytest.mark.parametrize(
    ("task", "values", "says"),
    [
        ("binary", [0.1, np.nan], "1 of 2 are no probabilities"),
        ("binary", [0.1, 1.5], "no probabilities"),
        ("binary", [[0.1, 0.9]], "not those of a binary model"),
        ("multiclass", [0.1, 0.9], "not those of a multiclass model"),
        ("multiclass", [[0.1, 0.3, 0.3]], "do not sum to one"),
        ("multiclass", [[0.5, 0.7, -0.2]], "no probabilities"),
        ("regression", [1.0, np.inf], "1 of 2 are no numbers"),
    ],
)
def test_answers_that_no_model_of_the_task_gives_are_refused(task: Task, values: Any, says: str) -> None:
    with pytest.raises(EvidenceInvalidError, match=says):
        Answers(task=task, values=np.array(values))
