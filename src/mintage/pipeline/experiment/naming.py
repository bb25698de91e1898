"""Names of experiments, told by the values that they try, and of what they measured. Pure.

>>> name_of({"model.depth": "4", "lr": "0.1"}), name_of({"a.lr": "1", "b.lr": "2"}, prefix="try")
('depth=4,lr=0.1', 'try,a.lr=1,b.lr=2')
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping

from mintage.errors import UsageError

__all__ = ["check_experiment_name", "joined_metrics", "name_of"]

_LONGEST = 80
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=,+-]{0,99}")


def name_of(settings: Mapping[str, str], *, prefix: str | None = None) -> str:
    """A name that Git takes as one of a ref; long ones end with a digest of what was cut."""
    last = [key.rpartition(".")[2] for key in settings]
    words = [
        f"{short if last.count(short) == 1 else key}={value}"
        for short, (key, value) in zip(last, settings.items(), strict=True)
    ]
    text = ",".join(([prefix] if prefix else []) + words) or "run"
    clean = re.sub(r"[^A-Za-z0-9._=,+-]+", "-", text)
    clean = re.sub(r"\.{2,}", ".", clean).lstrip("._=,+-").rstrip(".") or "run"
    if len(clean) > _LONGEST or clean.endswith(".lock"):
        clean = f"{clean[: _LONGEST - 9].rstrip('.')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return clean


def joined_metrics(by_stage: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The metrics of all stages; those that several call the same have the stage's name in front.

    >>> joined_metrics({"fit@a": {"acc": 0.5, "n": 3.0}, "fit@b": {"acc": 0.75}})
    {'fit@a:acc': 0.5, 'n': 3.0, 'fit@b:acc': 0.75}
    """
    times = Counter(key for metrics in by_stage.values() for key in metrics)
    return {
        key if times[key] == 1 else f"{stage}:{key}": float(value)
        for stage, metrics in by_stage.items()
        for key, value in metrics.items()
    }


def check_experiment_name(name: str) -> str:
    """The name, if a ref may have it; raises UsageError."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
        raise UsageError(
            "not the name of an experiment",
            expected="up to 100 letters, digits and . _ - = , +, a letter or digit first",
            found=repr(name),
        )
    return name
