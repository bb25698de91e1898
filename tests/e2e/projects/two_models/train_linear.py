import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

d = pd.read_csv("houses.csv")
a, b, c, e = train_test_split(d.drop(columns="sold"), d["sold"], random_state=0)
m = LogisticRegression(max_iter=1000).fit(a, c)
print(m.score(b, e))
joblib.dump(m, "linear.joblib")
