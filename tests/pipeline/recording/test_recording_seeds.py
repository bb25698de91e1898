"""Seeds that a program really sets are seen; generators that nothing seeded are told, and only if they were used."""

from __future__ import annotations

import pytest
from recorded import Desk

NUMPY = "import numpy as np\n"


@pytest.mark.parametrize(
    ("script", "seeds"),
    [
        ("import random\nrandom.seed(7)\nrandom.random()", ("random.seed(7) (s.py:2)",)),
        ("from random import seed, random\nseed(8)\nrandom()", ("random.seed(8) (s.py:2)",)),
        (NUMPY + "np.random.seed(3)\nnp.random.rand()", ("numpy.random.seed(3) (s.py:2)",)),
        (NUMPY + "np.random.default_rng(4).normal()", ("numpy.random.default_rng(4) (s.py:2)",)),
        (NUMPY + "np.random.default_rng(seed=4).normal()", ("numpy.random.default_rng(4) (s.py:2)",)),
        (NUMPY + "np.random.seed(seed=int('5'))", ("numpy.random.seed(5) (s.py:2)",)),
        ("import lib\nlib.begin()", ("random.seed(9) (lib.py:3)",)),
        ("import subprocess, sys\nsubprocess.run([sys.executable, 'lib.py'])", ("random.seed(6) (lib.py:5)",)),
    ],
)
def test_seeds_are_seen_with_value_and_place(desk: Desk, script: str, seeds: tuple[str, ...]) -> None:
    desk.write(
        "lib.py", "import random\ndef begin():\n    random.seed(9)\nif __name__ == '__main__':\n    random.seed(6)\n"
    )
    found = desk.record(script)
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert (found.seeds, found.unseeded) == (seeds, ())


@pytest.mark.parametrize(
    ("script", "unseeded"),
    [
        ("import random\nrandom.random()", ("random",)),
        ("from random import shuffle\nshuffle([1, 2])", ("random",)),
        (NUMPY + "np.random.rand()", ("numpy.random",)),
        (NUMPY + "np.random.default_rng().normal()", ("numpy.random.default_rng() (s.py:2)",)),
        (NUMPY + "np.random.seed()\nnp.random.rand()", ("numpy.random.seed() (s.py:2)", "numpy.random")),
        ("import random, numpy", ()),
        ("import tempfile, uuid\ntempfile.mkdtemp()\nuuid.uuid4()", ()),
        (NUMPY + "np.random.set_state(np.random.RandomState(1).get_state())\nnp.random.rand()", ()),
        ("import random\nrandom.setstate(random.Random(1).getstate())\nrandom.random()", ()),
        ("import random\nrandom.Random(3).random()", ()),
    ],
)
def test_what_nothing_seeded_is_told_if_it_was_used(desk: Desk, script: str, unseeded: tuple[str, ...]) -> None:
    found = desk.record(script)
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert found.unseeded == unseeded


def test_a_forest_without_a_seed_is_told_and_one_with_is_not(desk: Desk) -> None:
    script = "from sklearn.ensemble import RandomForestClassifier as F\nF(2{}).fit([[0], [1]], [0, 1])"
    assert desk.record(script.format("")).unseeded == ("numpy.random",)
    assert desk.record(script.format(", random_state=1")).unseeded == ()


def test_wrapped_functions_behave_as_before(desk: Desk) -> None:
    script = (
        "import pickle, random, inspect, numpy as np\n"
        "assert pickle.loads(pickle.dumps(random.seed)) is random.seed\n"
        "assert pickle.loads(pickle.dumps(np.random.seed)) is np.random.seed\n"
        "assert random.seed.__name__ == 'seed' and 'a' in inspect.signature(random.seed).parameters\n"
        "random.seed(1)\na = random.random()\nassert a == random.Random(1).random()\n"
        "g = np.random.default_rng(np.random.default_rng(1))\nassert isinstance(g, np.random.Generator)\n"
        "try:\n    np.random.seed('no')\nexcept (TypeError, ValueError):\n    print('raised')\n"
        "import importlib.resources\nassert random.__spec__.loader.exec_module.__self__ is random.__spec__.loader\n"
    )
    found = desk.record(script)
    assert found.finished.exit_code == 0, desk.log.read_text()
    assert desk.log.read_text() == "raised\n"


def test_many_seeds_are_cut_short(desk: Desk) -> None:
    assert len(desk.record("import random\nfor n in range(1000):\n    random.seed(n)").seeds) == 20


@pytest.mark.slow
def test_the_seed_of_torch_is_seen(desk: Desk) -> None:
    pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    found = desk.record("import torch\ntorch.manual_seed(5)\ntorch.rand(2)")
    assert found.seeds == ("torch.manual_seed(5) (s.py:2)",)
