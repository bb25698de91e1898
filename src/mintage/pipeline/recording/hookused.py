"""Which numeric libraries a program had loaded when it ended; copied beside the hook, which starts it.

It runs in the user's program, with whatever Python that is (3.9 or later). Nothing is imported that was not there, but
for threadpoolctl, if NumPy was loaded and it is installed: it knows which kernels a linear algebra library chose, and
how many threads. No paths are told: they differ from machine to machine.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

_NUMERIC = (
    "catboost",
    "cupy",
    "jax",
    "lightgbm",
    "numba",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "sklearn",
    "statsmodels",
    "tensorflow",
    "torch",
    "xgboost",
)
_POOL = ("internal_api", "version", "architecture", "threading_layer", "num_threads")


def tell(say: Callable[[str, str], None]) -> None:
    """Say versions and thread pools, if there is any."""
    versions = {name: version for name in _NUMERIC if (version := _version(name)) is not None}
    if not versions:
        return
    found: dict[str, Any] = {"python": sys.version.split()[0], "versions": versions}
    pools = _pools() if "numpy" in versions else None
    if pools is not None:
        found["pools"] = pools
    if "torch" in versions:
        torch = sys.modules["torch"]
        found["torch"] = {
            "threads": torch.get_num_threads(),
            "capability": torch.backends.cpu.get_cpu_capability(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        }
    say("used", json.dumps(found, sort_keys=True))


def _version(name: str) -> str | None:
    version = getattr(sys.modules.get(name), "__version__", None)
    return version if isinstance(version, str) else None


def _pools() -> list[dict[str, Any]] | None:
    try:
        threadpool_info = importlib.import_module("threadpoolctl").threadpool_info
    except ImportError:
        return None
    pools = [
        {
            "library": pool["filepath"].replace(os.sep, "/").rpartition("/")[2].partition("-")[0],
            **{key: pool[key] for key in _POOL if key in pool},
        }
        for pool in threadpool_info()
    ]
    return sorted(pools, key=lambda pool: json.dumps(pool, sort_keys=True))
