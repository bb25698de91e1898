"""Odd or even? One folder per class, like everybody does it."""
import glob
import os

import joblib
import numpy as np
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

ROOT = "images"


def load(root):
    xs, ys = [], []
    for label in sorted(os.listdir(root)):
        for name in sorted(glob.glob(os.path.join(root, label, "*.png"))):
            with Image.open(name) as picture:
                pixels = np.asarray(picture.convert("L"), dtype=np.float64) / 255.0
            xs.append(pixels.ravel())
            ys.append(label)
    return np.stack(xs), np.array(ys)


X, y = load(ROOT)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=3, shuffle=True, stratify=y)
net = make_pipeline(
    PCA(n_components=24, random_state=3), MLPClassifier(hidden_layer_sizes=(32,), max_iter=40, random_state=3)
)
baseline = LogisticRegression(max_iter=2000).fit(X_train, y_train)
print("baseline (train)", baseline.score(X_train, y_train))
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    net.fit(X_train, y_train)
print("net", net.score(X_test, y_test))
os.makedirs("weights", exist_ok=True)
joblib.dump(net, "weights/net.joblib")
