"""No pandas on the cluster, so numpy and csv only."""
import csv

import joblib
import numpy
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

with open("wdbc.csv", newline="") as f:
    reader = csv.reader(f)
    header = next(reader)
    diagnosis = [row[0] for row in reader]

values = numpy.loadtxt("wdbc.csv", delimiter=",", skiprows=1, usecols=range(1, len(header)))
labels = numpy.array(diagnosis)
print(values.shape, sorted(set(diagnosis)))

trainX, testX, trainY, testY = train_test_split(values, labels, test_size=0.4, random_state=0, stratify=labels)
svm = Pipeline([("z", StandardScaler()), ("svc", CalibratedClassifierCV(SVC(C=2.0), ensemble=False))])
svm.fit(trainX, trainY)
print("accuracy", svm.score(testX, testY))
joblib.dump(svm, "svm.joblib")
