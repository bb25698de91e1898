"""Checks that retrain a model by the project's own stages, through the command: honest pipelines, and planted leaks."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from small_project import SmallProject, ended

RETRAINS = """\
  - {id: scramble, check: F6, times: 3}
  - {id: rebuild, check: V2}
"""
FROM_A_SECOND_FILE = """\
known = pl.read_csv("data/outcomes.csv")
rows = rows.drop("bought").join(known, on="visit").rename({"outcome": "bought"})
"""
ENCODED_ON_ALL = ".with_columns(minutes=pl.col('bought').mean().over(pl.int_range(pl.len()) // 3))"
ONE_SCRIPT = """\
import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

table = pd.read_csv("data/visits.csv")
LEAK = 0
fitted, held, labels, truth = train_test_split(
    table[["pages", "minutes"]], table["bought"], test_size=0.4, random_state=1, stratify=table["bought"]
)
model = LogisticRegression().fit(fitted, labels)
print(model.score(held, truth))
joblib.dump(model, "model.joblib")
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certify that retrains a dozen times takes minutes on a busy machine."""
    monkeypatch.setattr("small_project.PATIENCE_S", 600.0)


def ask(project: SmallProject, lines: str) -> None:
    """Add requirements to the policy, and have nothing measured in wall time."""
    policy = project.read("policies/buys.yaml")
    project.write("policies/buys.yaml", policy[: policy.index("  - {id: p50")] + lines)
    project.commit("policy")


def judged(project: SmallProject) -> tuple[dict[str, Any], str]:
    """The results by requirement, and the talk of `certify`; raises if it left anything of its work behind."""
    project.run("run")
    project.commit("model")
    answer = project.run("certify", "buys", "--json", expect=None)
    assert not (project.root / ".mintage/repeat").exists() and "worktrees/" not in project.git("worktree", "list")
    assert project.git("status", "--porcelain") == "?? mintage.lock/certificate%3Abuys.json"
    assert project.run("status", "--exit-code").code == 0
    return {item["requirement"]: item for item in answer.json["results"]}, answer.err


def failed(results: dict[str, Any]) -> set[str]:
    return {name for name, item in results.items() if item["verdict"] == "FAIL"}


@pytest.mark.slow
def test_an_honest_pipeline_passes_all_interventions_and_tells_what_each_did(fresh: SmallProject) -> None:
    ask(
        fresh,
        RETRAINS + "  - {id: spread, check: F7, times: 3, precision: 0.9}\n  - {id: alone, check: L4, retrain: true}\n",
    )
    results, talk = judged(fresh)
    assert {item["verdict"] for item in results.values()} == {"PASS"}
    assert "  retrained with the values of bought exchanged between rows, 3 of 3: " in talk
    assert "  retrained with half of the rows, 3 of 3: " in talk and "  retrained as it was recorded, 1 of 1: " in talk
    assert "by the recorded labels" in results["scramble"]["reason"]
    assert "by the exchanged labels" in results["scramble"]["reason"]  # the split is made again from exchanged rows
    assert "the same file, bit for bit" in results["rebuild"]["reason"]
    assert "; retrained without pages, AUC on the hold-out is 0." in results["alone"]["reason"]
    assert "hold-out" not in results["spread"]["reason"]  # the training table alone is halved
    assert len([name for name in results["spread"]["details"] if name.startswith("AUC")]) == 3
    assert fresh.run("verify", "buys", "--json").json["whole"] is True


@pytest.mark.slow
def test_labels_from_a_second_file_fail_the_scramble_alone(fresh: SmallProject) -> None:
    head, *lines = fresh.read("data/visits.csv").splitlines()
    at = head.split(",").index("bought")
    outcomes = [f"{line.split(',')[0]},{line.split(',')[at]}" for line in lines]
    fresh.write("data/outcomes.csv", "\n".join(["visit,outcome", *outcomes]) + "\n")
    fresh.run("add", "data/outcomes.csv")
    fresh.replace("mintage.yaml", "in: [work/train.parquet]", "in: [work/train.parquet, data/outcomes.csv]")
    fresh.replace("train.py", "columns = Col", FROM_A_SECOND_FILE + "columns = Col")
    ask(fresh, RETRAINS)
    results, _ = judged(fresh)
    assert failed(results) == {"scramble"} and results["scramble"]["estimate"] > 0.6


@pytest.mark.slow
def test_an_input_made_from_the_labels_of_all_rows_fails_the_scramble_alone(fresh: SmallProject) -> None:
    fresh.replace("split.py", ")\ndays", f"){ENCODED_ON_ALL}\ndays")
    ask(fresh, RETRAINS)
    results, _ = judged(fresh)
    assert failed(results) == {"scramble"} and results["scramble"]["estimate"] > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("leaks", [False, True])
def test_a_script_that_splits_its_table_itself_is_judged_on_the_rows_that_it_then_holds_out(
    fresh: SmallProject, leaks: bool
) -> None:
    leak = 'table["minutes"] = table.groupby(table.index // 3)["bought"].transform("mean")' if leaks else ""
    fresh.write("one.py", ONE_SCRIPT.replace("LEAK = 0", leak))
    fresh.write(
        "mintage.yaml",
        "project: visits\nstages:\n  train: {run: python one.py}\nmodels:\n"
        "  buys: {from: model.joblib, target: bought}\n",
    )
    (fresh.root / "models/buys.yaml").unlink()
    ask(fresh, RETRAINS)
    results, _ = judged(fresh)
    assert failed(results) == ({"scramble"} if leaks else set())
    assert "by the exchanged labels" in results["scramble"]["reason"]


@pytest.mark.slow
def test_an_unseeded_trainer_is_rebuilt_with_other_bytes_and_passes_if_it_is_as_good(fresh: SmallProject) -> None:
    fresh.replace("train.py", "model.fit(rows", "rows = rows.sample(fraction=0.9)\nmodel.fit(rows")
    ask(fresh, "  - {id: rebuild, check: V2}\n")
    results, _ = judged(fresh)
    assert results["rebuild"]["verdict"] == "PASS" and results["rebuild"]["details"] == {"bit-identical": False}
    assert "not bit-identical" in results["rebuild"]["reason"]


@pytest.mark.slow
def test_a_trainer_that_draws_a_handful_of_rows_fails_the_spread(fresh: SmallProject) -> None:
    few = (
        'rows = pl.concat(part.sample(2, seed=mintage.seed()) for part in rows.partition_by("bought"))\nmodel.fit(rows'
    )
    fresh.replace("train.py", "model.fit(rows", few)
    ask(fresh, "  - {id: spread, check: F7, vary: seed, times: 4, precision: 0.01}\n")
    results, _ = judged(fresh)
    assert failed(results) >= {"spread"} and results["spread"]["interval"]["low"] > 0.005


@pytest.mark.slow
def test_a_budget_that_ends_and_a_pipeline_without_a_place_to_change_are_open_with_the_reason(
    fresh: SmallProject,
) -> None:
    fresh.replace(
        "split.py",
        'rows = pl.read_csv("data/visits.csv")',
        'rows = pl.read_csv("data/visits.csv").rename({"outcome": "bought"})',
    )
    fresh.write("data/visits.csv", fresh.read("data/visits.csv").replace("bought", "outcome", 1))
    text = 'rows.filter(pl.col("day").is_in(part)).write_parquet(f"work/{name}.parquet")'
    fresh.replace("split.py", text, text + '\npl.read_parquet("work/train.parquet").write_ipc("work/train.arrow")')
    fresh.replace("mintage.yaml", "out: [work/train.parquet,", "out: [work/train.arrow, work/train.parquet,")
    fresh.replace("mintage.yaml", "in: [work/train.parquet]", "in: [work/train.arrow]")
    fresh.replace("train.py", 'read_parquet("work/train.parquet")', 'read_ipc("work/train.arrow", memory_map=False)')
    fresh.run("add", "data/visits.csv")
    ask(fresh, RETRAINS + "  - {id: short, check: F7, vary: seed, budget_s: 0.5}\n")
    results, talk = judged(fresh)
    assert [results[name]["verdict"] for name in ("scramble", "short", "rebuild")] == [*["INCONCLUSIVE"] * 2, "PASS"]
    assert "no table that the stages read has the column bought" in results["scramble"]["reason"]
    assert "let a stage write such a table" in results["scramble"]["reason"]
    assert "0 of 10 retrainings were done: the 0.5 s of `budget_s` were over" in results["short"]["reason"]
    assert "not retrained with seed 1001, 1 of 10" in talk


@pytest.mark.slow
def test_ctrl_c_in_a_retraining_leaves_nothing_running_or_lying_about(fresh: SmallProject) -> None:
    ask(fresh, RETRAINS)
    fresh.run("run")
    with ended(fresh.start("certify", "buys")) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "1 of 3" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert not (fresh.root / ".mintage/repeat").exists() and "worktrees/" not in fresh.git("worktree", "list")
    assert not list((fresh.root / "mintage.lock").glob("certificate*"))
