"""SVR and NuSVR: a sum of kernels in double precision."""

from __future__ import annotations

from mintage.lower.dispatch import Family
from mintage.lower.families.support_vectors import lower_support_vectors

__all__ = ["FAMILY"]

FAMILY = Family(
    types=tuple(f"sklearn.svm._classes.{name}" for name in ("SVR", "NuSVR")),
    role="regressor",
    lower=lower_support_vectors,
)
