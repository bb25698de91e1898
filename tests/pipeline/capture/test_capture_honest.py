"""Scripts that split honestly, each run for real: the rows held out are the hold-out, as the estimator takes them."""

from __future__ import annotations

from typing import Any

import pytest
from watched_script import Watcher

LOGISTIC = "model = LogisticRegression(max_iter=1000)\n"
SPLIT = "a, b, c, d = train_test_split(X, y, random_state=0)\n"
SAVE = "joblib.dump(model, 'model.joblib')\n"
HONEST = {
    "a frame and a series": SPLIT + LOGISTIC + "model.fit(a, c)\nprint(model.score(b, d))\n" + SAVE,
    "one frame, split whole": "t, h = train_test_split(df, random_state=0)\n"
    + LOGISTIC
    + "model.fit(t[['age', 'income', 'visits']], t['churned'])\n"
    + SAVE,
    "arrays": SPLIT.replace("(X, y", "(X.values, y.values") + LOGISTIC + "model.fit(a, c)\nmodel.predict(b)\n" + SAVE,
    "the values of frames": SPLIT + LOGISTIC + "model.fit(a.to_numpy(), c.to_numpy().ravel())\n" + SAVE,
    "polars": "import polars\nX, y = polars.from_pandas(X), polars.from_pandas(y)\n"
    + SPLIT
    + LOGISTIC
    + "model.fit(a, c)\n"
    + SAVE,
    "a pipeline": SPLIT
    + "model = make_pipeline(StandardScaler(), LogisticRegression()).fit(a, c)\nprint(model.score(b, d))\n"
    + SAVE,
    "a column transformer": SPLIT
    + "from sklearn.compose import make_column_transformer\n"
    + "columns = make_column_transformer((StandardScaler(), ['age']), remainder='passthrough')\n"
    + "model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(a, c)\nmodel.predict_proba(b)\n"
    + SAVE,
    "a scaler of the training rows": SPLIT
    + "s = StandardScaler()\na2 = s.fit_transform(a)\nb2 = s.transform(b)\n"
    + LOGISTIC
    + "model.fit(a2, c)\nprint(model.score(b2, d))\n"
    + SAVE,
    "a search in two processes": SPLIT
    + "from sklearn.model_selection import GridSearchCV\n"
    + "search = GridSearchCV(LogisticRegression(max_iter=1000), {'C': [0.1, 1.0]}, n_jobs=2, cv=2).fit(a, c)\n"
    + "model = search.best_estimator_\nprint(model.score(b, d))\n"
    + SAVE,
    "folds inside the training rows": SPLIT
    + "from sklearn.model_selection import KFold\nscores = []\n"
    + "for i, j in KFold(3).split(a):\n"
    + "    fold = LogisticRegression(max_iter=1000).fit(a.iloc[i], c.iloc[i])\n    fold.score(a.iloc[j], c.iloc[j])\n"
    + LOGISTIC
    + "model.fit(a, c)\nmodel.score(b, d)\n"
    + SAVE,
    "cross_val_score of the training rows": SPLIT
    + "from sklearn.model_selection import cross_val_score\n"
    + LOGISTIC
    + "cross_val_score(model, a, c, cv=3)\nmodel.fit(a, c)\nmodel.score(b, d)\n"
    + SAVE,
    "labels made numbers before the split": "from sklearn.preprocessing import LabelEncoder\n"
    + "y = LabelEncoder().fit_transform(y.map({0: 'no', 1: 'yes'}))\n"
    + SPLIT
    + LOGISTIC
    + "model.fit(a, c)\n"
    + SAVE,
    "a function whose variables are gone at the end": "def main():\n"
    + "".join(f"    {line}\n" for line in (SPLIT + LOGISTIC + "model.fit(a, c)\n" + SAVE).splitlines())
    + "main()\n",
    "plain pickle": SPLIT
    + LOGISTIC
    + "import pickle\nmodel.fit(a, c)\npickle.dump(model, open('model.joblib', 'wb'))\n",
    "pickled by hand": SPLIT
    + LOGISTIC
    + "import pickle\nmodel.fit(a, c)\nopen('model.joblib', 'wb').write(pickle.dumps(model))\n",
    "a gap among numbers": "from sklearn.impute import SimpleImputer\nX.loc[3, 'age'] = None\n"
    + SPLIT
    + "model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=1000)).fit(a, c)\nmodel.score(b, d)\n"
    + SAVE,
    "a path that is no text": SPLIT
    + LOGISTIC
    + "from pathlib import Path\nmodel.fit(a, c)\njoblib.dump(model, Path('.') / 'model.joblib')\n",
    "batches": SPLIT
    + "from sklearn.linear_model import SGDClassifier\nmodel = SGDClassifier()\n"
    + "for i in range(0, 180, 60):\n    model.partial_fit(a[i:i + 60], c[i:i + 60], classes=[0, 1])\n"
    + SAVE,
    "xgboost": SPLIT
    + "import xgboost\nmodel = xgboost.XGBClassifier(n_estimators=3).fit(a, c)\nmodel.predict(b)\n"
    + SAVE,
    "lightgbm": SPLIT
    + "import lightgbm\nmodel = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(a, c)\nmodel.predict(b)\n"
    + SAVE,
    "catboost": SPLIT
    + "import catboost\nmodel = catboost.CatBoostClassifier(n_estimators=3, verbose=0, allow_writing_files=False)\n"
    + "model.fit(a, c)\nmodel.predict(b)\n"
    + SAVE,
}
LIBRARIES = ("polars", "xgboost", "lightgbm", "catboost")


def _case(name: str) -> Any:
    return pytest.param(HONEST[name], id=name, marks=[pytest.mark.slow] if "processes" in name else [])


@pytest.mark.parametrize("text", [_case(name) for name in HONEST])
def test_rows_that_nothing_learnt_from_are_the_hold_out(watch: Watcher, text: str) -> None:
    for library in LIBRARIES:
        if f"import {library}" in text:
            pytest.importorskip(library, reason=f"install {library} to run this")
    watched = watch(text)
    assert watched.sizes == {"train": 180, "holdout": 60}, watched.why
    assert watched.paths == ("captured/train/train.parquet", "captured/train/holdout.parquet")
    assert "the 60 rows that train_test_split at s.py:" in watched.sources["holdout"]
    assert watched.tables["train"].schema.names == watched.tables["holdout"].schema.names
    assert watched.tables["train"].schema.types == watched.tables["holdout"].schema.types


def test_who_answered_for_the_hold_out_is_told(watch: Watcher) -> None:
    watched = watch(HONEST["a pipeline"])
    assert watched.sources["train"] == "the rows that Pipeline at s.py:13 was fitted on"
    assert watched.sources["holdout"].endswith(
        "nothing was fitted on them; the one that was saved answered for them at s.py:14, and no other"
    )


def test_a_scaler_outside_the_estimator_is_applied_to_both_sides(watch: Watcher) -> None:
    watched = watch(HONEST["a scaler of the training rows"])
    train = watched.tables["train"]
    assert abs(sum(train["x0"].to_pylist())) < 1e-9 and train.column_names == ["x0", "x1", "x2", "churned"]
    assert watched.sources["train"].endswith("as StandardScaler at s.py:14 made them")


def test_three_parts_are_training_validation_and_hold_out_by_who_did_what(watch: Watcher) -> None:
    text = """\
rest, test, yr, yt = train_test_split(X, y, test_size=40, random_state=0)
a, b, c, d = train_test_split(rest, yr, test_size=50, random_state=0)
best = max((LogisticRegression(C=C, max_iter=1000).fit(a, c) for C in (0.1, 1, 10)), key=lambda m: m.score(b, d))
print(best.score(test, yt))
joblib.dump(best, "model.joblib")
"""
    watched = watch(text)
    assert watched.sizes == {"train": 150, "validation": 50, "holdout": 40}
    assert watched.sources["validation"].endswith("answered for them")


def test_validation_rows_of_early_stopping_are_no_hold_out_but_others_are(watch: Watcher) -> None:
    pytest.importorskip("xgboost", reason="install xgboost to run this")
    text = """\
import xgboost
rest, test, yr, yt = train_test_split(X, y, test_size=40, random_state=0)
a, b, c, d = train_test_split(rest, yr, test_size=50, random_state=0)
model = xgboost.XGBClassifier(n_estimators=9, early_stopping_rounds=2)
model.fit(a, c, eval_set=[(b, d)], verbose=False)
joblib.dump(model, "model.joblib")
"""
    watched = watch(text)
    assert watched.sizes == {"train": 150, "validation": 50, "holdout": 40}
    assert "XGBClassifier at s.py:16 looked at them while it was fitted" in watched.sources["validation"]


def test_oversampling_of_the_training_rows_leaves_the_hold_out_as_it_is(watch: Watcher) -> None:
    text = """\
from sklearn.base import BaseEstimator
class Twice(BaseEstimator):
    def fit_resample(self, X, y):
        return pd.concat([X, X]), pd.concat([y, y])
a, b, c, d = train_test_split(X, y, random_state=0)
a2, c2 = Twice().fit_resample(a, c)
model = LogisticRegression(max_iter=1000).fit(a2, c2)
joblib.dump(model, "model.joblib")
"""
    assert watch(text).sizes == {"train": 360, "holdout": 60}


def test_columns_that_the_estimator_does_not_take_are_kept(watch: Watcher) -> None:
    text = HONEST["one frame, split whole"].replace("(df,", "(df.assign(day=pd.Timestamp('2026-01-05'), who='é'),")
    found = watch(text).tables
    for table in found.values():
        assert table.column_names == ["age", "income", "visits", "day", "who", "churned"]
        assert table["who"][0].as_py() == "é" and str(table["day"][0].as_py())[:10] == "2026-01-05"


def test_values_are_exact_whatever_their_type(watch: Watcher) -> None:
    text = """\
X = pd.DataFrame({"i": np.arange(240) + 2**60, "f": np.float32(rng.random(240)), "b": rng.random(240) < 0.5})
X["n"] = pd.array([None, 7, 8] * 80, dtype="Int64")
X["c"] = pd.Categorical(["red", None, "blue"] * 80)
X["o"] = ["x", None, "NA"] * 80
X["t"] = pd.to_datetime(["2026-03-01 10:00", None, "2027-01-01 00:00"] * 80).tz_localize("Europe/Paris")
a, b, c, d = train_test_split(X, y, shuffle=False)
class Plain(LogisticRegression):
    pass
from sklearn.compose import make_column_transformer
model = make_pipeline(make_column_transformer(("passthrough", ["f", "b"])), LogisticRegression()).fit(a, c)
joblib.dump(model, "model.joblib")
"""
    table = watch(text).tables["train"]
    assert [str(kind) for kind in table.schema.types] == [
        *("int64", "float", "bool", "int64", "string", "string", "timestamp[ns, tz=Europe/Paris]", "int64")
    ]
    rows = table.to_pylist()
    assert [rows[1][name] for name in ("i", "n", "c", "o", "t")] == [2**60 + 1, 7, None, None, None]
    assert [rows[0][name] for name in ("n", "c", "o")] == [None, "red", "x"] and rows[2]["o"] == "NA"


def test_a_target_without_a_name_gets_the_projects_or_a_plain_one(watch: Watcher) -> None:
    text = HONEST["arrays"].replace("X.values", "X")
    assert watch(text).tables["train"].column_names[-1] == "target"
    assert watch(text, target="left").tables["holdout"].column_names[-1] == "left"
    named = "X = X.rename(columns={'age': 'target'})\n" + text
    assert watch(named).tables["train"].column_names == ["target", "income", "visits", "target_"]


def test_two_estimators_have_tables_of_their_own(watch: Watcher) -> None:
    text = SPLIT + LOGISTIC + "model.fit(a, c)\njoblib.dump(model, 'one.joblib')\n"
    text += (
        "import sklearn.tree\ntree = sklearn.tree.DecisionTreeClassifier().fit(a, c)\njoblib.dump(tree, 'two.joblib')\n"
    )
    watched = watch(text, out=("one.joblib", "two.joblib"))
    assert watched.paths == tuple(
        f"captured/train/{name}/{role}.parquet" for name in ("one", "two") for role in ("train", "holdout")
    )


def test_rows_that_never_were_in_a_table_are_named_by_their_place(watch: Watcher) -> None:
    text = SPLIT.replace("(X, y", "(X.values.tolist(), y.tolist()") + LOGISTIC
    text = text.replace("X.values.tolist()", "np.array(X.values.tolist())") + "model.fit(a, c)\n" + SAVE
    assert watch(text).tables["holdout"].column_names == ["x0", "x1", "x2", "target"]
