"""The small project of ``small_project``, made once a session; tests that change it work on a copy of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from small_project import SmallProject, build_models, make_project

NODE_MODULES = Path(__file__).parent.parent / ".node" / "node_modules"
if NODE_MODULES.is_dir():  # what scripts/install-system-parts installed, also for tests in other folders
    os.environ.setdefault("MINTAGE_NODE_MODULES", str(NODE_MODULES))

# A machine that is shared makes inputs slowly; that says nothing of a test.
settings.register_profile("shared", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

os.environ.pop("CI", None)  # where it is set, stages run in the sandbox


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    home = tmp_path_factory.mktemp("home")
    return make_project(tmp_path_factory.mktemp("small") / "fresh project", home)


@pytest.fixture(scope="session")
def _released(_fresh: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    made = _fresh.copy_to(tmp_path_factory.mktemp("small") / "released project")
    build_models(made)
    return made


@pytest.fixture
def fresh(_fresh: SmallProject, tmp_path: Path) -> SmallProject:
    """A copy of the project before its first run."""
    return _fresh.copy_to(tmp_path / "fresh project")


@pytest.fixture
def released(_released: SmallProject, tmp_path: Path):
    """A copy of the project with model ``a`` released and model ``b`` certified; nothing serves yet."""
    copy = _released.copy_to(tmp_path / "released project")
    yield copy
    copy.stop_gateway()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Close the output with the table of strangers' projects, by whichever process they were taken to a certificate."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    called = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"]
    lines = [value for report in called for name, value in report.user_properties if name == "own-project"]
    if lines:
        terminalreporter.section("your own project")
        for line in [["project", "commands", "lines", "seconds", "verdict"], *lines]:
            terminalreporter.write_line("{:<18}{:>9}{:>7}{:>9}  {}".format(*line))
