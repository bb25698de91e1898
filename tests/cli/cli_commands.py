"""Every command with words that fit it, for tests that hold for all of them."""

from __future__ import annotations

NO_BLOB = "b3:" + "0" * 64

# words, exit code in a project in which nothing was declared yet
COMMANDS: dict[tuple[str, ...], int] = {
    ("add", "nothing.csv"): 3,
    ("attest", "buys", "oversight", "--says", "yes", "--document", "plan.md"): 3,
    ("audit",): 0,
    ("audit", "verify"): 0,
    ("certify", "buys"): 3,
    ("checkout",): 0,
    ("export", "buys", "--to", "onnx"): 3,
    ("finding", "list", "buys"): 3,
    ("finding", "add", "buys", "--row", "x=1", "--expect", "refused", "--author", "a@b.c"): 3,
    ("graph",): 0,
    ("import", "dvc"): 3,
    ("labels", "buys", "labels.parquet"): 3,
    ("log",): 0,
    ("logs",): 0,
    ("logs", "train"): 3,
    ("monitor", "buys"): 3,
    ("notebook", "train"): 3,
    ("parity", "buys"): 3,
    ("policy", "check"): 0,
    ("policy", "clauses"): 0,
    ("policy", "init", "buys"): 3,
    ("predict", "buys", "in.parquet", "out.parquet"): 3,
    ("pull",): 3,
    ("push",): 0,
    ("reconcile", "production"): 3,
    ("release", "buys", "--to", "production"): 3,
    ("report",): 0,
    ("reproduce",): 3,
    ("retrain", "buys"): 3,
    ("rollback", "production/buys"): 3,
    ("run",): 0,
    ("schema",): 0,
    ("serve", "buys"): 3,
    ("shell", "train"): 3,
    ("show", "buys"): 3,
    ("show", "decision"): 1,
    ("show", "train"): 3,
    ("show", NO_BLOB): 4,
    ("status",): 0,
    ("stop", "production"): 3,
    ("verify", "buys"): 3,
    ("verify", "production/buys"): 3,
    ("verify", "http://127.0.0.1:9"): 6,
    ("waiver", "propose", "buys", "auc"): 3,
    ("waiver", "list", "buys"): 3,
    ("why", "train"): 3,
}

# these look for no project of ours
OF_ANOTHER_TOOL = frozenset(["import", "schema"])
# these take a model's folder too, so that a project is not what is missing
WITHOUT_PROJECT = frozenset(["export", "parity", "predict", "serve"])
