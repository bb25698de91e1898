"""A check of another package that takes the id of a built-in one."""

from __future__ import annotations

from mintage.certify.checks.f1 import PrimaryMetric

CHECK = PrimaryMetric()
