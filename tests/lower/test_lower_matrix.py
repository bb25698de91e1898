"""Every family that must lower, on 3,000 real flights and as many edge rows: the published table, proven again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matrix import measure
from matrix_cases import CASES, Case, read_flights

from mintage.model.parity import ROUNDED, TOLERANCE


@pytest.fixture(scope="module")
def flights() -> Any:
    return read_flights()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that are fitted; ours are errors in every other test
@pytest.mark.parametrize("case", CASES, ids=[f"{case.family}-{case.task}-{case.name}" for case in CASES])
def test_a_pipeline_gives_the_original_answers(case: Case, flights: Any, tmp_path: Path) -> None:
    found = measure(case, flights, tmp_path, converters=False)
    assert found.compared >= 3_000
    assert found.flips == 0
    assert found.max_error <= found.tolerance
    assert found.tolerance == (ROUNDED if case.family == "XGBoost" else TOLERANCE)


def test_there_are_at_least_sixty_pipelines_of_different_names() -> None:
    names = {(case.family, case.task, case.targets, case.name) for case in CASES}
    assert len(names) == len(CASES) >= 60
