"""Tiers and what is kept, by the command: a pull request's certificate releases nothing, and little is done twice."""

from __future__ import annotations

import shutil
import signal
import time

import pytest

from small_project import SmallProject

POLICY = """\
model: buys
owner: risk@example.org
statistics: {seed: 1, draws: 400}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.60}
  - {id: parity, check: Z3}
  - {id: shared, check: L1}
  - {id: noise, check: R1, severity: note, tier: release}
  - {id: slices, check: S1, severity: note, tier: release}
  - {id: p50, check: T1, quantile: 0.5, max_ms: 1000, calls: 50, tier: release}
"""


def tiered(project: SmallProject) -> SmallProject:
    project.write("policies/buys.yaml", POLICY)
    project.commit("tiers")
    project.run("run", "--force")
    project.commit("built")
    return project


@pytest.mark.slow
def test_a_pull_request_is_asked_less_and_its_results_serve_the_release(released: SmallProject) -> None:
    project = tiered(released)
    before, looks = project.lock("certificate:buys"), len(openings(project))
    first = project.run("certify", "buys", "--tier", "pull-request")
    assert first.out.startswith("PASS: buys passes what is asked of a pull request, which releases nothing: ")
    assert "  not asked of a pull request: noise, slices, p50\n" in first.out
    assert "It is not named in mintage.lock." in first.err
    assert project.lock("certificate:buys") == before
    last = project.audit()[-1]
    assert (last["action"], last["details"]["tier"]) == ("certificate.issue", "pull-request")

    project.replace("policies/buys.yaml", "check: L1", "check: L1, max_share: 0.002")
    project.commit("another share")
    whole = project.run("certify", "buys", "--json").json
    assert (whole["tier"], whole["not_asked"], whole["kept"]) == ("release", [], ["auc", "parity"])
    assert project.lock("certificate:buys")["record"] == whole["certificate"]
    (page,) = (project.root / ".mintage/reports").glob("certificate-buys-*-pull-request.html")
    assert "Judged as a pull request, which releases nothing. Not asked: noise, slices, p50." in page.read_text()
    fresh = project.run("certify", "buys", "--json", "--fresh").json
    assert fresh["kept"] == []
    assert fresh["results"][:5] == whole["results"][:5]
    assert len(openings(project)) == looks + 3  # what is known from before looks at the hold-out too


def openings(project: SmallProject) -> list[object]:
    return [entry for entry in project.audit() if entry["action"] == "holdout.open"]


@pytest.mark.slow
def test_a_certification_that_was_killed_goes_on_where_it_was(released: SmallProject) -> None:
    project = tiered(released)
    kept = project.root / ".mintage/certify/results"
    shutil.rmtree(kept)
    process = project.start("certify", "buys", "--json")
    try:
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until and not any(kept.glob("*/[0-9a-f]*")):
            pass  # the first result is there, and the others are being made
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    again = project.run("certify", "buys", "--json").json
    assert "auc" in again["kept"]
    assert again["verdict"] == "PASS"
