"""What `determinism: portable` promises, measured: the same estimator fitted twice, with 1, 2 and 4 threads."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.pipeline.hardware import hardware

FAMILIES = {
    "forest": "sklearn",
    "boosting": "sklearn",
    "logistic": "sklearn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
}
THREADS = (1, 2, 4)


def project(families: list[str], *, level: str, again: int = 2) -> str:
    """A stage for each family, number of threads and repetition."""
    form = (
        "  {family}_{threads}_{time}: {{run: python fit_everything.py {family} {threads} {out}, out: [{out}],"
        " threads: {threads}, determinism: {level}}}\n"
    )
    return "".join(
        form.format(family=family, threads=threads, time=time, level=level, out=f"{family}-{threads}-{time}.json")
        for family in families
        for threads in THREADS
        for time in range(again)
    )


@pytest.fixture
def small(tmp_path):
    made = ShellProject(tmp_path / "p")
    yield made
    made.connection.close()


@pytest.fixture
def fits(small):
    """Runs the families and says how many different results each had."""

    def run(families: list[str], **how) -> dict[str, int]:
        shutil.copy(Path(__file__).with_name("fit_everything.py"), small.workspace.root)
        small.write(project(families, **how))
        small.commit()
        small.run(jobs=2)
        root = small.workspace.root
        return {family: len({path.read_bytes() for path in root.glob(f"{family}-*.json")}) for family in families}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_portable_fit_learns_the_same_bits_with_any_number_of_threads(fits, family) -> None:
    if importlib.util.find_spec(FAMILIES[family]) is None:
        pytest.skip(f"needs {FAMILIES[family]}: pip install {FAMILIES[family]}")
    assert fits([family], level="portable") == {family: 1}


@pytest.mark.slow
def test_kmeans_learns_other_bits_with_another_number_of_threads_and_that_is_seen(fits) -> None:
    """The planted fault: were this 1, the measure above could not fail."""
    assert fits(["kmeans"], level="portable", again=1)["kmeans"] > 1


@pytest.mark.slow
def test_without_the_level_a_logistic_regression_depends_on_the_processor(fits, monkeypatch, small) -> None:
    if "avx512f" not in hardware()["vector"]:
        pytest.skip("needs a processor with AVX-512, whose kernels differ")
    fits(["logistic"], level="portable", again=1)
    capped = small.read("logistic-1-0.json")
    fits(["logistic"], level="same-machine", again=1)
    assert small.read("logistic-1-0.json") != capped
