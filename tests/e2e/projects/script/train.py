# churn model, v3 (ask Petra about the region codes)
import json

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

df = pd.read_csv("customers.csv")
df = df.drop(columns=["customer_id"])
X = df.drop("churned", axis=1)
y = df["churned"]

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=42, stratify=y)

num = ["tenure_months", "monthly_charge", "support_minutes"]
cat = ["contract", "region"]
pre = ColumnTransformer(
    [
        ("num", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), num),
        ("cat", OneHotEncoder(handle_unknown="ignore"), cat),
    ]
)
clf = Pipeline([("pre", pre), ("lr", LogisticRegression(max_iter=500))])
clf.fit(X_train, y_train)

auc = roc_auc_score(y_test, clf.predict_proba(X_test)[:, 1])
print("test auc", auc)
joblib.dump(clf, "model.joblib")
with open("metrics.json", "w") as f:
    json.dump({"auc": auc, "n_train": len(X_train)}, f)
