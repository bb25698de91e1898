"""What machine a run had: recorded so that a difference between two runs can be told from one of theirs."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

__all__ = ["hardware"]


def hardware() -> dict[str, Any]:
    """Processor, cores, memory in bytes, system and kernel of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_bytes": memory,
        "system": platform.system(),
        "kernel": platform.release(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
