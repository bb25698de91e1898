import json
import os
import pickle
import sys

import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from configlib import compose, instantiate


def run(cfg):
    table = pd.read_csv(cfg["data"]["path"]).drop(columns=cfg["data"]["drop"])
    label = table.pop(cfg["data"]["label"])
    x, x_test, y, y_test = train_test_split(
        table, label, test_size=cfg["split"]["test_size"], random_state=cfg["split"]["seed"]
    )
    model = make_pipeline(MinMaxScaler(), instantiate(cfg["model"]))
    model.fit(x, y)
    scores = {
        "accuracy": accuracy_score(y_test, model.predict(x_test)),
        "auc": roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]),
    }
    out = cfg["output_dir"]
    os.makedirs(out, exist_ok=True)
    pickle.dump(model, open(os.path.join(out, "model.pkl"), "wb"))
    json.dump(scores, open(os.path.join(out, "scores.json"), "w"), indent=2)
    print(scores)


if __name__ == "__main__":
    run(compose("conf", sys.argv[1:]))
