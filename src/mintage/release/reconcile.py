"""Bring one environment to what its committed manifests say.

Reads the manifests of HEAD (not the work tree), plans, admits every new model, and only then starts the gateway or
tells it the new routes; it waits until the gateway has them. A refusal or a failure at any step leaves what is served
as it was. Killed at any moment, it loses nothing: running it again compares and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mintage.attest.trust import Trust
from mintage.errors import (
    DesiredInvalidError,
    EnvironmentUnknownError,
    MintageError,
    PortInUseError,
    ReleaseRefusedError,
)
from mintage.record.digest import hex_of, short
from mintage.release.admit import admit
from mintage.release.history import manifests_at
from mintage.release.manifest import RELEASE_FOLDER, Manifest, Released
from mintage.release.plan import Action, Admit, Route, Start, Stop, Update, plan
from mintage.repo.nearest import nearest_hint
from mintage.repo.project import EnvironmentEntry
from mintage.repo.workspace import Workspace
from mintage.serve.control import gateway_state, start_gateway, stop_gateway, wait_generation
from mintage.serve.desired import (
    DESIRED_FILE,
    Challenger,
    Desired,
    Placement,
    Target,
    loose_generation,
    parse_desired,
    write_desired,
)
from mintage.serve.live import GatewayState
from mintage.serve.lock import holder
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["Reconciled", "environment_dir", "reconcile"]

_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What was done, and the gateway's state after it (None: nothing is to run)."""

    actions: tuple[Action, ...]
    state: GatewayState | None
    revision: str


def environment_dir(workspace: Workspace, environment: str) -> Path:
    """The folder of an environment's gateway; raises EnvironmentUnknownError if no file names the environment."""
    known = set(workspace.project().environments)
    folder = workspace.root / RELEASE_FOLDER
    known |= {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    if environment not in known:
        raise EnvironmentUnknownError(
            f"there is no environment {environment!r}",
            expected=", ".join(sorted(known)) or "none declared",
            where="mintage.yaml",
            hint=nearest_hint(environment, known, otherwise="declare it under `environments:` in mintage.yaml"),
        )
    return workspace.environments_dir / environment


def reconcile(
    workspace: Workspace,
    environment: str,
    *,
    trust: Trust,
    now: str,
    on_action: Callable[[str], None] = lambda _: None,
    on_refusal: Callable[[Manifest, str, str], None] = lambda *_: None,
) -> Reconciled:
    """Make it so; the caller holds the environment's lock. Raises what refuses a model, after ``on_refusal``.

    A port that mintage.yaml names and another process holds raises PortInUseError; a port that only was free when
    the gateway first started is given up for a new one.
    """
    envdir = environment_dir(workspace, environment)
    envdir.mkdir(parents=True, exist_ok=True)
    git = workspace.git
    revision = git.head()
    if revision is None:
        raise ReleaseRefusedError("nothing is committed yet", expected="a release manifest in a commit")
    manifests = {manifest.model: manifest for manifest in manifests_at(git, revision, environment=environment)}
    known = workspace.project().models
    for name in sorted(set(manifests) - set(known)):
        refusal = ReleaseRefusedError(
            f"a manifest names a model that the project does not have: {name}",
            expected=", ".join(known) or "none",
            where=f"{RELEASE_FOLDER}/{environment}/{name}.yaml",
            hint="delete the manifest and commit, or declare the model in mintage.yaml",
        )
        on_refusal(manifests[name], manifests[name].champion.root, refusal.message)
        raise refusal
    state = _observe(envdir)
    actions = plan(
        desired={name: _route(manifest) for name, manifest in manifests.items()},
        observed=_routes(state, envdir),
        running=state is not None,
    )
    models = envdir / "models"
    for action in actions:
        if isinstance(action, Admit):
            on_action(f"verifying {action.model} {short(action.root)}: digests, signature, certificate")
            manifest = manifests[action.model]
            try:
                admit(
                    _released(manifest, action.root),
                    manifest=manifest,
                    revision=revision,
                    git=git,
                    store=Store(workspace.store_dir),
                    trust=trust,
                    folder=models,
                    now=now,
                )
            except MintageError as error:
                on_refusal(manifest, action.root, error.message)
                raise
        elif isinstance(action, Start):
            generation = _publish(envdir, manifests, models, after=0)
            on_action("starting the gateway")
            _start(workspace, environment, envdir, on_action)
            state = wait_generation(envdir, generation, timeout_s=_TIMEOUT_S)
        elif isinstance(action, Update):
            generation = _publish(envdir, manifests, models, after=state.attempted if state else 0)
            state = wait_generation(envdir, generation, timeout_s=_TIMEOUT_S)
        else:
            assert isinstance(action, Stop)
            on_action("stopping the gateway: no manifest is left")
            stop_gateway(envdir)
            state = None
    return Reconciled(actions=actions, state=state, revision=revision)


def _released(manifest: Manifest, root: str) -> Released:
    rival = manifest.challenger
    return rival if rival is not None and rival.root == root else manifest.champion


def _route(manifest: Manifest) -> Route:
    rival = manifest.challenger
    return Route(manifest.champion.root, rival.root if rival else None, rival.share if rival else 0.0, manifest.salt)


def _observe(envdir: Path) -> GatewayState | None:
    """The gateway's state; one that is still starting (its starter was killed) is waited for."""
    return gateway_state(envdir) if holder(envdir) is None else wait_generation(envdir, 0, timeout_s=_TIMEOUT_S)


def _routes(state: GatewayState | None, envdir: Path) -> dict[str, Route] | None:
    """What the gateway serves. It does not report the salts: they are those of the generation that is live."""
    if state is None:
        return None
    path = envdir / DESIRED_FILE
    try:
        desired = parse_desired(path.read_bytes(), where=str(path))
    except (DesiredInvalidError, FileNotFoundError):
        return None
    salts = {name: placement.salt for name, placement in desired.models.items()}
    known = desired.generation == state.generation
    return {
        name: Route(live.champion, live.challenger, live.share, salts.get(name, "") if known else "")
        for name, live in state.models.items()
    }


def _publish(envdir: Path, manifests: dict[str, Manifest], models: Path, *, after: int) -> int:
    """Write desired.json; returns its generation, which is over ``after`` and over that of the file before."""
    path = envdir / DESIRED_FILE
    before = loose_generation(path.read_bytes()) if path.is_file() else None
    placements = {}
    for name, manifest in sorted(manifests.items()):
        rival = manifest.challenger
        placements[name] = Placement(
            champion=Target(root=manifest.champion.root, folder=str(models / hex_of(manifest.champion.root))),
            challenger=Challenger(root=rival.root, folder=str(models / hex_of(rival.root)), share=rival.share)
            if rival
            else None,
            salt=manifest.salt,
        )
    generation = max(before or 0, after) + 1
    write_desired(envdir, Desired(generation=generation, models=placements))
    return generation


def _start(workspace: Workspace, environment: str, envdir: Path, on_action: Callable[[str], None]) -> None:
    """Start the gateway where mintage.yaml says; for port 0 where it listened before, or on a free port."""
    entry = workspace.project().environments.get(environment, EnvironmentEntry())
    remembered = envdir / "port"
    before = remembered.read_text().strip() if remembered.is_file() else ""
    try:
        port = entry.port or int(before if before.isdigit() else 0)
        state = start_gateway(envdir, entry.host, port, timeout_s=_TIMEOUT_S)
    except PortInUseError:
        if entry.port != 0:
            raise
        on_action(f"port {before} is in use by another process now: taking a new one")
        state = start_gateway(envdir, entry.host, 0, timeout_s=_TIMEOUT_S)
    publish_bytes(remembered, f"{urlsplit(state.url).port}\n".encode())
