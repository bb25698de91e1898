"""examples/employment, built whole: two people, a finding, a waiver, a variant that is refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "employment"
KEPT = EXAMPLE / "rendered"
ROW = re.compile(r"^\| ([a-z0-9.-]+) \| [A-Z]\d \| (\w+) \| ([^|]+) \|", re.MULTILINE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXAMPLE.is_dir(), reason="needs examples/, which a clone of the repository has"),
]


def environment(home: Path) -> dict[str, str]:
    """A fresh machine: nothing of the user's."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return clean | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    for name in ("polars", "joblib", "sklearn"):
        pytest.importorskip(name, reason=f"needs {name}: install the extra demo")
    home = tmp_path_factory.mktemp("home")
    folder = home / "employment"
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "build.py"), str(folder)],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    if os.environ.get("MINTAGE_WRITE_IMAGES"):
        KEPT.mkdir(exist_ok=True)
        for name in ("verdicts.md", "3-waived.html"):
            shutil.copyfile(folder / "pages" / name, KEPT / name)
    return folder, done.stdout


@pytest.fixture(scope="module")
def parts(built):
    """What verdicts.md says of each of the four certificates."""
    found = (built[0] / "pages" / "verdicts.md").read_text().split("\n## ")[1:]
    assert len(found) == 4
    return found


def blocking(part: str) -> dict[str, str]:
    """Of the required ones those that are not met."""
    rows = ROW.findall(part)
    assert len(rows) == 35
    return {
        name: verdict for name, severity, verdict in rows if severity == "must" and verdict[:4] not in ("PASS", "NOT ")
    }


def type_as_bo(built, *words):
    folder, _ = built
    done = subprocess.run(
        [sys.executable, "-m", "mintage", *words],
        cwd=folder / "bo",
        env=environment(folder.parent),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_kept_verdicts_are_those_of_a_new_build(parts):
    kept = (KEPT / "verdicts.md").read_text().split("\n## ")[1:]
    measured_times = {"latency.p99"}

    def verdicts(part: str) -> list[tuple[str, ...]]:
        return [row for row in ROW.findall(part) if row[0] not in measured_times]

    assert [verdicts(part) for part in parts] == [verdicts(part) for part in kept]
    assert (KEPT / "3-waived.html").stat().st_size < 300_000


def test_the_first_model_fails_by_a_finding_that_the_next_one_meets(built, parts):
    assert blocking(parts[0]) == {"findings": "FAIL", "slices.all": "FAIL", "oversight": "INCONCLUSIVE"}
    assert blocking(parts[1]) == {"slices.all": "FAIL"}
    assert "closed" in type_as_bo(built, "finding", "list", "employed")


def test_one_failure_is_waived_by_another_person_and_stays_a_failure(built, parts):
    assert parts[2].split("\n\n")[1].startswith("PASS: employed may be released: ")
    assert blocking(parts[2]) == {"slices.all": "FAIL, waived"}
    assert "holds; the certificate rests on it" in type_as_bo(built, "waiver", "list", "employed")
    assert "verified: all" in type_as_bo(built, "verify", "employed")


def test_the_variant_fails_by_its_gap_and_its_calibration_and_is_not_released(built, parts):
    found = blocking(parts[3])
    assert found["overfitting.gap"] == found["calibration"] == found["performance.champion"] == "FAIL"
    assert found.get("slices.all") != "FAIL, waived"  # the waiver was for another number
    assert "error[certificate.not-passed]" in built[1]


def test_what_people_attest_is_not_called_proven(parts):
    assert "- aia:14.4: not covered" in parts[0]
    assert "- aia:14.4: attested" in parts[2]
    assert "- aia:15.1: proven" in parts[2]
    assert "- nyc-ll144:5-301: not covered" in parts[2]


def test_each_certificate_has_a_page_that_is_one_file(built):
    pages = sorted((built[0] / "pages").glob("*.html"))
    assert [page.name[0] for page in pages] == ["1", "2", "3", "4"]
    assert "waived until" in pages[2].read_text()
