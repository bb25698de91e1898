"""The data of the projects in ``projects/``, made anew by seeded generators, so that Git holds none of it.

``DATA[project](folder)`` writes what the project's scripts read. Each table has enough rows for a verdict, floats among
its columns (so that no row of one part is in another by chance), and labels that its columns tell well but not wholly.
Two are real: ``plain_csv`` and ``images`` are scikit-learn's own data sets of tumours and of handwritten digits.

>>> sorted(set(DATA) - {"best_on_test", "two_models", "two_targets"})[:3]
['argparse_options', 'hydra_config', 'images']
"""

from __future__ import annotations

import csv
import gzip
import io
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["DATA"]

ROWS = 4000
Columns = Mapping[str, Any]


def _csv(columns: Columns, *, separator: str = ",") -> str:
    text = io.StringIO()
    lines = csv.writer(text, delimiter=separator, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows(zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True))
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _coin(rng: np.random.Generator, logit: Any) -> Any:
    return rng.random(len(logit)) < 1 / (1 + np.exp(-logit))


def _customers(seed: int) -> tuple[np.random.Generator, dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    tenure = np.round(rng.gamma(2.0, 14.0, ROWS), 2)
    charge = np.round(rng.normal(55, 18, ROWS), 2)
    support = np.round(rng.exponential(12, ROWS), 3)
    contract = rng.choice(["monthly", "yearly"], ROWS, p=[0.6, 0.4])
    columns = {"tenure_months": tenure, "monthly_charge": charge, "support_minutes": support, "contract": contract}
    leaves = 0.5 - tenure / 18 + (charge - 55) / 20 + support / 14 - 1.2 * (contract == "yearly")
    return rng, columns, _coin(rng, leaves)


def _script(folder: Path) -> None:
    rng, columns, leaves = _customers(1)
    charge = [
        None if gap else value for gap, value in zip(rng.random(ROWS) < 0.03, columns["monthly_charge"], strict=True)
    ]
    region = rng.choice(["north", "south", "west"], ROWS)
    table = {"customer_id": np.arange(10_000, 10_000 + ROWS), **columns, "monthly_charge": charge, "region": region}
    _write(folder / "customers.csv", _csv({**table, "churned": np.where(leaves, "yes", "no")}))


def _package(folder: Path) -> None:
    _, columns, leaves = _customers(2)
    _write(folder / "data/customers.csv", _csv({**columns, "outcome": np.where(leaves, "leave", "stay")}))


def _two_scripts(folder: Path) -> None:
    rng = np.random.default_rng(3)
    income, amount = np.round(rng.lognormal(10.3, 0.5, ROWS), 2), np.round(rng.lognormal(9, 0.7, ROWS), 2)
    years, ratio = np.round(rng.exponential(6, ROWS), 1), np.round(rng.beta(2, 5, ROWS), 5)
    bad = _coin(rng, -1.0 + 1.5 * np.log(amount / income * 4) - years / 8 + 4 * (ratio - 0.3))
    shown = [None if gap else value for gap, value in zip(rng.random(ROWS) < 0.02, income, strict=True)]
    table = {"income": shown, "amount": amount, "years_employed": years, "debt_ratio": ratio}
    _write(folder / "raw/loans.csv", _csv({**table, "defaulted": bad.astype(int)}, separator=";"))


def _notebook(folder: Path) -> None:
    rng = np.random.default_rng(4)
    minute, amount = rng.integers(0, 1440, ROWS), np.round(rng.lognormal(3.5, 1, ROWS), 2)
    distance = np.round(rng.exponential(30, ROWS), 3)
    fraud = _coin(rng, -2.5 + 0.7 * (np.log(amount) - 3.5) + distance / 25 + 1.5 * (minute < 300))
    at = [f"2025-11-{1 + n * 30 // ROWS:02} {m // 60:02}:{m % 60:02}:00" for n, m in enumerate(minute.tolist())]
    _write(
        folder / "payments.csv",
        _csv({"at": at, "amount": amount, "distance_km": distance, "fraud": fraud.astype(int)}),
    )


def _argparse_options(folder: Path) -> None:
    rng = np.random.default_rng(5)
    age, days, score = np.round(rng.normal(64, 12, ROWS), 1), np.round(rng.gamma(2, 3, ROWS), 2), rng.normal(0, 1, ROWS)
    back = _coin(rng, -0.5 + (age - 64) / 12 + (days - 6) / 4 + score)
    table = {"stay": np.arange(ROWS), "age": age, "days": days, "score": np.round(score, 6)}
    (folder / "data").mkdir()
    with (folder / "data/stays.csv.gz").open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as stream:
        stream.write(_csv({**table, "readmitted": back}).encode())


def _hydra_config(folder: Path) -> None:
    rng = np.random.default_rng(6)
    columns = {name: np.round(rng.normal(0, 1, ROWS), 6) for name in ("heat", "noise", "load", "oil")}
    failed = _coin(rng, 1.4 * columns["heat"] + columns["noise"] * columns["load"] - columns["oil"] - 0.5)
    machine = [f"M{number % 40:02}" for number in range(ROWS)]
    _write(folder / "data/sensors.csv", _csv({"machine": machine, **columns, "failed": failed.astype(int)}))


def _polars_parquet(folder: Path) -> None:
    import polars as pl

    (folder / "data").mkdir()
    for seed, (name, rows) in enumerate({"train": 3000, "valid": 1200, "test": 1500}.items(), start=70):
        rng = np.random.default_rng(seed)
        age, visits, minutes = rng.normal(40, 12, rows), rng.poisson(4, rows), rng.exponential(9, rows)
        channel = rng.choice(["email", "search", "social"], rows)
        clicked = _coin(rng, -1 + (40 - age) / 15 + visits / 4 + minutes / 12 - 0.8 * (channel == "email"))
        table = {"age": age, "visits": visits, "minutes_on_site": minutes, "channel": channel, "clicked": clicked}
        pl.DataFrame({**table, "clicked": clicked.astype(int)}).write_parquet(folder / f"data/{name}.parquet")


def _plain_csv(folder: Path) -> None:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in found.feature_names]
    values = {name: found.data[:, place] for place, name in enumerate(names)}
    _write(folder / "wdbc.csv", _csv({"diagnosis": np.where(found.target == 1, "B", "M"), **values}))


def _sqlite(folder: Path) -> None:
    rng = np.random.default_rng(9)
    age, income = np.round(rng.normal(45, 14, ROWS), 2), np.round(rng.lognormal(10, 0.4, ROWS), 2)
    orders = rng.poisson(3, ROWS)
    returned = _coin(rng, -1 + (45 - age) / 12 + orders / 4 + (np.log(income) - 10))
    with closing(sqlite3.connect(folder / "shop.db")) as db, db:
        db.execute("create table customers (id integer primary key, age real, income real, returned integer)")
        db.execute("create table orders (id integer primary key, customer integer, amount real)")
        people = zip(range(ROWS), age.tolist(), income.tolist(), returned.astype(int).tolist(), strict=True)
        db.executemany("insert into customers values (?, ?, ?, ?)", people)
        owners = np.repeat(np.arange(ROWS), orders)
        amounts = np.round(rng.lognormal(3, 0.8, len(owners)), 2)
        pairs = zip(owners.tolist(), amounts.tolist(), strict=True)
        db.executemany("insert into orders (customer, amount) values (?, ?)", pairs)


def _images(folder: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    for number, (pixels, digit) in enumerate(zip(found.images, found.target, strict=True)):
        path = folder / "images" / ("odd" if digit % 2 else "even") / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(path)


def _xgboost_json(folder: Path) -> None:
    rng = np.random.default_rng(11)
    rows = 6000
    amount, days, age = rng.lognormal(7, 0.8, rows), rng.exponential(20, rows), rng.normal(44, 13, rows)
    earlier = rng.poisson(0.7, rows)
    fraud = _coin(rng, -1.5 + 1.2 * (np.log(amount) - 7) - (days - 20) / 15 + earlier * (age < 40))
    table = {"amount": np.round(amount, 2), "days_to_report": np.round(days, 2), "age": np.round(age, 1)}
    _write(folder / "data/claims.csv", _csv({**table, "earlier_claims": earlier, "fraud": fraud.astype(int)}))


def _torch_net(folder: Path) -> None:
    for seed, (name, rows) in enumerate({"train": 3000, "val": 1000, "test": 1500}.items(), start=120):
        rng = np.random.default_rng(seed)
        heat, shake, press = rng.normal(70, 9, rows), rng.gamma(3, 0.5, rows), rng.normal(2.1, 0.4, rows)
        hours = rng.uniform(0, 9000, rows)
        broke = _coin(rng, -2 + (heat - 70) / 7 + (shake - 1.5) * 2 + (hours - 4500) / 2500 + (press > 2.6))
        columns = {"temperature": heat, "vibration": shake, "pressure": press, "hours": hours}
        rounded = {column: np.round(values, 4) for column, values in columns.items()}
        _write(folder / f"data/{name}.csv", _csv({**rounded, "broke": broke.astype(int)}))


def _best_on_test(folder: Path) -> None:
    rng = np.random.default_rng(21)
    columns = {name: np.round(rng.normal(5, 2, ROWS), 4) for name in ("acid", "sugar", "alcohol", "sulphates")}
    good = _coin(rng, columns["alcohol"] - columns["acid"] + 0.3 * columns["sugar"] - 1.5)
    _write(folder / "wine.csv", _csv({**columns, "good": good.astype(int)}))


def _two_targets(folder: Path) -> None:
    for seed, name in enumerate(("train", "test"), start=220):
        rng = np.random.default_rng(seed)
        calls, minutes, bill = rng.poisson(30, ROWS), rng.gamma(3, 40, ROWS), rng.normal(35, 9, ROWS)
        columns = {"calls": calls, "minutes": np.round(minutes, 3), "bill": np.round(bill, 2)}
        churned, complained = _coin(rng, (bill - 35) / 5 - (calls - 30) / 5), _coin(rng, (minutes - 120) / 40)
        both = {"churned": churned.astype(int), "complained": complained.astype(int)}
        _write(folder / f"data/{name}.csv", _csv({**columns, **both}))


def _two_models(folder: Path) -> None:
    rng = np.random.default_rng(23)
    columns = {name: np.round(rng.normal(0, 1, ROWS), 5) for name in ("size", "age", "distance")}
    sold = _coin(rng, 2 * columns["size"] - columns["age"] - columns["distance"])
    _write(folder / "houses.csv", _csv({**columns, "sold": sold.astype(int)}))


DATA: dict[str, Callable[[Path], None]] = {
    "script": _script,
    "package": _package,
    "two_scripts": _two_scripts,
    "notebook": _notebook,
    "argparse_options": _argparse_options,
    "hydra_config": _hydra_config,
    "polars_parquet": _polars_parquet,
    "plain_csv": _plain_csv,
    "sqlite": _sqlite,
    "images": _images,
    "xgboost_json": _xgboost_json,
    "torch_net": _torch_net,
    "best_on_test": _best_on_test,
    "two_targets": _two_targets,
    "two_models": _two_models,
}
