"""A sound model of real flights and one policy that asks all checks of it: the twin of every planted fault.

New York's flights of 2013 with the weather of their hour, one in six, split by day at random: the weather of a day is
shared, so days are resampled. The model, boosted trees that may not rise with visibility, is fitted here. Everything
that a fault changes is a copy; the twin is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from certify_evidence import DOMAIN, ROOT, latency_run
from numpy.typing import NDArray
from scipy import special

from mintage.certify.answers import Answers
from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Champion, Evidence, Native, Role, Split
from mintage.certify.latency import RecordedLatency
from mintage.certify.order import OrderFacts
from mintage.certify.policy import parse_policy
from mintage.certify.served import Columns, Served
from mintage.repo.modelfile import DataFiles, InputSpec, ModelSpec

DATA = Path(__file__).parents[2] / "src" / "mintage" / "templates" / "flights" / "data"
THRESHOLD = 0.5
CARRIERS = ("AA", "B6", "DL", "EV", "MQ", "UA", "US")
NUMBERS = ("minute_of_day", "weekday", "distance", "humid", "wind_speed", "precip", "visib")
INPUTS = {
    "carrier": InputSpec(type="string", nullable=False, categories=(*CARRIERS, "other")),
    "origin": InputSpec(type="string", nullable=False, categories=("EWR", "JFK", "LGA")),
    "dest": InputSpec(type="string", nullable=False),
    "minute_of_day": InputSpec(type="float", range=(0, 1439), nullable=False),
    "weekday": InputSpec(type="float", range=(1, 7), nullable=False),
    "distance": InputSpec(type="float", range=(0, 6000), nullable=False),
    "humid": InputSpec(type="float", range=(0, 100)),
    "wind_speed": InputSpec(type="float", range=(0, 150)),
    "precip": InputSpec(type="float", range=(0, 10)),
    "visib": InputSpec(type="float", range=(0, 10), monotone="decreasing"),
    "flight": InputSpec(type="float", nullable=False),
}
POLICY = b"""
model: late
owner: risk@example.org
statistics: {seed: 11, draws: 1000}
requirements:
  - {id: f1, check: F1, metric: accuracy, min: 0.70}
  - {id: f2, check: F2}
  - {id: f3, check: F3, margin: 0.02}
  - {id: f4, check: F4, max_share: 0.08}
  - {id: f5, check: F5, max: 0.12}
  - {id: l1, check: L1}
  - {id: l2, check: L2}
  - {id: l3, check: L3}
  - {id: l4, check: L4}
  - {id: l5, check: L5, rows: 100}
  - {id: l6, check: L6, max: 0.75}
  - {id: d1, check: D1}
  - {id: d2, check: D2, columns: [origin, weekday], min: 0.95}
  - {id: d3, check: D3, columns: [carrier], pairs: false}
  - {id: d4, check: D4, max_share: 0.3}
  - {id: d5, check: D5, max: 0.3}
  - {id: s1, check: S1, control_share: 0.1}
  - {id: b1, check: B1, irrelevant: [flight]}
  - {id: b2, check: B2}
  - {id: b4, check: B4}
  - {id: b5, check: B5}
  - {id: c1, check: C1, slope: [0.5, 2.0], max_error: 0.12}
  - {id: c2, check: C2, margin: 0.1}
  - {id: r1, check: R1}
  - {id: r2, check: R2, shares: [0.1], max_loss: 0.07}
  - {id: r3, check: R3, share: 0.01, max: 12}
  - {id: z1, check: Z1}
  - {id: z3, check: Z3}
  - {id: t1.p50, check: T1, quantile: 0.5, max_ms: 5}
  - {id: t1.p99, check: T1, quantile: 0.99, max_ms: 25}
  - {id: v1, check: V1}
  - {id: v4, check: V4}
"""
PROVEN = OrderFacts(
    policy_commit="1",
    evidence_commit="2",
    policy_is_ancestor=True,
    policy_unchanged=True,
    witness="auditor",
    witnessed_at="2026-11-01T12:00:00Z",
    first_look_at="2026-11-02T12:00:00Z",
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of the table: inputs, labels, days and names of the rows."""

    columns: dict[str, NDArray[Any]]
    labels: NDArray[np.int64]
    days: NDArray[Any]
    ids: NDArray[Any]

    def __getitem__(self, kept: NDArray[Any]) -> Rows:
        return Rows(
            columns={name: column[kept] for name, column in self.columns.items()},
            labels=self.labels[kept],
            days=self.days[kept],
            ids=self.ids[kept],
        )


@cache
def flights() -> dict[str, Rows]:
    """Training, validation and hold-out."""
    import polars as pl

    weather = pl.read_parquet(DATA / "weather.parquet").unique(["origin", "hour"], keep="first", maintain_order=True)
    when = pl.col("scheduled_departure")
    table = (
        pl.read_parquet(DATA / "flights.parquet")
        .filter(pl.col("arr_delay").is_not_null())
        .gather_every(6)
        .with_columns(hour=when.dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
        .with_columns(
            day=when.dt.ordinal_day(),
            minute_of_day=when.dt.hour().cast(pl.Float64) * 60 + when.dt.minute(),
            weekday=when.dt.weekday().cast(pl.Float64),
            carrier=pl.when(pl.col("carrier").is_in(CARRIERS)).then("carrier").otherwise(pl.lit("other")),
        )
    )
    columns = {
        name: np.array(table[name].to_list(), dtype=object)
        if part.type == "string"
        else table[name].cast(pl.Float64).to_numpy()
        for name, part in INPUTS.items()
    }
    late = (table["arr_delay"] > 15).cast(pl.Int64).to_numpy()
    rows = Rows(columns=columns, labels=late, days=table["day"].to_numpy(), ids=np.arange(table.height))
    part = np.random.default_rng(2).permutation(367)[rows.days] % 10
    return {"training": rows[part < 5], "validation": rows[part == 5], "hold-out": rows[part > 5]}


def numbers(columns: Columns) -> NDArray[np.float64]:
    """The inputs as the trees take them: texts by their place, unknown ones as missing; of ``flight`` nothing."""
    found = []
    for name, known in (("carrier", (*CARRIERS, "other")), ("origin", ("EWR", "JFK", "LGA"))):
        places = {text: float(place) for place, text in enumerate(known)}
        found.append([places.get(text, np.nan) for text in columns[name].tolist()])
    return np.column_stack([*found, *(columns[name].astype(np.float64) for name in NUMBERS)])


@cache
def fitted() -> Any:
    """Boosted trees on the training rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    signs = [0, 0, *(-1 if name == "visib" else 0 for name in NUMBERS)]
    trees = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, min_samples_leaf=200, monotonic_cst=signs, early_stopping=False, random_state=1
    )
    rows = flights()["training"]
    return trees.fit(numbers(rows.columns), rows.labels)


def raw(columns: Columns) -> NDArray[np.float64]:
    """The sound model's log-odds."""
    from mintage.certify.scikit import open_scikit

    with open_scikit("x").one_thread():
        return np.asarray(fitted().decision_function(numbers(columns)), dtype=np.float64)


def answers(log_odds: NDArray[np.float64], *, threshold: float = THRESHOLD) -> Answers:
    """The answers of these log-odds."""
    return Answers(task="binary", values=special.expit(log_odds), threshold=threshold)


def sound(columns: Columns) -> Answers:
    """The sound model."""
    return answers(raw(columns))


def split_of(name: str, rows: Rows, model: Callable[[Columns], Answers]) -> Split:
    """Rows as a split, answered by a model."""
    extra: dict[Role, NDArray[Any]] = {"id": rows.ids.astype(object), "group": rows.days.astype(object)}
    return Split(
        name=name,
        columns=rows.columns,
        labels=rows.labels,
        answers=model(rows.columns),
        groups=rows.days,
        extra=extra,
    )


def accepts(columns: Columns) -> NDArray[np.bool_]:
    """What the signature lets in: no missing value of what may not be missing."""
    inside = np.ones(len(columns["origin"]), dtype=bool)
    for name, part in INPUTS.items():
        if name in columns and not part.nullable:
            column = columns[name]
            inside &= ~np.isnan(column) if column.dtype.kind == "f" else column != None  # noqa: E711
    return inside


def make(model: Callable[[Columns], Answers], *, rows: Mapping[str, Rows] | None = None, **changes: Any) -> Evidence:
    """The evidence of a model, by default on the rows of the twin."""
    found = {name: split_of(name, part, model) for name, part in (rows or flights()).items()}
    values = found["hold-out"].answers.values
    parts: dict[str, Any] = {
        "model": "late",
        "root": ROOT,
        "domain": DOMAIN,
        "classes": ("on time", "late"),
        "group_key": "day",
        "train": found["training"],
        "validation": found["validation"],
        "holdout": found["hold-out"],
        "native": Native(holdout=values, edge=values[:50], edge_served=values[:50]),
        "latency": RecordedLatency(latency_run(np.random.default_rng(3).gamma(4, 0.0003, size=2000))),
        "champion": Champion(root=ROOT, answers=sound(found["hold-out"].columns)),
        "order": PROVEN,
        "served": Served(model, accepts=accepts),
        "spec": spec_of(INPUTS),
        "formats": {"model.onnx": "onnx", "card.json": "json"},
    }
    return Evidence(**(parts | changes))


def spec_of(inputs: Mapping[str, InputSpec], **changes: Any) -> ModelSpec:
    """The model file."""
    parts: dict[str, Any] = {
        "model": "late",
        "task": "binary",
        "target": "late",
        "purpose": "x",
        "owner": "x",
        "inputs": dict(inputs),
        "data": DataFiles(train="a", validation="b", holdout="c"),
        "id": "flight_id",
        "group_key": "day",
    }
    return ModelSpec(**(parts | changes))


@cache
def twin() -> Evidence:
    """The evidence without a fault."""
    return make(sound)


def results(evidence: Evidence, *only: str) -> dict[str, CheckResult]:
    """The results by requirement, of all or of those named."""
    policy = parse_policy(POLICY, where="late.yaml")
    if only:
        asked = tuple(item for item in policy.requirements if item.id in only)
        policy = msgspec.structs.replace(policy, requirements=asked)
    return {item.requirement: item for item in certify(evidence, policy).results}
