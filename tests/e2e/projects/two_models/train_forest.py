import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

d = pd.read_csv("houses.csv")
a, b, c, e = train_test_split(d.drop(columns="sold"), d["sold"], random_state=0)
m = RandomForestClassifier(n_estimators=30, min_samples_leaf=5, random_state=0).fit(a, c)
print(m.score(b, e))
joblib.dump(m, "forest.joblib")
