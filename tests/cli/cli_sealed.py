"""Two people with a clone each: Tess makes models, Ben holds the labels of the hold-out. Real Git, a shared remote."""

from __future__ import annotations

import random
from pathlib import Path

from small_project import FILES, SmallProject, visits

__all__ = ["Pair", "labelled", "make_pair"]

SPLIT = """\
import datetime
import polars as pl

rows = pl.read_csv("data/visits.csv").with_columns(at=pl.col("day").str.to_datetime())
days = rows["day"].unique(maintain_order=True).to_list()
for name, part in (("train", days[:10]), ("validation", days[10:])):
    rows.filter(pl.col("day").is_in(part)).write_parquet(f"work/{name}.parquet")
"""
POLICY = """\
model: buys
owner: risk@example.org
statistics: {seed: 1, draws: 400}
holdout: {sealed: true}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.60}
  - {id: parity, check: Z3}
  - {id: order, check: V4}
"""
CHANGES = {
    "mintage.yaml": FILES["mintage.yaml"]
    .replace(", work/holdout.parquet", "")
    .replace("project: visits\n", "project: visits\nremote: REMOTE\n"),
    "models/buys.yaml": FILES["models/buys.yaml"]
    .replace("work/holdout.parquet", "data/holdout.csv")
    .replace("group_key: day\n", ""),
    "split.py": SPLIT,
    "policies/buys.yaml": POLICY,
}


class Pair:
    """Tess's clone and Ben's, and the Git repository and the remote that they share."""

    def __init__(self, tess: SmallProject, ben: SmallProject) -> None:
        self.tess, self.ben = tess, ben

    def give(self, giver: SmallProject, subject: str) -> None:
        """One commits and shares, and the other takes it."""
        giver.commit(subject)
        giver.git("push", "-q", "origin", "HEAD:main")
        giver.run("push")
        taker = self.ben if giver is self.tess else self.tess
        taker.git("pull", "-q", "--rebase", "origin", "main")
        taker.run("pull")

    def copy_to(self, folder: Path) -> Pair:
        """Both as they are, each to go on alone."""
        return Pair(self.tess.copy_to(folder / "tess"), self.ben.copy_to(folder / "ben"))


def labelled(folder: Path, *, noise: bool = False) -> Path:
    """The rows with labels, which only Ben has; with ``noise`` labels that no input tells anything of."""
    rows = list(visits())[300:]
    if noise:
        coins = random.Random(7)
        rows = [row | {"bought": coins.randrange(2)} for row in rows]
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path = folder / "labelled.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def make_pair(folder: Path, home: Path, *, budget: int = 3, noise: bool = False) -> Pair:
    """Tess's project; Ben joins, seals and witnesses; then Tess trains a model. Nothing is committed to yet."""
    tess = SmallProject(folder / "tess", home)
    tess.root.mkdir(parents=True)
    for name, text in (FILES | CHANGES).items():
        tess.write(name, text.replace("REMOTE", str(folder / "remote")))
    rows = list(visits())[:300]
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    tess.write("data/visits.csv", "\n".join(lines) + "\n")
    tess.run("init")
    tess.run("add", "data/visits.csv")
    tess.commit("a project")
    tess.git("clone", "-q", "--bare", ".", str(folder / "shared.git"))
    tess.git("remote", "add", "origin", str(folder / "shared.git"))
    tess.git("push", "-q", "origin", "HEAD:main")
    tess.git("clone", "-q", "-b", "main", str(folder / "shared.git"), str(folder / "ben"))
    pair = Pair(tess, SmallProject(folder / "ben", home))
    tess.run("push")
    pair.ben.run("holdout", "join", "ben")
    pair.ben.run("holdout", "seal", "buys", str(labelled(folder, noise=noise)), "--budget", str(budget))
    pair.ben.commit("I hold the labels")
    pair.ben.run("audit", "witness", "buys")
    pair.give(pair.ben, "I saw the policy")
    tess.run("run")
    pair.give(tess, "a model")
    return pair
