"""``certify`` with what people bring that is wrong: each has its own word and the right verdict; nothing is skipped."""

from __future__ import annotations

import re

import pytest

from small_project import FILES, SmallProject

POLICY = FILES["policies/buys.yaml"]
ANA = "ana@example.org"


def with_policy(project: SmallProject, text: str) -> SmallProject:
    project.write("policies/buys.yaml", text)
    project.commit("another policy")
    return project


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("check: Z3", "check: F99", ("certify.unknown-check", "there is no check 'F99'", "buys.yaml:6:")),
        ("metric: roc", "metirc: roc", ("unknown key 'metirc'", "did you mean 'metric'?", "buys.yaml:5:")),
        ("metric: roc_auc", "metric: r2", ("certify.policy-unfit",)),
        ("check: Z3}", "check: Z3, severity: much}", ("a value does not fit", "buys.yaml:6:")),
        ("model: buys", "model: sells", ("certify.policy-for-another-model",)),
    ],
)
def test_a_policy_that_asks_for_what_is_not_there_is_refused_before_the_hold_out_is_opened(
    released: SmallProject, old: str, new: str, words: tuple[str, ...]
) -> None:
    looks = len(released.audit())
    answer = with_policy(released, POLICY.replace(old, new)).run("certify", "buys", expect=None)
    assert answer.code in (1, 3), answer
    for word in words:
        assert word in answer.err, answer
    assert len(released.audit()) == looks


def test_unknown_words_on_the_command_line_are_named(released: SmallProject) -> None:
    assert "does not take --polcy" in released.run("certify", "--polcy", "x", expect=2).err
    assert "did you mean 'buys'?" in released.run("certify", "bus", expect=3).err


@pytest.mark.slow
def test_a_policy_edited_and_not_committed_is_refused_and_one_younger_than_the_evidence_fails(
    released: SmallProject,
) -> None:
    text = POLICY.replace("0.60", "0.50") + "  - {id: order, check: V4}\n"
    released.write("policies/buys.yaml", text)
    looks = len(released.audit())
    answer = released.run("certify", "buys", expect=1)
    assert "error[certify.policy-not-committed]" in answer.err and "git diff policies/buys.yaml" in answer.err
    assert len(released.audit()) == looks
    released.commit("milder, and afterwards")
    answer = released.run("certify", "buys", expect=1)
    assert "order: the policy was changed after the commit that the model was trained from" in answer.out
    released.git("rm", "-q", "--cached", "policies/buys.yaml")
    released.git("commit", "-qm", "git forgets it, the folder does not")
    assert "error[certify.policy-not-committed]" in released.run("certify", "buys", expect=1).err


@pytest.mark.slow
def test_an_expired_waiver_does_not_hold_and_says_since_when(released: SmallProject) -> None:
    project = with_policy(released, POLICY.replace("0.60", "0.99"))
    assert "auc FAIL" not in project.run("certify", "buys", expect=1).out.splitlines()[0]
    said = ("--reason", "r", "--compensating", "c", "--approver", ANA, "--days", "20", "--write")
    project.run("waiver", "propose", "buys", "auc", *said)
    text = project.read("policies/buys.waivers.yaml")
    project.write("policies/buys.waivers.yaml", re.sub(r"expires: \S+", "expires: 2026-01-05", text))
    project.git("add", "-A")
    project.git("-c", "core.hooksPath=", "commit", "-qm", "I approve", f"--author=A <{ANA}>")
    answer = project.run("certify", "buys", expect=1)
    assert "the waiver of auc does not hold: it expired on 2026-01-05" in answer.out
    assert answer.out.startswith("FAIL: buys must not be released")


def test_a_certificate_of_another_model_releases_nothing(released: SmallProject) -> None:
    """The lock of model a's certificate beside model b: what it says of a proves nothing of b."""
    lock = "mintage.lock/certificate%3Abuys.json"
    commits = released.git("log", "--format=%H", "--", lock).splitlines()
    released.write(lock, released.git("show", f"{commits[-1]}:{lock}") + "\n")
    released.commit("the certificate of the model before")
    answer = released.run("release", "buys", "--to", "production", expect=1)
    assert "has no certificate" in answer.err and "found a certificate of sha256:" in answer.err, answer


def test_a_check_that_takes_too_long_is_stopped_and_the_rest_go_on(released: SmallProject) -> None:
    lines = "  - {id: slow, check: D2, ways: 3, severity: should}\n"
    text = POLICY.replace("draws: 400", "draws: 1000000").replace("statistics", "check_limit_s: 1\nstatistics")
    ranks = "  - {id: ranks, check: F1, metric: average_precision, min: 0.1}\n"
    answer = with_policy(released, text + ranks + lines).run("certify", "buys", "--json", expect=1)
    found = {result["requirement"]: result for result in answer.json["results"]}
    assert found["ranks"]["verdict"] == "INCONCLUSIVE"
    assert "not known, the check was stopped after 1 s" in found["ranks"]["reason"]
    assert found["parity"]["verdict"] == "PASS" and found["p50"]["estimate"] is not None


WRITES = """    rows.filter(pl.col("day").is_in(part)).write_parquet(f"work/{name}.parquet")"""
FAULTY = """    table = rows.filter(pl.col("day").is_in(part))
    (CHANGED if name == "holdout" else table).write_parquet(f"work/{name}.parquet")"""


def hold_out(changed: str) -> tuple[str, str, str]:
    """An edit of the stage that splits: the hold-out is ``changed``."""
    return "split.py", WRITES, FAULTY.replace("CHANGED", changed)


DATA = {
    "a declared column is missing": (
        hold_out('table.drop("minutes")'),
        3,
        ("error[data.invalid]", "there is no column minutes", "work/holdout.parquet"),
    ),
    "all labels are one class": (
        hold_out("table.with_columns(bought=1)"),
        1,
        ("INCONCLUSIVE: buys is not decided", "all rows have one class"),
    ),
    "a label is no class": (hold_out("table.with_columns(bought=2)"), 3, ("labels must be 0 or 1", "found 2")),
    "there are no rows": (
        hold_out("table.head(0)"),
        3,
        ("error[certify.evidence-invalid]", "the hold-out has no rows"),
    ),
    "there are twenty rows": (
        hold_out("table.head(20)"),
        1,
        ("INCONCLUSIVE: buys is not decided", "1 group gives no interval", "about 7 groups would settle it"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", DATA)
def test_a_hold_out_that_cannot_judge_is_named_and_never_passes(fresh: SmallProject, what: str) -> None:
    edit, code, words = DATA[what]
    fresh.replace(*edit)
    fresh.commit("another hold-out")
    fresh.run("run")
    answer = fresh.run("certify", "buys", expect=code)
    for word in words:
        assert word in answer.out + answer.err, answer


TREE = ('LogisticRegression(C=mintage.params()["strength"])', "DecisionTreeClassifier()")
MODELS = {
    "it answers with no number": (
        [("train.py", "joblib.dump(model", 'model[-1].coef_[:] = float("nan")\njoblib.dump(model')],
        "the answer is no finite number",
    ),
    "it breaks at rows that are declared": (
        [("models/buys.yaml", "nullable: false}\n  minutes", "nullable: true}\n  minutes")],
        "the original refuses rows that the model's signature accepts",
    ),
    "it learned from one class": (
        [
            ("train.py", "import mintage", "from sklearn.tree import DecisionTreeClassifier\nimport mintage"),
            ("train.py", *TREE),
            ("train.py", ".to_numpy())", ".to_numpy() * 0)"),
        ],
        "the estimator has seen one class only",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", MODELS)
def test_a_model_that_cannot_be_judged_is_not_built_and_certify_says_so(fresh: SmallProject, what: str) -> None:
    edits, word = MODELS[what]
    for edit in edits:
        fresh.replace(*edit)
    fresh.commit("a faulty model")
    assert word in fresh.run("run", expect=None).err
    assert "is not built yet" in fresh.run("certify", "buys", expect=1).err
