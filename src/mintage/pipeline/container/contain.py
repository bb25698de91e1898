"""A stage's command as one that runs in its image, and the environment that the image is."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mintage.pipeline.container.command import container_words, of_the_client
from mintage.pipeline.container.engine import find_engine, remove
from mintage.pipeline.environment import Environment
from mintage.pipeline.sandbox import Scratch
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.repo.image import digest_of

__all__ = ["contained", "image_environment"]


def image_environment(image: str) -> Environment:
    """The image as the environment of a stage: its digest and the platform make the key, not its name."""
    about = {"platform": f"linux-{platform.machine()}"}
    return Environment(
        python="python",
        named=image,
        frozen={**about, "image": image, "packages": []},
        folders=(),
        prefixes=(),
        modules=(),
        locked=blake3_bytes(canonical_bytes({**about, "image": digest_of(image)})),
    )


@contextlib.contextmanager
def contained(
    image: str, command: Sequence[str], *, scratch: Scratch, variables: Mapping[str, str], network: bool
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The words that run ``command`` in ``image`` with the scratch folder, and the variables for them.

    Whatever becomes of the engine's client, the container is gone when the block ends.
    """
    engine, name = find_engine(), f"mintage-{secrets.token_hex(8)}"
    words = container_words(
        [engine],
        image,
        command,
        name=name,
        mounted=str(scratch.base),
        folder=str(scratch.work),
        variables=variables,
        user=f"{os.getuid()}:{os.getgid()}",
        network=network,
        owner=os.getpid(),
        keep_id=Path(engine).name == "podman" and os.getuid() != 0,
    )
    try:
        yield words, {**os.environ, **of_the_client(variables)}
    finally:
        remove(engine, name)
