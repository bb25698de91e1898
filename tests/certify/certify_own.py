"""A workspace that runs a project's own checks, and evidence whose checks are given as texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.own_code import OwnFile
from mintage.certify.own_process import ConfinedCode, limits_of
from mintage.certify.policy import parse_policy
from mintage.repo.workspace import Workspace

HEAD = "model: late\nowner: risk@example.org\nstatistics: {seed: 3, draws: 400}\nrequirements:\n"


def make_workspace(root: Path) -> Workspace:
    """A project of nothing, whose interpreter is the one that runs this."""
    (root / "mintage.yaml").write_text("project: own\n")
    (root / ".mintage").mkdir()
    return Workspace(root)


def with_files(evidence: Evidence, workspace: Workspace, files: Mapping[str, str], *, limit_s: float = 60) -> Evidence:
    """The evidence of a project that has these files, by their names below ``checks``."""
    found = {f"checks/{name}.py": OwnFile(path=f"checks/{name}.py", data=text.encode()) for name, text in files.items()}
    own = ConfinedCode(workspace, found, estimator="model.joblib", limits=limits_of(limit_s))
    return replace(evidence, own=own)


def judged(evidence: Evidence, *requirements: str) -> list[CheckResult]:
    """The results of requirements, one line of YAML each."""
    text = HEAD + "".join(f"  - {{id: r{place}, {line}}}\n" for place, line in enumerate(requirements))
    return list(certify(evidence, parse_policy(text.encode(), where="policies/late.yaml")).results)
