"""Scripts that choose rows by slices, samples and indices: a hold-out where fit and answers make up one table."""

from __future__ import annotations

import pytest
from watched_script import Watcher

MODEL = "model = LogisticRegression(max_iter=1000)\n"
FIT = MODEL + "model.fit(a, c)\nprint(model.score(b, d))\n"
SAVE = "joblib.dump(model, 'model.joblib')\n"
SLICES = "a, b, c, d = X[:180], X[180:], y[:180], y[180:]\n"
INDEX = "a, b, c, d = X.iloc[i], X.iloc[j], y.iloc[i], y.iloc[j]\n"
SHUFFLED = "from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit, TimeSeriesSplit\n"
FRAMES = MODEL + "f = ['age', 'income', 'visits']\nmodel.fit(t[f], t['churned'])\nmodel.predict(h[f])\n" + SAVE
HONEST = {
    "slices of frames": SLICES + FIT + SAVE,
    "slices of arrays": "X, y = X.values, y.values\n" + SLICES + FIT + SAVE,
    "slices of polars frames": "import polars\nX, y = polars.from_pandas(X), polars.from_pandas(y)\n"
    + SLICES
    + FIT
    + SAVE,
    "a sample, and what it left": "t = df.sample(frac=0.75, random_state=1)\nh = df.drop(t.index)\n" + FRAMES,
    "a mask": "on = rng.permutation(240) < 180\nt, h = df[on], df[~on]\n" + FRAMES,
    "labels popped from the parts": "t, h = df[:180].copy(), df[180:].copy()\n"
    + "c, d = t.pop('churned'), h.pop('churned')\n"
    + "a, b = t, h\n"
    + FIT
    + SAVE,
    "rows that have twins, known by their index": "df['age'] = df['age'].round(-1)\n"
    + "df['income'] = 1.0\ndf['visits'] = 0\n"
    + "t = df.sample(frac=0.75, random_state=1)\nh = df.drop(t.index)\n"
    + FRAMES,
    "places that were split": "i, j = train_test_split(range(240), test_size=60, random_state=0)\n"
    + INDEX
    + FIT
    + SAVE,
    "an index that was split": "i, j = train_test_split(df.index, test_size=60, random_state=0)\n"
    + "t, h = df.loc[i], df.loc[j]\n"
    + FRAMES,
    "a splitter, used once": SHUFFLED
    + "i, j = next(StratifiedShuffleSplit(1, test_size=60, random_state=0).split(X, y))\n"
    + INDEX
    + FIT
    + SAVE,
    "a splitter by groups": SHUFFLED
    + "i, j = next(GroupShuffleSplit(1, test_size=60, random_state=0).split(X, y, groups=np.arange(240)))\n"
    + INDEX
    + FIT
    + SAVE,
    "the last of growing folds": SHUFFLED
    + "for i, j in TimeSeriesSplit(3, test_size=60).split(X):\n"
    + "    a, b, c, d = X.iloc[i], X.iloc[j], y.iloc[i], y.iloc[j]\n"
    + "    model = LogisticRegression(max_iter=1000).fit(a, c)\n    print(model.score(b, d))\n"
    + SAVE,
    "a scaler of the training rows": SLICES
    + "s = StandardScaler().fit(a)\na, b = s.transform(a), s.transform(b)\n"
    + FIT
    + SAVE,
    "folds within the training rows": SLICES
    + "from sklearn.model_selection import KFold, cross_val_score\n"
    + "for i, j in KFold(3).split(a):\n"
    + "    fold = LogisticRegression(max_iter=1000).fit(a.iloc[i], c.iloc[i])\n    fold.score(a.iloc[j], c.iloc[j])\n"
    + "cross_val_score(LogisticRegression(max_iter=1000), a, c, cv=3)\n"
    + FIT
    + SAVE,
    "what a clean-up left of a longer table": "raw = pd.concat([df, df + 1000.0], ignore_index=True)\n"
    + "df = raw[raw['age'] < 500].reset_index(drop=True)\nt, h = df[:180], df[180:]\n"
    + FRAMES.replace("t['churned']", "t['churned'].astype(int)"),
    "a function that sees its rows alone": "def train(a, c):\n    return LogisticRegression(max_iter=1000).fit(a, c)\n"
    + "def main(table):\n    model = train(table[:180].drop(columns='churned'), table['churned'][:180])\n"
    + "    model.predict(table[180:].drop(columns='churned'))\n    joblib.dump(model, 'model.joblib')\nmain(df)\n",
}
NOT_ALL = "no train_test_split made the rows that LogisticRegression at s.py:"
UNKNOWN = " was fitted on rows that cannot be told from those held out"
FOREST = "from sklearn.ensemble import RandomForestClassifier\nother = RandomForestClassifier(5).fit(a, c)\n"
DISHONEST = {
    "rows in both": ("a, b, c, d = X[:180], X[150:], y[:180], y[150:]\n" + FIT + SAVE, NOT_ALL),
    "rows in neither": ("a, b, c, d = X[:170], X[180:], y[:170], y[180:]\n" + FIT + SAVE, NOT_ALL),
    "all rows in the end": (SLICES + FIT + "model = LogisticRegression(max_iter=1000).fit(X, y)\n" + SAVE, NOT_ALL),
    "nobody answered for the rest": (SLICES + MODEL + "model.fit(a, c)\n" + SAVE, NOT_ALL),
    "a scaler of all rows": (
        "X = StandardScaler().fit_transform(X)\n" + SLICES + FIT + SAVE,
        "StandardScaler at s.py:12" + UNKNOWN,
    ),
    "trials on all rows": (
        "from sklearn.model_selection import cross_val_score\n"
        "cross_val_score(LogisticRegression(max_iter=1000), X, y, cv=3)\n" + SLICES + FIT + SAVE,
        "cross_val_score at s.py:13" + UNKNOWN,
    ),
    "another model of the rest": (
        SLICES + FIT + "LogisticRegression(max_iter=1000).fit(b, d)\n" + SAVE,
        "LogisticRegression at s.py:16 was fitted on rows that are held out",
    ),
    "another model of some of the rest": (
        SLICES + "LogisticRegression(max_iter=1000).fit(X[100:200], y[100:200])\n" + FIT + SAVE,
        "LogisticRegression at s.py:13" + UNKNOWN,
    ),
    "the better of two": (
        SLICES + FIT + FOREST + "print(other.score(b, d))\n" + SAVE,
        "LogisticRegression at s.py:15 and RandomForestClassifier at s.py:18 answered for them",
    ),
    "the better of two, by some of the rows": (
        SLICES + FIT + FOREST + "print(other.score(b[:30], d[:30]))\n" + SAVE,
        "LogisticRegression at s.py:15 and RandomForestClassifier at s.py:18 answered for them",
    ),
    "the better of two, by other numbers": (
        SLICES + FIT + FOREST + "print(other.predict(b * 1.5))\n" + SAVE,
        "RandomForestClassifier at s.py:18 answered for rows that cannot be told from them",
    ),
    "folds of all rows": (
        "from sklearn.model_selection import KFold\nfor i, j in KFold(4).split(X):\n    "
        + INDEX
        + "    model = LogisticRegression(max_iter=1000).fit(a, c)\n    model.score(b, d)\n"
        + SAVE,
        "LogisticRegression at s.py:15" + UNKNOWN,
    ),
    "rows thrown away by hand": (
        "a, b, c, d = X[:150], X[180:], y[:150], y[180:]\nspare = X[150:180]\n" + FIT + SAVE,
        NOT_ALL,
    ),
    "a scaler of what a clean-up threw away as well": (
        "StandardScaler().fit(X)\nraw = X\nX, y = X[:200], y[:200]\n" + SLICES + FIT + SAVE,
        "StandardScaler at s.py:12" + UNKNOWN,
    ),
    "rows that have twins": (
        "X = np.round(X.values[:, :2], -1)\ny = y.values\n" + SLICES + FIT + SAVE,
        NOT_ALL,
    ),
    "other labels": (
        SLICES + "c = 1 - c\n" + FIT + SAVE,
        "the labels that LogisticRegression at s.py:15 was fitted on are not those of the choice of rows before",
    ),
    "changed numbers": (SLICES + "a = a + 0.001\n" + FIT + SAVE, NOT_ALL),
    "a table that changed since": (
        "X, y = X.values.copy(), y.values\n" + SLICES + FIT + "X[:, 0] = 0.0\n" + SAVE,
        NOT_ALL,
    ),
    "batches": (
        "from sklearn.linear_model import SGDClassifier\nmodel = SGDClassifier()\n"
        "for k in range(0, 180, 60):\n    model.partial_fit(X[k:k + 60], y[k:k + 60], classes=[0, 1])\n"
        "model.score(X[180:], y[180:])\n" + SAVE,
        "",
    ),
    "early stopping": (
        SLICES + "import xgboost\nmodel = xgboost.XGBClassifier(n_estimators=9, early_stopping_rounds=2)\n"
        "model.fit(a, c, eval_set=[(b, d)], verbose=False)\nmodel.predict(b)\n" + SAVE,
        "XGBClassifier at s.py:15 looked at them while it was fitted",
    ),
}


def _needs(text: str) -> None:
    for library in ("polars", "xgboost"):
        if f"import {library}" in text:
            pytest.importorskip(library, reason=f"install {library} to run this")


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST.keys())
def test_the_rows_that_a_fit_left_of_its_table_are_the_hold_out_if_it_answered_for_them_alone(
    watch: Watcher, text: str
) -> None:
    _needs(text)
    watched = watch(text)
    assert watched.sizes == {"train": 180, "holdout": 60}, watched.why
    assert "the 60 rows that the choice of rows before s.py:" in watched.sources["holdout"]
    train, holdout = watched.tables["train"], watched.tables["holdout"]
    assert train.schema.names == holdout.schema.names and train.schema.types == holdout.schema.types


@pytest.mark.parametrize(("text", "why"), DISHONEST.values(), ids=DISHONEST.keys())
def test_other_choices_of_rows_are_no_hold_out(watch: Watcher, text: str, why: str) -> None:
    _needs(text)
    watched = watch(text)
    assert "holdout" not in watched.sizes
    assert why in watched.why


def test_oversampling_of_chosen_training_rows_leaves_the_hold_out_as_it_is(watch: Watcher) -> None:
    text = """\
from sklearn.base import BaseEstimator
class Twice(BaseEstimator):
    def fit_resample(self, X, y):
        return pd.concat([X, X]), pd.concat([y, y])
a, b, c, d = X[:180], X[180:], y[:180], y[180:]
a, c = Twice().fit_resample(a, c)
"""
    assert watch(text + FIT + SAVE).sizes == {"train": 360, "holdout": 60}


def test_labels_stay_with_their_rows(watch: Watcher) -> None:
    text = "df['churned'] = np.arange(240)\ndf['age'] = np.arange(240) / 7\nfrom sklearn.linear_model import Ridge\n"
    text += "t = df.sample(frac=0.75, random_state=1)\nh = df.drop(t.index).sample(frac=1.0, random_state=2)\n"
    tables = watch(text + FRAMES.replace("LogisticRegression(max_iter=1000)", "Ridge()")).tables
    for table in tables.values():
        assert [round(age * 7) for age in table["age"].to_pylist()] == table["churned"].to_pylist()
    both = sorted(number for table in tables.values() for number in table["churned"].to_pylist())
    assert both == list(range(240))
