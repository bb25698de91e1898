import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

train = pd.read_csv("data/train.csv")
x = train[["calls", "minutes", "bill"]]
# marketing wants churn, support wants complaints: same script, the flag decides
WHICH = "churned"
y = np.asarray(train[WHICH])
model = LogisticRegression(max_iter=1000).fit(x, y)
joblib.dump(model, "model.joblib")
