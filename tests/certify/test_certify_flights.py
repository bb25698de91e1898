"""The demo's model on the real flights, judged by the demo's policy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mintage.certify.answers import Answers
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.evidence import Evidence, Native, Split
from mintage.certify.policy import read_policy
from mintage.repo.modelfile import ModelSpec, domain_digest, parse_model_file
from mintage.stats.auc import auc
from mintage.stats.groups import GroupedBootstrap, expanded_percentile

joblib = pytest.importorskip("joblib")
polars = pytest.importorskip("polars")
metrics = pytest.importorskip("sklearn.metrics")
TEMPLATE = Path(__file__).parents[2] / "src" / "mintage" / "templates" / "flights"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template after its own scripts prepared the data and trained."""
    folder = tmp_path_factory.mktemp("flights") / "project"
    shutil.copytree(TEMPLATE, folder)
    for script in ("prepare.py", "train.py"):
        subprocess.run([sys.executable, script], cwd=folder, check=True, env=os.environ | {"MINTAGE_SEED": "7"})
    return folder


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return parse_model_file((TEMPLATE / "models" / "late.yaml").read_bytes(), where="models/late.yaml")


@pytest.fixture(scope="module")
def evidence(trained: Path, spec: ModelSpec) -> Evidence:
    model = joblib.load(trained / "work" / "model.joblib")

    def split(name: str, path: str) -> Split:
        table = pq.read_table(trained / path)
        columns = {
            column: np.array(table[column].to_pylist(), dtype=object)
            if part.type == "string"
            else table[column].to_numpy().astype(np.float64)
            for column, part in spec.inputs.items()
        }
        scores = model.predict_proba(polars.from_arrow(table).select(list(columns)))[:, 1]
        groups = np.array(table[spec.group_key].to_pylist(), dtype=object)
        labels = table[spec.target].to_numpy()
        answers = Answers(task="binary", values=scores, threshold=spec.threshold)
        return Split(name=name, columns=columns, labels=labels, answers=answers, groups=groups)

    holdout = split("hold-out", spec.data.holdout)
    edge = np.array([0.5])
    return Evidence(
        model=spec.model,
        root="sha256:" + "a" * 64,
        domain=domain_digest(spec),
        train=split("training", spec.data.train),
        holdout=holdout,
        group_key=spec.group_key,
        native=Native(holdout=holdout.scores, edge=edge, edge_served=edge),
    )


def test_the_demos_model_meets_every_requirement_but_what_only_a_server_can_show(evidence: Evidence) -> None:
    outcome = certify(evidence, read_policy(TEMPLATE / "policies" / "late.yaml"))
    results = {result.requirement: result for result in outcome.results}
    assert {name for name, result in results.items() if result.verdict == "PASS"} == {
        "performance.auc",
        "performance.trivial",
        "overfitting.gap",
        "leakage.shared-rows",
        "leakage.single-column",
        "data.unseen",
        "export.parity",
    }
    assert [name for name, result in results.items() if result.verdict == "FAIL"] == ["data.coverage"]
    assert results["performance.champion"].verdict == "NOT_APPLICABLE"
    assert results["performance.one-feature"].verdict == "INCONCLUSIVE"
    assert results["latency.p99"].reason.startswith("latency was not measured")
    assert results["order.policy-first"].reason.startswith("order not proven")
    assert (outcome.verdict, results["performance.auc"].groups) == ("INCONCLUSIVE", 7)
    parse_certificate(
        certificate_statement(outcome, files={"model.onnx": "sha256:" + "b" * 64}, issued="2026-11-01T12:00:00Z")
    )


def test_a_days_flights_resampled_together_give_a_wider_interval_than_row_by_row(evidence: Evidence) -> None:
    split = evidence.holdout
    widths = []
    for bootstrap in (
        GroupedBootstrap(split.groups, seed=1, draws=1000),
        GroupedBootstrap.of_rows(split.rows, seed=1, draws=1000),
    ):
        samples = bootstrap.aucs(split.labels, split.scores)
        interval = expanded_percentile(samples, auc(split.labels, split.scores), bootstrap.groups)
        widths.append(interval.high - interval.low)
    assert widths[0] > 2 * widths[1]


def test_auc_of_the_demos_model_is_that_of_scikit_learn(evidence: Evidence) -> None:
    for split in (evidence.train, evidence.holdout):
        assert auc(split.labels, split.scores) == pytest.approx(
            metrics.roc_auc_score(split.labels, split.scores), abs=1e-12
        )
