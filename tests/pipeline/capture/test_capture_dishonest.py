"""Scripts that learn from, or choose by, what they held out: there is no hold-out, and a sentence says why."""

from __future__ import annotations

import pytest
from watched_script import Watcher

SPLIT = "a, b, c, d = train_test_split(X, y, random_state=0)\n"
MODEL = "model = LogisticRegression(max_iter=1000).fit(a, c)\n"
SAVE = "joblib.dump(model, 'model.joblib')\n"
OWN = "from sklearn.base import BaseEstimator\nclass Mean(BaseEstimator):\n    def fit(self, X):\n        return self\n"
FOREST = "from sklearn.ensemble import RandomForestClassifier\nother = RandomForestClassifier(5).fit(a, c)\n"
DISHONEST = {
    "a scaler before the split": (
        "X = StandardScaler().fit_transform(X)\n" + SPLIT + MODEL + SAVE,
        "StandardScaler at s.py:12 was fitted on rows that are held out: before train_test_split at s.py:13",
    ),
    "a scaler before the split, put into a frame again": (
        "X = pd.DataFrame(StandardScaler().fit_transform(X), columns=X.columns)\n" + SPLIT + MODEL + SAVE,
        "StandardScaler at s.py:12 was fitted on rows that are held out",
    ),
    "an estimator of the user's own before the split": (
        OWN + "Mean().fit(X)\n" + SPLIT + MODEL + SAVE,
        "Mean at s.py:16 was fitted on rows that are held out",
    ),
    "a scaler of all rows, after the split": (
        SPLIT + "StandardScaler().fit(pd.concat([a, b]))\n" + MODEL + SAVE,
        "StandardScaler at s.py:13 was fitted on rows that cannot be told from those held out",
    ),
    "a scaler of the held-out rows": (
        SPLIT + MODEL + "StandardScaler().fit(b)\n" + SAVE,
        "StandardScaler at s.py:14 was fitted on rows that are held out",
    ),
    "another model, fitted on some of them": (
        SPLIT + MODEL + "LogisticRegression(max_iter=1000).fit(b[:40], d[:40])\n" + SAVE,
        "LogisticRegression at s.py:14 was fitted on rows that are held out",
    ),
    "the better of two": (
        SPLIT + MODEL + FOREST + "model = max([model, other], key=lambda each: each.score(b, d))\n" + SAVE,
        "LogisticRegression at s.py:16 and RandomForestClassifier at s.py:16 answered for them",
    ),
    "the better of two, the rows given as other types": (
        SPLIT + MODEL + FOREST + "other.predict(b.astype('float32'))\n" + SAVE,
        "RandomForestClassifier at s.py:16 answered for rows that cannot be told from them",
    ),
    "one that was chosen by the other's score": (
        SPLIT + FOREST + "other.score(b, d)\n" + MODEL + SAVE,
        "RandomForestClassifier at s.py:15 answered for them, which is not the one that was saved",
    ),
    "epochs": (
        SPLIT + "from sklearn.linear_model import SGDClassifier\nmodel = SGDClassifier()\nfor _ in range(3):\n"
        "    model.partial_fit(a, c, classes=[0, 1])\n    model.score(b, d)\n" + SAVE,
        "answered for them",
    ),
    "early stopping": (
        SPLIT + "import xgboost\nmodel = xgboost.XGBClassifier(n_estimators=9, early_stopping_rounds=2)\n"
        "model.fit(a, c, eval_set=[(b, d)], verbose=False)\n" + SAVE,
        "XGBClassifier at s.py:15 looked at them while it was fitted",
    ),
    "early stopping of another library": (
        SPLIT + "import catboost\nmodel = catboost.CatBoostClassifier(n_estimators=9, allow_writing_files=False)\n"
        "model.fit(a, c, eval_set=catboost.Pool(b, d), verbose=False)\n" + SAVE,
        "CatBoostClassifier at s.py:15 looked at them while it was fitted",
    ),
    "oversampling before the split": (
        "from sklearn.base import BaseEstimator\nclass Twice(BaseEstimator):\n    def fit_resample(self, X, y):\n"
        "        return pd.concat([X, X]), pd.concat([y, y])\nX, y = Twice().fit_resample(X, y)\n"
        + SPLIT
        + MODEL
        + SAVE,
        "Twice at s.py:16 was fitted on rows that are held out",
    ),
    "a change in place": (
        SPLIT + "a['age'] = a['age'] - X['age'].mean()\nb['age'] = b['age'] - X['age'].mean()\n" + MODEL + SAVE,
        "the rows of train_test_split at s.py:12 were changed in place before LogisticRegression at s.py:15",
    ),
    "a change of the held-out rows alone": (
        SPLIT + MODEL + "b.loc[:, 'age'] = 0.0\n" + SAVE,
        "were never made into what LogisticRegression at s.py:13 takes, or were changed in place",
    ),
    "a change out of sight": (
        SPLIT + "a, b = a - X.mean(), b - X.mean()\n" + MODEL + SAVE,
        "LogisticRegression at s.py:14 was fitted on other rows than train_test_split at s.py:12 gave",
    ),
    "all rows in the end": (
        SPLIT + MODEL + "print(model.score(b, d))\nmodel = LogisticRegression(max_iter=1000).fit(X, y)\n" + SAVE,
        "LogisticRegression at s.py:15 was fitted on other rows than train_test_split at s.py:12 gave",
    ),
    "two splits": (
        SPLIT + "LogisticRegression(max_iter=1000).fit(a, c)\n" + SPLIT.replace("=0", "=1") + MODEL + SAVE,
        "the rows were split at s.py:14 and at s.py:12",
    ),
    "folds and no split": (
        "from sklearn.model_selection import KFold\nfor i, j in KFold(3).split(X):\n"
        "    model = LogisticRegression(max_iter=1000).fit(X.iloc[i], y.iloc[i])\n" + SAVE,
        "no train_test_split made the rows that LogisticRegression at s.py:14 was fitted on, and none that it answered",
    ),
    "trials on all rows": (
        "from sklearn.model_selection import cross_val_score\n"
        "cross_val_score(LogisticRegression(max_iter=1000), X, y, cv=3)\n" + SPLIT + MODEL + SAVE,
        "cross_val_score at s.py:13 was fitted on rows that are held out",
    ),
    "work in other processes": (
        SPLIT + MODEL + "joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(i) for i in range(2))\n" + SAVE,
        "not all was seen: joblib.Parallel gave work to other processes at s.py:14",
    ),
    "labels of another split": (
        SPLIT + "c = 1 - c\n" + MODEL + SAVE,
        "the labels that LogisticRegression at s.py:14 was fitted on are not those of train_test_split at s.py:12",
    ),
    "a scaled side that was never made": (
        SPLIT + "a = StandardScaler().fit_transform(a)\n" + MODEL + SAVE,
        "were never made into what LogisticRegression at s.py:14 takes",
    ),
}


@pytest.mark.parametrize(("text", "why"), DISHONEST.values(), ids=DISHONEST.keys())
def test_rows_that_were_learnt_from_or_chosen_by_are_no_hold_out(watch: Watcher, text: str, why: str) -> None:
    for library in ("xgboost", "catboost"):
        if f"import {library}" in text:
            pytest.importorskip(library, reason=f"install {library} to run this")
    watched = watch(text)
    assert "holdout" not in watched.sizes and "train" in watched.sizes
    assert why in watched.why


def test_rows_that_two_were_compared_by_are_the_validation_rows(watch: Watcher) -> None:
    assert watch(DISHONEST["the better of two"][0]).sizes == {"train": 180, "validation": 60}


def test_a_sparse_matrix_is_no_table(watch: Watcher) -> None:
    watched = watch("import scipy.sparse\nX = scipy.sparse.csr_matrix(X)\n" + SPLIT + MODEL + SAVE)
    assert watched.paths == () and "are no plain table" in watched.why


def test_a_program_that_fits_nothing_leaves_nothing(watch: Watcher) -> None:
    watched = watch(SPLIT + "joblib.dump({'a': 1}, 'model.joblib')\n")
    assert (watched.paths, watched.why) == ((), "")


def test_a_type_that_breaks_the_watcher_breaks_no_program_and_makes_no_hold_out(watch: Watcher) -> None:
    odd = "class Odd(list):\n    def __len__(self):\n        raise KeyError('odd')\n"
    watched = watch(odd + OWN.replace("Mean", "Blind") + SPLIT + "Blind().fit(Odd([1]))\n" + MODEL + SAVE)
    assert watched.sizes == {"train": 180}
    assert "not all was seen: the watcher failed with KeyError ('odd')" in watched.why
