#!/usr/bin/env python3
import pickle

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

train = pd.read_csv("work/train.csv")
features = ["income", "amount", "years_employed", "debt_ratio"]

search = GridSearchCV(
    RandomForestClassifier(n_estimators=40, random_state=7),
    {"max_depth": [3, 5], "min_samples_leaf": [5, 20]},
    scoring="roc_auc",
    cv=3,
)
search.fit(train[features], train["defaulted"])
print(search.best_params_, round(search.best_score_, 4))

with open("forest.pickle", "wb") as handle:
    pickle.dump(search.best_estimator_, handle)
