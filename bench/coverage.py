"""How often intervals hold the truth: nominal against seen, on simulated samples whose truth is known.

Each case draws a sample, asks the function that the checks ask, and looks whether its interval holds the truth; misses
are told by side, since a verdict rests on one end. Groups share a part of the answers and of the chance that makes the
label; each row by itself has the law of an independent one. Beside them: DeLong's variance against the bootstrap's,
Benjamini and Hochberg's correction against SciPy's, and how many weak slices of S1 are none.

Run ``python bench/coverage.py --trials 1000``; prints the tables of docs/honest-verdicts.md. About ten minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from mintage.certify.answers import Answers
from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.metric import MetricName, find_metric
from mintage.certify.metric_interval import measure_gains, measure_gap, measure_metric
from mintage.certify.share import measure_share
from mintage.certify.slices import Rows, code_columns
from mintage.certify.weak import Search, halves, hits_of, strata_of
from mintage.stats.calibration import cox
from mintage.stats.delong import variances
from mintage.stats.groups import GroupedBootstrap
from mintage.stats.interval import Interval
from mintage.stats.multiplicity import benjamini_hochberg
from mintage.stats.proportions import newcombe
from mintage.stats.quantile import lower_limit, upper_limit
from mintage.stats.stability import stability

Numbers = NDArray[np.float64]
Draw = Callable[[np.random.Generator], tuple[Interval | None, float]]
RESAMPLING = Resampling(confidence=0.95, draws=2000, seed=1)


class Sample:
    """How many rows there are, and in how many groups; 0 of independent rows."""

    def __init__(self, rows: int, groups: int = 0) -> None:
        self.rows, self.groups = rows, groups
        self.codes = np.arange(rows) * groups // rows if groups else None

    def __str__(self) -> str:
        return f"{self.groups} groups of {self.rows // self.groups}" if self.groups else f"{self.rows} rows"

    def normal(self, rng: np.random.Generator, part: float = 0.2) -> Numbers:
        """Normal numbers, of which the rows of a group share ``part`` of the variance."""
        own = rng.normal(size=self.rows)
        if self.codes is None:
            return own
        return np.asarray(np.sqrt(1 - part) * own + np.sqrt(part) * rng.normal(size=self.groups)[self.codes])

    def hits(self, rng: np.random.Generator, share: Numbers | float) -> NDArray[np.int64]:
        """Rows of which a share hits."""
        return np.asarray(special.ndtr(self.normal(rng)) < share).astype(np.int64)

    def split(self, labels: NDArray[np.generic], answers: Answers) -> Split:
        """The rows as a split."""
        groups = None if self.codes is None else np.array([f"g{code:04d}" for code in self.codes], dtype=object)
        return Split(name="hold-out", columns={}, labels=labels, answers=answers, groups=groups)


def scored(sample: Sample, shift: float) -> Callable[[np.random.Generator], Split]:
    """Binary rows whose AUC is that of two normal distributions ``shift`` apart."""

    def draw(rng: np.random.Generator) -> Split:
        labels = sample.hits(rng, 0.3)
        score = special.expit(sample.normal(rng) + shift * labels)
        return sample.split(labels, Answers(task="binary", values=score))

    return draw


def calibrated(sample: Sample, steep: float = 1.0) -> Callable[[np.random.Generator], Split]:
    """Binary rows whose probability is told, ``steep`` times as sure as it should be."""

    def draw(rng: np.random.Generator) -> Split:
        line = 1.5 * sample.normal(rng) - 0.5
        labels = sample.hits(rng, special.expit(line))
        return sample.split(labels, Answers(task="binary", values=special.expit(steep * line)))

    return draw


def numbers(sample: Sample) -> Callable[[np.random.Generator], Split]:
    """A regression that explains four fifths, with errors that have heavy ends."""

    def draw(rng: np.random.Generator) -> Split:
        mean, error = 2 * sample.normal(rng), stats.t(5).ppf(special.ndtr(sample.normal(rng))) * np.sqrt(3 / 5)
        return sample.split(mean + error, Answers(task="regression", values=mean))

    return draw


def of_auc(shift: float) -> float:
    """The area under the curve of two normal distributions."""
    return float(special.ndtr(shift / np.sqrt(2)))


def metric_case(name: MetricName, draw: Callable[[np.random.Generator], Split], truth: float) -> Draw:
    """The interval of one metric."""

    def case(rng: np.random.Generator) -> tuple[Interval | None, float]:
        split = draw(rng)
        return measure_metric(find_metric(name, split.task), split, RESAMPLING).interval, truth

    return case


def large(name: MetricName, draw: Callable[[Sample], Callable[[np.random.Generator], Split]]) -> float:
    """The truth of a metric, from two million rows."""
    split = draw(Sample(2_000_000))(np.random.default_rng(98))
    return find_metric(name, split.task).value(split.labels, split.answers)


def cases() -> Iterator[tuple[str, str, Sample, Draw]]:
    """What is measured, by which checks, of what samples, and how one is drawn."""
    few, rows, many, days, weeks = Sample(100), Sample(300), Sample(1000), Sample(750, 30), Sample(250, 10)
    for sample in (few, rows, days, weeks):
        yield "AUC 0.76", "F1 L4 L6", sample, metric_case("roc_auc", scored(sample, 1.0), of_auc(1.0))
    for sample in (rows, days):
        yield "AUC 0.95", "F1 L4 L6", sample, metric_case("roc_auc", scored(sample, 2.3), of_auc(2.3))
        yield "gain of AUC, paired", "F2 F3 R1 R2", sample, _gain(sample)
        yield "gap of AUC", "F5", sample, _gap(sample)
    for metric in ("accuracy", "f1", "log_loss", "average_precision"):
        truth = large(metric, calibrated)
        for sample in (few, rows, days, weeks):
            yield metric, "F1", sample, metric_case(metric, calibrated(sample), truth)
    for regression in ("r2", "mae", "median_ae"):
        truth = large(regression, numbers)
        for sample in (few, rows, days, weeks):
            yield regression, "F1", sample, metric_case(regression, numbers(sample), truth)
    for share, samples in ((0.2, (few, rows, days)), (0.02, (rows, many, days, weeks))):
        for sample in samples:
            yield f"share of {100 * share:g} %", "D1 D4 F4 C2", sample, _share(sample, share)
    yield "difference of two shares", "L1", rows, _difference
    for sample in (rows, many, days, weeks):
        yield "Cox's slope, 1", "C1", sample, _slope(sample, 1.0)
        yield "Cox's slope, 0.5", "C1", sample, _slope(sample, 2.0)
    for sample in (many, Sample(2000, 40)):
        yield "stability index, 0.11", "D5", sample, _index(sample)
    yield "99th percentile of 2,000", "T1", Sample(2000), _quantile(0.99, 2000)
    yield "median of 100", "T1", few, _quantile(0.5, 100)


def _gain(sample: Sample) -> Draw:
    def case(rng: np.random.Generator) -> tuple[Interval | None, float]:
        labels, noise = sample.hits(rng, 0.3), sample.normal(rng)
        other = 0.8 * noise + 0.6 * sample.normal(rng)
        one, two = (
            Answers(task="binary", values=special.expit(part)) for part in (noise + 1.2 * labels, other + 1.0 * labels)
        )
        found = measure_gains(find_metric("roc_auc", "binary"), sample.split(labels, one), {"x": two}, RESAMPLING)
        return found["x"].interval, of_auc(1.2) - of_auc(1.0)

    return case


def _gap(sample: Sample) -> Draw:
    train = Sample(2 * sample.rows, 2 * sample.groups)

    def case(rng: np.random.Generator) -> tuple[Interval | None, float]:
        ours, theirs = scored(train, 1.2)(rng), scored(sample, 1.0)(rng)
        found = measure_gap(find_metric("roc_auc", "binary"), ours, theirs, RESAMPLING)
        return found.interval, of_auc(1.2) - of_auc(1.0)

    return case


def _share(sample: Sample, share: float) -> Draw:
    def case(rng: np.random.Generator) -> tuple[Interval | None, float]:
        hits = sample.hits(rng, share)
        split = sample.split(hits, Answers(task="binary", values=np.full(sample.rows, 0.5)))
        return measure_share(hits == 1, split, RESAMPLING).interval, share

    return case


def _difference(rng: np.random.Generator) -> tuple[Interval, float]:
    return newcombe(int(rng.binomial(300, 0.06)), 300, int(rng.binomial(900, 0.04)), 900, 0.95), 0.02


def _slope(sample: Sample, steep: float) -> Draw:
    def case(rng: np.random.Generator) -> tuple[Interval | None, float]:
        split = calibrated(sample, steep)(rng)
        fit = cox(split.labels == 1, split.scores, sample.codes)
        return None if fit is None else fit.slope_interval(0.95), 1 / steep

    return case


def _index(sample: Sample) -> Draw:
    ours, theirs = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.28, 0.3, 0.27, 0.15])
    truth = float(((ours - theirs) * np.log(ours / theirs)).sum())

    def case(rng: np.random.Generator) -> tuple[Interval, float]:
        counts, drawn = [], []
        for shares, place in ((ours, 0), (theirs, 1)):
            level = np.searchsorted(shares.cumsum()[:-1], special.ndtr(sample.normal(rng, 0.1)))
            codes = np.arange(sample.rows) if sample.codes is None else sample.codes
            table = np.zeros((int(codes.max()) + 1, len(shares)))
            np.add.at(table, (codes, level), 1)
            bootstrap = GroupedBootstrap(codes, seed=place, draws=1000)
            counts.append(table.sum(axis=0))
            drawn.append(np.concatenate([weights @ table for weights in bootstrap.chunks()]))
        units = sample.groups or sample.rows
        return stability(*counts, *drawn, units=units, confidence=0.95).interval, truth

    return case


def _quantile(q: float, count: int) -> Draw:
    def case(rng: np.random.Generator) -> tuple[Interval, float]:
        times = rng.gamma(4, 1.0, size=count)
        ends = lower_limit(times, q, 0.975), upper_limit(times, q, 0.975)
        return Interval(low=ends[0], high=ends[1], confidence=0.95), float(special.gammaincinv(4, q))

    return case


def covered(trials: int) -> None:
    """Print how often each interval holds its truth."""
    _say(f"| number | checks | sample | holds, of {trials} | truth below | truth above | without interval |")
    _say("|---|---|---|---|---|---|---|")
    for place, (name, checks, sample, draw) in enumerate(cases()):
        rng, counts = np.random.default_rng([4, place]), [0, 0, 0, 0]
        for _ in range(trials):
            interval, truth = draw(rng)
            side = 3 if interval is None else 1 if truth < interval.low else 2 if truth > interval.high else 0
            counts[side] += 1
        with_one = max(trials - counts[3], 1)
        shares = " | ".join(f"{100 * count / with_one:.1f} %" for count in counts[:3])
        _say(f"| {name} | {checks} | {sample} | {shares} | {counts[3]} |")


def oracles(trials: int) -> None:
    """Print our figures beside those of another way to come by them."""
    rng = np.random.default_rng(5)
    for sample in (Sample(300), Sample(750, 30)):
        ratios = []
        codes = np.arange(sample.rows) if sample.codes is None else sample.codes
        for _ in range(max(trials // 10, 1)):
            split = scored(sample, 1.0)(rng)
            closed = float(np.sqrt(variances(split.labels, [split.scores], sample.codes).covariance[0, 0]))
            resampled = GroupedBootstrap(codes, seed=1, draws=2000).aucs(split.labels, split.scores)
            ratios.append(closed / resampled.std())
        low, middle, high = np.quantile(ratios, [0.05, 0.5, 0.95])
        _say(f"DeLong's standard deviation over the bootstrap's, {sample}: {middle:.3f} [{low:.3f}, {high:.3f}]")
    apart = 0.0
    for _ in range(trials):
        p = rng.random(int(rng.integers(1, 200))) ** 3
        apart = max(apart, float(np.abs(benjamini_hochberg(p) - stats.false_discovery_control(p)).max()))
    _say(f"Benjamini and Hochberg, largest difference from SciPy over {trials} lists: {apart:.1g}")


def slices(trials: int) -> None:
    """Print how often S1's search finds slices that are none."""
    false = told = wrong = found = 0
    for trial in range(trials):
        rng = np.random.default_rng([6, trial])
        columns = {f"x{place}": rng.integers(0, 4, 4000).astype(np.float64) for place in range(8)}
        p = special.expit(1.5 * rng.normal(size=4000))
        labels = (rng.random(4000) < p).astype(np.int64)
        false += bool(_weak(columns, labels, p, rng))
        planted = (columns["x0"] == 2) & (columns["x1"] == 3)
        labels = np.where(planted & (rng.random(4000) < 0.5), 1 - labels, labels)
        overlaps = [bool((inside & planted).any()) for inside in _weak(columns, labels, p, rng)]
        told, wrong, found = told + len(overlaps), wrong + overlaps.count(False), found + any(overlaps)
    _say(f"S1, of {trials} models without a weak slice {false} were told one ({100 * false / trials:.1f} %)")
    _say(f"S1, one weak slice of 6 %: found in {found} of {trials}; of {told} slices told {wrong} had no row of it")


def _weak(
    columns: dict[str, Numbers], labels: NDArray[np.int64], p: Numbers, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    split = Split(name="hold-out", columns=columns, labels=labels, answers=Answers(task="binary", values=p))
    coded = code_columns(columns, columns)
    confirming, groups = halves(split, rng)
    search = Search(
        columns=coded, confirming=confirming, groups=groups, min_rows=40, ratio=1.25, q=0.1, resampling=RESAMPLING
    )
    weak = search.weak(Rows(hits=hits_of(labels, split.answers), strata=strata_of(split.answers)))
    return [item.found.slice.holds(coded) for item in weak]


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000, help="samples of each case")
    trials = parser.parse_args().trials
    covered(trials)
    oracles(trials)
    slices(max(trials // 5, 1))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
