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
    """Where a model's traffic goes: the champion's id, and a challenger's with its share and the salt of the split."""

    champion: str
    challenger: str | None = None
    share: float = 0.0
    salt: str = ""


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
    actions: list[Action] = []
    for model, route in sorted(desired.items()):
        # What is live under another name was not admitted under this one.
        live = _roots(known[model]) if model in known else ()
        actions += [Admit(model, root) for root in _roots(route) if root not in live]
    actions.append(Update() if running else Start())
    return tuple(actions)


def _roots(route: Route) -> tuple[str, ...]:
    roots = (route.champion,) if route.challenger is None else (route.champion, route.challenger)
    return tuple(dict.fromkeys(roots))
