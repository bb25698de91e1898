"""Follow ``desired.json``: notice a change, load what is new beside what is live, swap, report in ``live.json``.

A model that cannot be loaded keeps what it served before, and the reason goes into the report's problems; the others go
on. A file that cannot be read at all changes nothing. The generation in the report moves only when the whole desired
state is live. A generation that was refused is not tried again until the file is written again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mintage.errors import DesiredInvalidError, MintageError
from mintage.serve.app import App
from mintage.serve.desired import DESIRED_FILE, Desired, loose_generation, parse_desired
from mintage.serve.live import GatewayState, LiveModel, write_live
from mintage.serve.routes import Route, load_route

__all__ = ["Follower", "describe"]

_log = logging.getLogger("mintage.serve")


def describe(error: MintageError) -> str:
    """One line that says what went wrong: code, message, expected, found, where."""
    text = f"{error.code}: {error.message}"
    for word, part in (("expected", error.expected), ("found", error.found), ("at", error.where)):
        if part is not None:
            text += f"; {word} {part}"
    return text


class Follower:
    """Keeps one gateway's application at its environment's desired state; ``routes`` are loaded already."""

    def __init__(
        self,
        envdir: Path,
        app: App,
        *,
        url: str,
        problems: list[str],
        routes: Mapping[str, Route],
        poll_s: float = 0.1,
    ) -> None:
        self._envdir, self._app, self._url, self._poll_s = envdir, app, url, poll_s
        self._started = datetime.now(UTC)
        self._standing = tuple(problems)
        self._seen: tuple[int, int, int] | None = None
        self._routes = routes
        self._generation = self._attempted = 0
        self._problems: tuple[str, ...] = ()
        self._reported: GatewayState | None = None

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            await self.look()
            await self.report()

    async def look(self) -> None:
        """Apply the desired state if its file changed."""
        path = self._envdir / DESIRED_FILE
        try:
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return
            data = path.read_bytes()
        except OSError:
            return  # not there (yet): what is live stays
        self._seen = seen
        try:
            desired = parse_desired(data, where=str(path))
        except DesiredInvalidError as error:
            self._attempted = loose_generation(data) or self._attempted
            self._problems = (describe(error),)
            _log.error("%s", self._problems[0])
            return
        await self._apply(desired)

    async def report(self) -> None:
        """Write ``live.json`` if what it says changed."""
        now = datetime.now(UTC)
        expired = tuple(
            f"serve.package-expired: {model} has expired; it stays live, and is not ready"
            for model, route in self._routes.items()
            if route.expired(now)
        )
        state = GatewayState(
            pid=os.getpid(),
            url=self._url,
            generation=self._generation,
            attempted=self._attempted,
            started=self._started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            models={
                model: LiveModel(
                    champion=route.champion.root,
                    challenger=route.challenger.root if route.challenger else None,
                    share=route.share,
                )
                for model, route in self._routes.items()
            },
            problems=(*self._standing, *self._problems, *expired),
        )
        if state != self._reported:
            await asyncio.to_thread(write_live, self._envdir, state)
            self._reported = state

    async def _apply(self, desired: Desired) -> None:
        routes, problems = await asyncio.to_thread(_load_all, desired, self._routes)
        self._routes, self._problems, self._attempted = routes, tuple(problems), desired.generation
        if not problems:
            self._generation = desired.generation
        self._app.publish(
            routes,
            waiting=tuple(model for model in desired.models if model not in routes),
            generation=self._generation,
            problems=self._problems,
        )
        for problem in problems:
            _log.error("generation %d: %s", desired.generation, problem)
        if not problems:
            _log.info("generation %d is live: %s", desired.generation, ", ".join(routes) or "no models")


def _load_all(desired: Desired, current: Mapping[str, Route]) -> tuple[dict[str, Route], list[str]]:
    """A route for each desired model: a new one where it loads, the current one where it does not and there is one."""
    routes: dict[str, Route] = {}
    problems = []
    now = datetime.now(UTC)
    for model, placement in desired.models.items():
        try:
            routes[model] = load_route(model, placement, now=now, current=current.get(model))
        except MintageError as error:
            problems.append(f"{describe(error)} (model {model})")
        except Exception as error:  # noqa: BLE001 - a package is foreign: whatever it does, what is live stays
            _log.exception("%s could not be loaded", model)
            problems.append(f"serve.gateway-failed: {type(error).__name__}: {error} (model {model})")
        if model not in routes and model in current:
            routes[model] = current[model]
    return routes, problems
