"""Boosters that are trained by their libraries' own functions, on DMatrix, Dataset and Pool."""

from __future__ import annotations

import pytest
from watched_script import Watched, Watcher

SPLIT = "a, b, c, d = train_test_split(X, y, random_state=0)\n"
XGBOOST = (
    SPLIT + "import xgboost\nt, h = xgboost.DMatrix(a, c), xgboost.DMatrix(data=b, label=d)\np = {'max_depth': 2}\n"
)
LIGHTGBM = SPLIT + "import lightgbm\nt = lightgbm.Dataset(a, c)\nh = t.create_valid(b, d)\np = {'verbose': -1}\n"
CATBOOST = SPLIT + (
    "import catboost\nt, h = catboost.Pool(a, c), catboost.Pool(b, d)\n"
    "p = {'iterations': 3, 'loss_function': 'Logloss', 'allow_writing_files': False, 'logging_level': 'Silent'}\n"
)
HONEST = {
    "xgboost": XGBOOST + "model = xgboost.train(p, t, 3)\nmodel.predict(h)\n",
    "xgboost, all by name": XGBOOST
    + "model = xgboost.train(params=p, dtrain=t, num_boost_round=3)\nmodel.predict(h)\n",
    "xgboost, looking at training rows": XGBOOST
    + "model = xgboost.train(p, t, 3, evals=[(t, 'train')], verbose_eval=False)\nmodel.inplace_predict(b)\n",
    "xgboost, folds of training rows": XGBOOST + "xgboost.cv(p, t, 3, nfold=2)\nmodel = xgboost.train(p, t, 3)\n",
    "lightgbm": LIGHTGBM + "model = lightgbm.train(p, t, 3)\nmodel.predict(b)\n",
    "catboost": CATBOOST + "model = catboost.train(t, p)\nmodel.predict(h)\n",
    "catboost, asked at each round": CATBOOST + "model = catboost.train(t, p)\nmodel.eval_metrics(h, ['AUC'])\n",
}
LOOKED = " looked at them while it was fitted"
DISHONEST = {
    "xgboost, early stopping": (
        XGBOOST + "model = xgboost.train(p, t, 3, evals=[(h, 'test')], early_stopping_rounds=2, verbose_eval=False)\n",
        "xgboost.train at s.py:16" + LOOKED,
    ),
    "xgboost, looking at them": (
        XGBOOST + "model = xgboost.train(p, t, 3, evals=[(t, 'a'), (h, 'b')], verbose_eval=False)\n",
        "xgboost.train at s.py:16" + LOOKED,
    ),
    "xgboost, folds of all rows": (
        XGBOOST + "xgboost.cv(p, xgboost.DMatrix(X, y), 3, nfold=2)\nmodel = xgboost.train(p, t, 3)\n",
        "xgboost.cv at s.py:16 was fitted on rows that cannot be told from those held out",
    ),
    "xgboost, the better of two": (
        XGBOOST + "model, other = xgboost.train(p, t, 3), xgboost.train(p, t, 9)\nother.inplace_predict(b)\n",
        "Booster at s.py:17 answered for them",
    ),
    "xgboost, another by hand": (
        XGBOOST + "model, other = xgboost.train(p, t, 3), xgboost.Booster(p, [h])\nother.update(h, 0)\n",
        "not all was seen: a Booster was trained round by round at s.py:17",
    ),
    "lightgbm, early stopping": (
        LIGHTGBM + "stop = [lightgbm.early_stopping(2, verbose=False)]\n"
        "model = lightgbm.train(p, t, 9, valid_sets=[h], callbacks=stop)\n",
        "lightgbm.train at s.py:18" + LOOKED,
    ),
    "lightgbm, looking at them": (
        LIGHTGBM + "model = lightgbm.train(p, train_set=t, num_boost_round=9, valid_sets=[t, h])\n",
        "lightgbm.train at s.py:17" + LOOKED,
    ),
    "lightgbm, folds of all rows": (
        LIGHTGBM + "lightgbm.cv(p, lightgbm.Dataset(X, y), 3, nfold=2)\nmodel = lightgbm.train(p, t, 3)\n",
        "lightgbm.cv at s.py:17 was fitted on rows that cannot be told from those held out",
    ),
    "catboost, looking at them": (
        CATBOOST + "model = catboost.train(t, p, eval_set=h)\n",
        LOOKED,
    ),
    "catboost, folds of all rows": (
        CATBOOST + "catboost.cv(catboost.Pool(X, y), p, fold_count=2)\nmodel = catboost.train(t, p)\n",
        "catboost.cv at s.py:16 was fitted on rows that cannot be told from those held out",
    ),
    "catboost, one's score after each round, and another": (
        CATBOOST + "other = catboost.train(t, p)\nlist(other.staged_predict(h))\nmodel = catboost.train(t, p)\n",
        "at s.py:17 answered for them, which is not the one that was saved",
    ),
}


def _run(watch: Watcher, text: str) -> Watched:
    (library,) = [name for name in ("xgboost", "lightgbm", "catboost") if f"import {name}" in text]
    pytest.importorskip(library, reason=f"install {library} to run this")
    file = {"xgboost": "model.json", "lightgbm": "model.txt", "catboost": "model.cbm"}[library]
    return watch(f"{text}model.save_model('{file}')\n", out=(file,))


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST.keys())
def test_rows_that_a_booster_never_saw_are_the_hold_out(watch: Watcher, text: str) -> None:
    watched = _run(watch, text)
    assert watched.sizes == {"train": 180, "holdout": 60}, watched.why
    assert watched.tables["train"].column_names == ["age", "income", "visits", "churned"]


@pytest.mark.parametrize(("text", "why"), DISHONEST.values(), ids=DISHONEST.keys())
def test_rows_that_a_booster_looked_at_or_was_chosen_by_are_none(watch: Watcher, text: str, why: str) -> None:
    watched = _run(watch, text)
    assert "train" in watched.sizes and "holdout" not in watched.sizes
    assert why in watched.why
