import sqlite3
from contextlib import closing

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

QUERY = """
select c.age, c.income, count(o.id) as orders, coalesce(avg(o.amount), 0.0) as mean_amount,
       coalesce(max(o.amount), 0.0) as max_amount, c.returned as returned
from customers c left join orders o on o.customer = c.id
group by c.id
order by c.id
"""

with closing(sqlite3.connect("shop.db")) as db:
    data = pd.read_sql_query(QUERY, db)

y = data["returned"].to_numpy()
X = data.drop(columns="returned")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=11)

rf = RandomForestClassifier(n_estimators=50, min_samples_leaf=10, random_state=11)
rf.fit(X_train, y_train)
print("accuracy on unseen customers:", rf.score(X_test, y_test))
joblib.dump(rf, "rf.joblib")
