"""Usage: python -m churnlib.train"""

import logging

import joblib
import lightgbm as lgb
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from churnlib import features
from churnlib.paths import DATA, MODELS

log = logging.getLogger("churnlib")


def load():
    frame = pd.read_csv(DATA / "customers.csv")
    return features.add_features(frame), frame["outcome"]


def main():
    logging.basicConfig(level=logging.INFO)
    x, y = load()
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.4, random_state=0)
    x_valid, x_test, y_valid, y_test = train_test_split(x_rest, y_rest, test_size=0.5, random_state=0)
    model = lgb.LGBMClassifier(n_estimators=200, learning_rate=0.05, num_leaves=15, verbose=-1, random_state=0)
    model.fit(x_train, y_train, eval_set=[(x_valid, y_valid)], callbacks=[lgb.early_stopping(20, verbose=False)])
    log.info("auc on the test part: %.3f", roc_auc_score(y_test == "stay", model.predict_proba(x_test)[:, 1]))
    MODELS.mkdir(exist_ok=True)
    joblib.dump(model, MODELS / "lgbm.pkl")


if __name__ == "__main__":
    main()
