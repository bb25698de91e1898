"""A route: the models that answer for one name, loaded, proven on this machine, ready to predict.

``load_route`` opens each package (every byte must belong to the root that the placement names), starts its runtime and
replays its golden vectors; a model that fails any of it never gets a route. A route never changes: a new placement
is a new route, which takes over the models that stay. It does not check signatures of people or certificates: who
writes the placement has done so, and the root pins what they were about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from mintage.errors import DesiredInvalidError, PackageExpiredError, RootMismatchError
from mintage.model.golden import replay
from mintage.model.package import Package, open_package
from mintage.model.runtime import Prediction, Predictor
from mintage.model.signature import Signature
from mintage.serve.desired import Placement, Target
from mintage.serve.outputs import Outputs, outputs_of
from mintage.serve.split import Variant, variant_of

__all__ = ["Route", "Served", "load_route", "prove"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """One loaded model. ``inputs`` maps each input's name to its datatype, "FP64" or "BYTES"; ``outputs`` are what
    callers get of it."""

    root: str
    inputs: Mapping[str, str]
    signature: Signature
    outputs: Outputs
    predictor: Predictor
    expires: datetime | None

    def predict(self, columns: Mapping[str, np.ndarray]) -> Prediction:
        """The model's answers; raises the model's typed errors for values outside its domain."""
        return self.predictor.predict(columns)

    def expired(self, now: datetime) -> bool:
        """Whether the model may not be loaded any more."""
        return self.expires is not None and now >= self.expires


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Champion, challenger and the split between them."""

    model: str
    champion: Served
    challenger: Served | None = None
    share: float = 0.0
    salt: str = ""

    def choose(self, request_id: str) -> tuple[Variant, Served]:
        """Who answers this request."""
        if self.challenger is not None and variant_of(request_id, self.salt, self.share) == "challenger":
            return "challenger", self.challenger
        return "champion", self.champion

    def served(self) -> tuple[tuple[Variant, Served], ...]:
        """All models of the route."""
        if self.challenger is None:
            return (("champion", self.champion),)
        return (("champion", self.champion), ("challenger", self.challenger))

    def expired(self, now: datetime) -> bool:
        """Whether any of its models has expired."""
        return any(served.expired(now) for _, served in self.served())


def load_route(model: str, placement: Placement, *, now: datetime, current: Route | None = None) -> Route:
    """Load what the placement names, taking from ``current`` what is already loaded.

    Raises RootMismatchError, GoldenFailedError, PackageExpiredError, DesiredInvalidError and what the package and
    its runtime raise; ``current`` is not touched.
    """
    loaded = {served.root: served for _, served in current.served()} if current is not None else {}
    champion = _load(model, placement.champion, loaded, now)
    rival = placement.challenger
    if rival is None:
        return Route(model=model, champion=champion, salt=placement.salt)
    challenger = _load(model, rival, loaded, now)
    if dict(challenger.inputs) != dict(champion.inputs):
        raise DesiredInvalidError(
            f"the challenger of {model} has other inputs than the champion",
            expected=", ".join(champion.inputs),
            found=", ".join(challenger.inputs),
            hint="serve it under a name of its own, so that callers can send what it needs",
        )
    if challenger.outputs.declared != champion.outputs.declared:
        raise DesiredInvalidError(
            f"the challenger of {model} gives other outputs than the champion",
            expected=", ".join(output.name for output in champion.outputs.declared),
            found=", ".join(output.name for output in challenger.outputs.declared),
            hint="serve it under a name of its own; of one task, the classes must be the same",
        )
    return Route(model=model, champion=champion, challenger=challenger, share=rival.share, salt=placement.salt)


def _load(model: str, target: Target, loaded: Mapping[str, Served], now: datetime) -> Served:
    """One model, from memory if it is there."""
    if target.root in loaded:
        return replace(loaded[target.root], expires=target.expires)
    if target.expires is not None and now >= target.expires:
        raise PackageExpiredError(
            f"the certificate of {model} has expired, so it is not loaded",
            expected=f"before {target.expires.isoformat()}",
            where=target.folder,
            hint="certify and release it again",
        )
    package = open_package(Path(target.folder))
    if package.root != target.root:
        raise RootMismatchError(
            f"the folder holds another model than was released as {model}",
            expected=target.root,
            found=package.root,
            where=target.folder,
            hint="it was changed after its release, or is another model's; fetch it again",
        )
    return prove(package, expires=target.expires)


def prove(package: Package, *, expires: datetime | None = None) -> Served:
    """An opened model, after its runtime gave its golden outputs; raises GoldenFailedError."""
    predictor = package.predictor()
    replay(package.golden, predictor)
    signature = package.signature
    return Served(
        root=package.root,
        inputs={column.name: column.datatype for column in signature.inputs},
        signature=signature,
        outputs=outputs_of(signature),
        predictor=predictor,
        expires=expires,
    )
