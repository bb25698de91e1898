"""What a determinism level sets, what the record keeps of it, and `mintage.seed()`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from shell_project import ShellProject

import mintage
from mintage.errors import FileMalformedError
from mintage.pipeline.determinism import SOURCE_DATE, needs_avx2, variables
from mintage.pipeline.extract import open_extractor
from mintage.pipeline.hardware import has_avx2
from mintage.repo.locks import read_lock


@pytest.fixture
def project(tmp_path):
    made = ShellProject(tmp_path / "p")
    yield made
    made.connection.close()


def level(name, **changes):
    given = {"seed": None, "threads": None, "machine": "x86_64", "numpy": None} | changes
    return variables(name, **given)


def test_off_sets_nothing() -> None:
    assert level("off", seed=3, threads=4) == {}


def test_same_machine_fixes_threads_seeds_time_zone_locale_and_date_and_no_instruction_set() -> None:
    found = level("same-machine")
    assert (found["OMP_NUM_THREADS"], found["MINTAGE_SEED"], found["PYTHONHASHSEED"]) == ("1", "0", "0")
    assert (found["TZ"], found["LC_ALL"], found["SOURCE_DATE_EPOCH"]) == ("UTC", "C.UTF-8", str(SOURCE_DATE))
    assert "OPENBLAS_CORETYPE" not in found
    assert "MKL_CBWR" not in found


def test_portable_caps_the_instruction_set_of_its_architecture_only() -> None:
    assert level("portable")["ATEN_CPU_CAPABILITY"] == "avx2"
    assert level("portable", machine="aarch64")["OPENBLAS_CORETYPE"] == "ARMV8"
    assert level("portable", machine="riscv64") == level("same-machine", machine="riscv64")
    assert needs_avx2("portable", "x86_64")
    assert not needs_avx2("same-machine", "x86_64")
    assert not needs_avx2("portable", "aarch64")


@pytest.mark.parametrize(("numpy", "first"), [("2.3.9", "AVX512F"), ("2.4.0", "X86_V4"), ("10.0", "X86_V4")])
def test_numpy_is_told_in_the_words_of_its_version(numpy, first) -> None:
    assert level("portable", numpy=numpy)["NPY_DISABLE_CPU_FEATURES"].split()[0] == first
    assert "NPY_DISABLE_CPU_FEATURES" not in level("same-machine", numpy=numpy)


@pytest.mark.skipif(not has_avx2(), reason="needs a processor with AVX2")
def test_installed_numpy_takes_those_words_without_a_warning(project) -> None:
    import numpy

    given = {"PATH": "/usr/bin:/bin"} | level("portable", numpy=numpy.__version__)
    command = [sys.executable, "-W", "error", "-c", "import numpy"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SAYS = """  a: {sh: "echo $OMP_NUM_THREADS $MINTAGE_SEED $TZ $SOURCE_DATE_EPOCH > a.txt", out: [a.txt], %s}\n"""


def test_a_stage_sees_what_its_level_sets_and_the_record_keeps_it(project, monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    project.write(SAYS % "determinism: same-machine, threads: 2")
    project.run()
    assert project.read("a.txt").split() == ["2", "0", "UTC", str(SOURCE_DATE)]
    assert project.ran("a")["determinism"] == "same-machine"
    assert project.ran("a")["variables"]["OMP_NUM_THREADS"] == "2"


def test_another_level_is_another_key(project) -> None:
    project.write(SAYS % "threads: 2")
    project.run()
    assert "determinism" not in project.ran("a")
    project.write(SAYS % "threads: 2, determinism: same-machine")
    assert project.run().actions == {"a": "run"}
    assert project.run().actions == {"a": "keep"}


def test_the_record_has_the_numeric_libraries_that_a_command_really_loaded(project) -> None:
    project.write("  a: {run: python a.py, out: [a.txt]}\n", {"a.py": "import numpy\nopen('a.txt', 'w').write('1')\n"})
    project.run()
    (used,) = project.ran("a")["used"]
    import numpy

    assert used["versions"] == {"numpy": numpy.__version__}
    assert "/" not in str(used)


def test_a_command_without_numeric_libraries_leaves_that_empty(project) -> None:
    project.write("  a: {run: python a.py, out: [a.txt]}\n", {"a.py": "open('a.txt', 'w').write('1')\n"})
    project.run()
    assert project.ran("a")["used"] == []


def test_seed_repeats_what_the_generators_give(monkeypatch) -> None:
    import numpy as np

    monkeypatch.setenv("MINTAGE_SEED", "5")
    found = [(mintage.seed(), random.random(), np.random.random()) for _ in range(2)]
    assert found[0] == found[1]
    monkeypatch.setenv("MINTAGE_SEED", "6")
    assert (mintage.seed(), random.random(), np.random.random()) != found[0]


def test_seed_seeds_a_loaded_torch_and_asks_it_for_deterministic_algorithms(tmp_path) -> None:
    """PyTorch is too large to be had for this; a stand-in with its two functions says what it was asked."""
    stand_in = "def manual_seed(n): print('seed', n)\ndef use_deterministic_algorithms(on): print('only', on)\n"
    (tmp_path / "torch.py").write_text(stand_in)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import torch, mintage; mintage.seed(9)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=None)
    assert done.stdout.split("\n")[:2] == ["seed 9", "only True"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc of Linux, to look at another process")
@pytest.mark.parametrize("given", ["off", "portable"])
def test_the_answers_of_an_estimator_are_asked_for_at_the_level_of_the_stage_that_wrote_it(project, given) -> None:
    script = "import joblib\nfrom sklearn.dummy import DummyClassifier\njoblib.dump(DummyClassifier(), 'm.joblib')\n"
    project.write(f"  a: {{run: python a.py, out: [m.joblib], determinism: {given}}}\n", {"a.py": script})
    project.run()
    lock = read_lock(project.workspace.root, "a")
    with open_extractor(project.workspace, lock.outputs[0]) as asked:
        variables = Path(f"/proc/{asked._dialogue._process.pid}/environ").read_text()
    assert ("SOURCE_DATE_EPOCH=" in variables) == (given == "portable")
    assert "\0OMP_NUM_THREADS=1\0" in f"\0{variables}"


def test_off_is_a_level_though_yaml_takes_the_word_for_false(project) -> None:
    project.write(SAYS % "determinism: off")
    assert project.workspace.project().stages["a"].determinism == "off"
    project.write(SAYS % "determinism: on")
    with pytest.raises(FileMalformedError):
        project.workspace.project()


def test_a_stage_that_is_recorded_has_its_libraries_in_the_record_too(project) -> None:
    project.write("  a: {run: python a.py}\n", {"a.py": "import numpy\nopen('a.txt', 'w').write('1')\n"})
    project.commit()
    project.run()
    assert "numpy" in project.ran("a")["used"][0]["versions"]
