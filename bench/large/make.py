"""Rows of 50 columns, 42 of numbers and 8 of texts, some missing, and a label that 30 of them tell something of."""

import numpy as np
import polars as pl

import mintage

asked = mintage.params()
count = asked["rows"] + 2 * asked["others"]
rng = np.random.default_rng(7)
columns, slope = {"row": np.array([f"r{number}" for number in range(count)])}, np.zeros(count)
for place in range(38):
    column = rng.normal(size=count)
    if place % 4 == 0:
        column = np.round(np.exp(column), 2)
    if place < 12:
        slope += (0.5 if place % 2 else -0.5) / (1 + place) * column
    if place % 5 == 0:
        column[rng.random(count) < 0.05] = np.nan
    columns[f"x{place:02}"] = column
for place in range(4):
    columns[f"k{place}"] = rng.integers(0, 6 + place, count).astype(float)
    slope += 0.1 * columns[f"k{place}"]
for place in range(8):
    codes = rng.integers(0, 4 + 2 * place, count)
    columns[f"c{place}"] = np.array([f"v{code}" for code in range(30)])[codes]
    slope += 0.15 * (codes % 3)
columns["label"] = (rng.random(count) < 1 / (1 + np.exp(slope.mean() - slope))).astype(int)
rows = pl.DataFrame(columns)
start = 0
for name, size in (("train", asked["rows"]), ("validation", asked["others"]), ("holdout", asked["others"])):
    rows.slice(start, size).write_parquet(f"work/{name}.parquet")
    start += size
