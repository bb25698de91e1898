"""Mintage carries a model from a Git commit to production and back.

Importing the package is cheap: the names of :mod:`mintage.api` load when they are first used.

>>> import mintage
>>> sorted(mintage.__all__)
['certificate', 'load', 'log_metrics', 'open', 'params', 'seed', 'verify']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mintage.api import certificate, load, log_metrics, open, params, seed, verify

__version__ = "0.1.0"

__all__ = ["certificate", "load", "log_metrics", "open", "params", "seed", "verify"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from mintage import api

        return getattr(api, name)
    message = f"module 'mintage' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
