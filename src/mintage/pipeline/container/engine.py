"""The container engine of this machine: find it, have an image there, end what was left."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from mintage.errors import EngineMissingError, EnvironmentUnbuiltError
from mintage.pipeline.container.command import LABEL, owners

__all__ = ["find_engine", "have_image", "remove", "sweep"]

_ENGINES = ("docker", "podman")
_ASK_S, _PULL_S = 30.0, 3600.0


def find_engine() -> str:
    """The program of the first engine that answers; raises EngineMissingError with what each said."""
    said = []
    for name in _ENGINES:
        program = shutil.which(name)
        if program is None:
            said.append(f"{name}: not installed")
            continue
        code, words = _call([program, "version"], timeout_s=_ASK_S)
        if code == 0:
            return program
        said.append(f"{name}: {words.splitlines()[-1] if words else f'exit code {code}'}")
    raise EngineMissingError(
        "no container engine answers here",
        expected="docker with its daemon running, or podman",
        found="; ".join(said),
        hint="install podman, or start the daemon (`systemctl start docker`); a stage without `image:` needs none",
    )


def have_image(engine: str, image: str, *, tell: Callable[[str], None]) -> None:
    """Pull ``image`` if the engine has it not; raises EnvironmentUnbuiltError."""
    if _call([engine, "image", "inspect", image], timeout_s=_ASK_S)[0] == 0:
        return
    tell(f"pulling {image}")
    code, words = _call([engine, "pull", "--quiet", image], timeout_s=_PULL_S)
    if code != 0:
        raise EnvironmentUnbuiltError(
            f"the image {image} is not here and could not be pulled",
            found=words or f"exit code {code}",
            hint=f"see that its registry is reached and you may read it: `{Path(engine).name} login`",
        )


def remove(engine: str, name: str) -> None:
    """End and delete a container; one that is gone is no matter."""
    _call([engine, "rm", "--force", name], timeout_s=_ASK_S)


def sweep(engine: str) -> None:
    """Delete the containers of processes that were killed: the engine goes on without them."""
    words = ["ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.ID}} {{.Labels}}"]
    code, listed = _call([engine, *words], timeout_s=_ASK_S)
    for found, pid in owners(listed).items() if code == 0 else ():
        if not _is_alive(pid):
            remove(engine, found)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _call(words: Sequence[str], *, timeout_s: float) -> tuple[int, str]:
    """The exit code, and what was said: on standard output if it ended well, else on the other."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).strip()[-20_000:]
