import json

import pandas as pd
import xgboost as xgb
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

SEED = 2024
PARAMS = dict(n_estimators=300, max_depth=4, learning_rate=0.08, subsample=0.8, early_stopping_rounds=15)

df = pd.read_csv("data/claims.csv")
y = df.pop("fraud")
X_dev, X_test, y_dev, y_test = train_test_split(df, y, test_size=0.2, random_state=SEED)
X_train, X_val, y_train, y_val = train_test_split(X_dev, y_dev, test_size=0.2, random_state=SEED)

model = xgb.XGBClassifier(**PARAMS, eval_metric="auc", random_state=SEED, n_jobs=1)
model.fit(X_train, y_train, eval_set=[(X_val, y_val)], verbose=False)
print("stopped after", model.best_iteration, "rounds")

model.save_model("model.json")
with open("results.json", "w") as out:
    json.dump({"test_auc": roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]), "val_auc": model.best_score}, out)
