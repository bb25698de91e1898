import argparse
import pathlib
import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score, train_test_split


def parse_args(argv=None):
    p = argparse.ArgumentParser(description="Fit the readmission model")
    p.add_argument("--data", default="data/stays.csv.gz", help="one row per stay")
    p.add_argument("--target", default="readmitted")
    p.add_argument("--depth", type=int, default=4)
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("--iterations", type=int, default=60)
    p.add_argument("--seed", type=int, default=13)
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path("artifacts"))
    return p.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    np.random.seed(args.seed)
    table = pd.read_csv(args.data, index_col="stay")
    y = table.pop(args.target)
    x_tr, x_te, y_tr, y_te = train_test_split(table, y, test_size=0.3, random_state=args.seed)
    model = HistGradientBoostingClassifier(
        max_depth=args.depth, learning_rate=args.lr, max_iter=args.iterations, random_state=args.seed
    )
    cv = cross_val_score(model, x_tr, y_tr, cv=3, scoring="roc_auc")
    model.fit(x_tr, y_tr)
    args.out.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, args.out / "model.joblib", compress=3)
    report = [f"cv auc   {cv.mean():.4f} +- {cv.std():.4f}", f"test acc {model.score(x_te, y_te):.4f}"]
    (args.out / "report.txt").write_text("\n".join(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
