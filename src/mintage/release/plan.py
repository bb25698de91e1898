"""Decide what a reconcile must do. Pure.

``plan(desired, observed)`` returns the actions that bring one environment to what its manifests say. Fetching,
verifying, starting and waiting belong to :mod:`mintage.release.reconcile`. Every model is admitted (verified) before
the gateway hears of it.

>>> plan(desired={"late": Route("sha256:2")}, observed={"late": Route("sha256:1")}, running=True)
(Admit(model='late', root='sha256:2'), Update())
>>> plan(desired={"late": Route("sha256:1")}, observed={"late": Route("sha256:1")}, running=True)
()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Action", "Admit", "Route", "Start", "Stop", "Update", "plan"]


@dataclass(frozen=True)
class Route:
    """Where a model's traffic goes: the champion's id, and a challenger's with its share."""

    champion: str
    challenger: str | None = None
    share: float = 0.0


@dataclass(frozen=True)
class Admit:
    """Fetch the model with id ``root`` and verify it and its certificate."""

    model: str
    root: str


@dataclass(frozen=True)
class Start:
    """Start the gateway with the routes in place."""


@dataclass(frozen=True)
class Update:
    """Tell the gateway the new routes and wait until it has them."""


@dataclass(frozen=True)
class Stop:
    """Stop the gateway: nothing is to run."""


Action = Admit | Start | Update | Stop


def plan(*, desired: Mapping[str, Route], observed: Mapping[str, Route] | None, running: bool) -> tuple[Action, ...]:
    """The shortest list of actions; ``observed`` is what the gateway serves (None if it is not known)."""
    if not desired:
        return (Stop(),) if running else ()
    known = dict(observed or {}) if running else {}
    if running and known == dict(desired):
        return ()
    live = {root for route in known.values() for root in (route.champion, route.challenger)}
    actions: list[Action] = []
    for model, route in sorted(desired.items()):
        for root in (route.champion, route.challenger):
            if root is not None and (root not in live or not running):
                actions.append(Admit(model, root))
    actions.append(Update() if running else Start())
    return tuple(actions)
