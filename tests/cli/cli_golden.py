"""Make the golden files of certification: what two small projects leave that are certified by the command.

``PYTHONPATH=tests python tests/cli/cli_golden.py FOLDER`` writes them below FOLDER. The keys are made for it and thrown
away with the projects. What is in tests/certify/golden stays as it is: this is for the next version of a format, beside
those before it.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cli_sealed import make_pair

from small_project import SmallProject, make_project

ANA = "ana@example.org"
POLICY = """\
  - {id: loss, check: F1, metric: log_loss, max: 0.2, controls: ['aia:15.1']}
  - {id: missed, check: own, file: checks/missed.py, max: 0.5}
  - {id: oversight, check: H1, asks: a person can override, controls: ['aia:14.4']}
  - {id: findings, check: B5}
  - {id: order, check: V4, severity: should}
"""
MISSED = '''\
def per_row(holdout, data):
    """Buyers that are missed."""
    return (holdout.labels == 1) & (holdout.predicted == 0)
'''
REVOKED = """\
model: buys
revoked:
  - certificate: {digest}
    reason: shown how to take one back
    by: ana@example.org
    at: {day}
"""
OPEN = [
    "trust.yaml",
    "plan.md",
    "checks/missed.py",
    "models/buys.yaml",
    "policies/buys.yaml",
    "policies/buys.waivers.yaml",
    "policies/buys.findings.jsonl",
    "policies/buys.attested/oversight.json",
    "policies/buys.revoked.yaml",
    "certificate.json",
    "latency.json",
    "report.json",
    "page.html.gz",
]
SEALED = [
    "trust.yaml",
    "policies/buys.yaml",
    "policies/buys.witnessed/*.json",
    "holdouts/buys/seal.json",
    "holdouts/buys/committed.json",
    "holdouts/buys/openings.jsonl",
    "certificate.json",
]


def make_open(folder: Path, home: Path) -> SmallProject:
    """A certificate that passes with a waiver, a finding, an attested requirement, an own check and wall times."""
    project = make_project(folder, home)
    project.write("policies/buys.yaml", project.read("policies/buys.yaml") + POLICY)
    project.write("checks/missed.py", MISSED)
    project.write("plan.md", "who overrides, and how\n")
    project.commit("a policy")
    project.run("run")
    project.run("attest", "buys", "oversight", "--says", "a person sees each answer", "--document", "plan.md")
    project.run("finding", "add", "buys", "--row", "pages=95", "minutes=9", "--expect", "label=1", "--about", "a buyer")
    closed = project.run("finding", "add", "buys", "--row", "pages=", "minutes=9", "--expect", "refused")
    project.run("finding", "close", "buys", closed.out.partition(":")[0], "--why", "it is")
    project.commit("what people say")
    project.run("certify", "buys", expect=1)
    said = ("--reason", "sales start in March", "--compensating", "a person looks at each", "--approver", ANA)
    project.run("waiver", "propose", "buys", "loss", *said, "--write")
    project.git("add", "-A")
    project.git("commit", "-qm", "I approve", f"--author=Ana <{ANA}>")
    project.run("certify", "buys")
    _keep_certificate(project)
    project.run("report", "buys", "--format", "json", "-o", "report.json")
    latency = json.loads(project.read("report.json"))["latency"]
    project.write("latency.json", project.blob(latency).read_text())
    page = next((project.root / ".mintage/reports").glob("certificate-*.html"))
    (project.root / "page.html.gz").write_bytes(gzip.compress(page.read_bytes(), mtime=0))
    digest, day = project.lock("certificate:buys")["record"], datetime.now(UTC).date()
    project.write("policies/buys.revoked.yaml", REVOKED.format(digest=digest, day=day))
    return project


def make_sealed(folder: Path, home: Path) -> SmallProject:
    """A certificate of a second person, who holds the labels and saw the policy before."""
    pair = make_pair(folder, home)
    pair.tess.run("certify", "buys", expect=1)
    pair.give(pair.tess, "answers")
    pair.ben.run("holdout", "open", "buys")
    pair.give(pair.ben, "opened")
    _keep_certificate(pair.tess)
    return pair.tess


def _keep_certificate(project: SmallProject) -> None:
    digest = project.lock("certificate:buys")["record"]
    (project.root / "certificate.json").write_bytes(project.blob(digest).read_bytes())


def _take(project: SmallProject, names: list[str], to: Path) -> None:
    for name in names:
        for path in sorted(project.root.glob(name)):
            target = to / path.relative_to(project.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def main(to: Path) -> None:
    """Make both and take what is kept."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        _take(make_open(Path(scratch) / "open", home), OPEN, to / "open")
        _take(make_sealed(Path(scratch) / "sealed", home), SEALED, to / "sealed")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
