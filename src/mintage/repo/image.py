"""A container image by digest: its name may move, what the digest names cannot. Pure.

>>> digest_of("ghcr.io/team/fit@sha256:" + "0a" * 32)[:13]
'sha256:0a0a0a'
"""

from __future__ import annotations

import re

from mintage.errors import FileMalformedError

__all__ = ["check_image", "digest_of"]

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,400}@(sha256:[0-9a-f]{64})")


def digest_of(image: str) -> str:
    """The digest that names the image's content."""
    return image.rpartition("@")[2]


def check_image(image: str, *, where: str) -> None:
    """Raise FileMalformedError unless ``image`` is a name with a digest."""
    if _IMAGE.fullmatch(image):
        return
    name = image.partition("@")[0]
    raise FileMalformedError(
        "a container image is named by its digest: what a tag names changes",
        expected="NAME@sha256: and 64 digits",
        found=image[:200],
        where=where,
        hint=f"`docker pull {name} && docker image inspect --format '{{{{index .RepoDigests 0}}}}' {name}` says it "
        "(podman takes the same words)",
    )
