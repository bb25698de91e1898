"""Bring one environment to what its committed manifests say.

Reads the manifests of HEAD (not the work tree), plans, admits every new model, and only then starts the gateway or
tells it the new routes; it waits until the gateway has them. A refusal or a failure at any step leaves what is served
as it was. Killed at any moment, it loses nothing: running it again compares and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mintage.attest.trust import Trust
from mintage.errors import EnvironmentUnknownError, MintageError, ReleaseRefusedError, RunError
from mintage.record.digest import hex_of, short
from mintage.release.admit import admit
from mintage.release.history import manifests_at
from mintage.release.manifest import RELEASE_FOLDER, Manifest, Released
from mintage.release.plan import Action, Admit, Route, Start, Stop, Update, plan
from mintage.repo.workspace import Workspace
from mintage.serve.control import gateway_state, start_gateway, stop_gateway, wait_generation
from mintage.serve.desired import DESIRED_FILE, Challenger, Desired, Placement, Target, loose_generation, write_desired
from mintage.serve.live import GatewayState
from mintage.store.local import Store

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
            hint="declare it under `environments:` in mintage.yaml",
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
    """Make it so; the caller holds the environment's lock. Raises what refuses a model, after ``on_refusal``."""
    envdir = environment_dir(workspace, environment)
    envdir.mkdir(parents=True, exist_ok=True)
    git = workspace.git
    revision = git.head()
    if revision is None:
        raise ReleaseRefusedError("nothing is committed yet", expected="a release manifest in a commit")
    manifests = {manifest.model: manifest for manifest in manifests_at(git, revision, environment=environment)}
    unknown = sorted(set(manifests) - set(workspace.project().models))
    if unknown:
        raise ReleaseRefusedError(
            f"a manifest names a model that the project does not have: {unknown[0]}",
            expected=", ".join(workspace.project().models) or "none",
            where=f"{RELEASE_FOLDER}/{environment}/{unknown[0]}.yaml",
            hint="delete the manifest and commit, or declare the model in mintage.yaml",
        )
    state = gateway_state(envdir)
    actions = plan(
        desired={name: _route(manifest) for name, manifest in manifests.items()},
        observed=_observed(state),
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
            _publish(envdir, manifests, models)
            host, port = _address(workspace, environment, envdir)
            on_action("starting the gateway")
            state = start_gateway(envdir, host, port, timeout_s=_TIMEOUT_S)
            (envdir / "port").write_text(f"{state.url.rsplit(':', 1)[1]}\n")
        elif isinstance(action, Update):
            generation = _publish(envdir, manifests, models)
            state = wait_generation(envdir, generation, timeout_s=_TIMEOUT_S)
            if state.problems:
                raise RunError("the gateway kept what it had", found="; ".join(state.problems), where=state.url)
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
    return Route(manifest.champion.root, rival.root if rival else None, rival.share if rival else 0.0)


def _observed(state: GatewayState | None) -> dict[str, Route] | None:
    if state is None:
        return None
    return {name: Route(live.champion, live.challenger, live.share) for name, live in state.models.items()}


def _publish(envdir: Path, manifests: dict[str, Manifest], models: Path) -> int:
    """Write desired.json unless it says just this; returns its generation."""
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
    generation = (before or 0) + 1
    write_desired(envdir, Desired(generation=generation, models=placements))
    return generation


def _address(workspace: Workspace, environment: str, envdir: Path) -> tuple[str, int]:
    """Where to listen: as mintage.yaml says; for port 0 the one that was used before, if there is one."""
    entry = workspace.project().environments.get(environment)
    host, port = (entry.host, entry.port) if entry else ("127.0.0.1", 0)
    remembered = envdir / "port"
    if port == 0 and remembered.is_file():
        port = int(remembered.read_text())
    return host, port
