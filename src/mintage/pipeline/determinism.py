"""What a determinism level sets in the environment of a stage. Pure. See docs/spec/determinism.md.

``same-machine`` fixes what differs from run to run on one machine: threads, seeds, hash seed, time zone, locale and the
date that writers stamp. ``portable`` also caps the instruction sets that libraries choose by processor, so that two
processors of one architecture take the same code path. Neither changes what a script does: unseeded generators of its
own, the clock and the network stay what they are.

>>> variables("off", seed=None, threads=None, machine="x86_64", numpy=None)
{}
>>> set_ = variables("portable", seed=7, threads=2, machine="x86_64", numpy="2.4.6")
>>> set_["MINTAGE_SEED"], set_["OMP_NUM_THREADS"], set_["OPENBLAS_CORETYPE"]
('7', '2', 'Haswell')
"""

from __future__ import annotations

import re

from mintage.repo.stage import Determinism

__all__ = ["SOURCE_DATE", "needs_avx2", "variables"]

SOURCE_DATE = 315_532_800
"""The first moment that a ZIP file can name, 1980-01-01. Not the commit's time: that of a run from a dirty tree is
another than that of the commit which then holds its lock, and the two must write the same bytes."""

_THREADS = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "PYTHON_CPU_COUNT",
)
_SAME_MACHINE = {
    "OMP_DYNAMIC": "FALSE",
    "MKL_DYNAMIC": "FALSE",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "SOURCE_DATE_EPOCH": str(SOURCE_DATE),
}
_X86 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "BLIS_ARCH_TYPE": "haswell",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}
_ARM = {"OPENBLAS_CORETYPE": "ARMV8", "ATEN_CPU_CAPABILITY": "default"}


def needs_avx2(level: Determinism, machine: str) -> bool:
    """Whether the level only works on a processor with AVX2: it names code paths that use it."""
    return level == "portable" and machine in ("x86_64", "AMD64")


def variables(
    level: Determinism, *, seed: int | None, threads: int | None, machine: str, numpy: str | None
) -> dict[str, str]:
    """The variables that the level sets, over all others. Without ``threads`` there is one, without ``seed`` it is 0;
    ``machine`` is the architecture, ``numpy`` the version in the stage's environment."""
    if level == "off":
        return {}
    known = 0 if seed is None else seed
    result = dict.fromkeys(_THREADS, str(threads or 1)) | _SAME_MACHINE
    result |= {"MINTAGE_SEED": str(known), "PYTHONHASHSEED": str(known % 2**32)}
    if level == "portable":
        result |= _X86 if needs_avx2(level, machine) else _ARM if machine in ("aarch64", "arm64") else {}
        if needs_avx2(level, machine) and numpy is not None:
            result["NPY_DISABLE_CPU_FEATURES"] = _beyond_avx2(numpy)
    return result


def _beyond_avx2(numpy: str) -> str:
    """What NumPy calls its code paths beyond AVX2; a name that it does not know makes it warn, and it has new ones
    since 2.4."""
    version = tuple(int(part) for part in re.findall(r"\d+", numpy)[:2])
    return "X86_V4 AVX512_ICL AVX512_SPR" if version >= (2, 4) else "AVX512F AVX512CD AVX512_SKX AVX512_ICL"
