"""What machine a run had: recorded so that a difference between two runs can be told from one of theirs."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

__all__ = ["hardware", "has_avx2"]

_VECTOR = ("sse4_2", "avx", "fma", "amx", "asimd", "sve")


def hardware() -> dict[str, Any]:
    """Processor with its vector instructions, cores, memory in bytes, system, kernel and C library of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "vector": sorted(flag for flag in _flags() if flag.startswith(_VECTOR)),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_bytes": memory,
        "system": platform.system(),
        "kernel": platform.release(),
        "libc": " ".join(filter(None, platform.libc_ver())),
    }


def has_avx2() -> bool:
    """Whether the processor has AVX2; true where that cannot be asked."""
    flags = _flags()
    return not flags or "avx2" in flags


def _flags() -> frozenset[str]:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return frozenset(line.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
