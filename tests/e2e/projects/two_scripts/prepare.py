#!/usr/bin/env python3
"""Clean the raw export and split it by hand, so that everybody uses the same split."""
import os
import random

import pandas as pd

RAW = os.path.join("raw", "loans.csv")
OUT = "work"

raw = pd.read_csv(RAW, sep=";")
clean = raw.dropna(subset=["income"]).drop_duplicates()
clean = clean[clean.amount > 0]
os.makedirs(OUT, exist_ok=True)
clean.to_csv(os.path.join(OUT, "clean.csv"), index=False)

rng = random.Random(1234)
fold = [rng.random() for _ in range(len(clean))]
is_test = [value < 0.25 for value in fold]
is_train = [not value for value in is_test]
clean[is_train].to_csv(os.path.join(OUT, "train.csv"), index=False)
clean[is_test].to_csv(os.path.join(OUT, "test.csv"), index=False)
print(len(raw), "->", len(clean), "rows,", sum(is_test), "of them for the test")
