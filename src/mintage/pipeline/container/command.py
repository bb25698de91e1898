"""The words that run a stage's command in a container, for Docker and Podman alike. Pure.

The scratch folder is mounted under its own path, so that variables with paths in them stay right. Values of variables
are not among the words, where others could read them: the engine's client takes them from its own environment.

>>> words = container_words(["podman"], "a@sha256:00", ["sh", "-c", "ls"], name="one", mounted="/s", folder="/s/work",
...                         variables={"HOME": "/s/home", "KEY": "x"}, user="0:0", network=False, owner=7)
>>> " ".join(words[:13])
'podman run --rm --pull never --name one --label mintage.pid=7 --network none --cap-drop ALL'
>>> " ".join(words[-12:])
'type=bind,src=/s,dst=/s --workdir /s/work --env HOME=/s/home --env KEY --entrypoint sh a@sha256:00 -c ls'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["LABEL", "container_words", "of_the_client", "owners"]

LABEL = "mintage.pid"
_OWNED = re.compile(rf"(\w+) .*\b{re.escape(LABEL)}[=:](\d{{1,9}})\b")
_OF_THE_HOST = frozenset(["PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "PYTHONPATH", "LD_PRELOAD"])
_PLAIN = frozenset(["HOME", "TMPDIR"])  # the client has its own, by which it finds its settings and images


def container_words(
    engine: Sequence[str],
    image: str,
    command: Sequence[str],
    *,
    name: str,
    mounted: str,
    folder: str,
    variables: Mapping[str, str],
    user: str,
    network: bool,
    owner: int,
    keep_id: bool = False,
) -> list[str]:
    """``command`` in a new container of ``image``, called ``name`` and started by process ``owner``.

    ``mounted`` is the one folder of the machine that is seen; ``user`` is who writes there, as UID:GID; ``keep_id`` has
    Podman without root map it to itself. ``variables`` are the stage's: those of the machine's own files mean nothing
    in the image, and stay out.
    """
    return [
        *(*engine, "run", "--rm", "--pull", "never", "--name", name, "--label", f"{LABEL}={owner}"),
        *(() if network else ("--network", "none")),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
        *(*(("--userns", "keep-id") if keep_id else ()), "--user", user),
        *("--mount", ",".join(["type=bind", _field(f"src={mounted}"), _field(f"dst={mounted}")]), "--workdir", folder),
        *(word for key in sorted(variables.keys() - _OF_THE_HOST) for word in ("--env", _given(key, variables))),
        *("--entrypoint", command[0], image, *command[1:]),  # the image's own entry point is not what was declared
    ]


def of_the_client(variables: Mapping[str, str]) -> dict[str, str]:
    """What the engine's client must have in its environment to hand on.

    >>> of_the_client({"PATH": "/usr/bin", "HOME": "/s/home", "SEED": "1"})
    {'SEED': '1'}
    """
    return {name: value for name, value in variables.items() if name not in _OF_THE_HOST | _PLAIN}


def _given(name: str, variables: Mapping[str, str]) -> str:
    return f"{name}={variables[name]}" if name in _PLAIN else name


def _field(text: str) -> str:
    """A field of ``--mount``, which is read as CSV."""
    return '"' + text.replace('"', '""') + '"' if set(',"') & set(text) else text


def owners(listed: str) -> dict[str, int]:
    """By container the process that started it, of lines of its id and its labels, which the engines write differently.

    >>> owners("0a1b mintage.pid=17,team=x\\n2c3d map[a:b mintage.pid:18]\\n4e5f team=x\\n")
    {'0a1b': 17, '2c3d': 18}
    """
    return {match[1]: int(match[2]) for match in map(_OWNED.match, listed.splitlines()) if match is not None}
