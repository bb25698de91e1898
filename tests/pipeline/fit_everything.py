"""Fit one estimator of each family and write what it learned: ``python fit_everything.py FAMILY THREADS OUT``.

A subject of the tests of determinism; it runs as a stage, in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def rows() -> tuple[Any, Any]:
    """6,000 rows with 12 columns, and a label that depends on some of them."""
    random = np.random.default_rng(0)
    features = random.normal(size=(6000, 12))
    score = features[:, 0] - features[:, 1] * features[:, 2] + 0.5 * random.normal(size=6000)
    return features, (score > 0).astype(int)


def numbers(value: Any) -> Any:
    """Arrays as hexadecimal text, so that one different bit shows."""
    return np.ascontiguousarray(value).tobytes().hex()


def forest(features: Any, label: Any, threads: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    fitted = RandomForestClassifier(40, random_state=0, n_jobs=threads).fit(features, label)
    return [[numbers(tree.tree_.threshold), numbers(tree.tree_.value)] for tree in fitted.estimators_]


def boosting(features: Any, label: Any, threads: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    fitted = HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(features, label)
    return [numbers(tree[0].nodes) for tree in fitted._predictors]


def logistic(features: Any, label: Any, threads: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    wide = np.hstack([features, features**2, np.abs(features)])
    return numbers(LogisticRegression(max_iter=300).fit(wide, label).coef_)


def kmeans(features: Any, label: Any, threads: int) -> Any:
    from sklearn.cluster import KMeans

    return numbers(KMeans(8, n_init=1, random_state=0).fit(features).cluster_centers_)


def xgboost(features: Any, label: Any, threads: int) -> Any:
    from xgboost import XGBClassifier

    fitted = XGBClassifier(n_estimators=40, subsample=0.8, random_state=0, n_jobs=threads).fit(features, label)
    return fitted.get_booster().get_dump(dump_format="json", with_stats=True)


def lightgbm(features: Any, label: Any, threads: int) -> Any:
    from lightgbm import LGBMClassifier

    settings: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "subsample": 0.8, "subsample_freq": 1}
    fitted = LGBMClassifier(n_estimators=40, random_state=0, n_jobs=threads, verbose=-1, **settings)
    return fitted.fit(features, label).booster_.model_to_string().partition("\nparameters:")[0]


FAMILIES = {function.__name__: function for function in (forest, boosting, logistic, kmeans, xgboost, lightgbm)}

if __name__ == "__main__":
    family, threads, out = sys.argv[1:]
    Path(out).write_text(json.dumps(FAMILIES[family](*rows(), int(threads))))
