"""Name what a misspelt name was probably meant to be.

>>> nearest_hint("prodution", ["production", "staging"], otherwise="declare it")
"did you mean 'production'?"
>>> nearest_hint("zzz", ["production"], otherwise="declare it")
'declare it'
>>> nearest_key("deps", ["in", "out"]), nearest_key("thread", ["threads", "in"]), nearest_key("deps", ["threads"])
('in', 'threads', None)
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest_hint", "nearest_key"]

_SAME = {
    "in": "input inputs deps dep dependencies depends depends_on reads",
    "out": "output outputs outs writes produces artifacts targets",
    "run": "cmd command commands script exec entrypoint",
    "sh": "shell bash",
    "params": "parameter parameters param",
    "env": "environment environ envs env_vars variables",
    "metrics": "metric scores",
    "timeout_s": "timeout timeout_seconds time_limit",
    "retry": "retries attempts",
    "python": "interpreter python_version",
    "foreach": "for_each each loop",
    "from": "source path file",
    "stages": "steps tasks jobs pipeline nodes",
}
"""What other tools, and people, call the keys of ours."""


def nearest_hint(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """A hint for an error about an unknown ``name``: the nearest of ``known``, else ``otherwise``."""
    import difflib  # only a mistake pays for it

    names = list(known)
    near = difflib.get_close_matches(name, names, n=1) or [each for each in names if each.startswith(name)][:1]
    return f"did you mean {near[0]!r}?" if near else otherwise


def nearest_key(name: str, known: Iterable[str]) -> str | None:
    """The key of ``known`` that ``name`` is another word for, or nearly."""
    import difflib

    keys = list(known)
    same = [key for key in keys if name.lower() in _SAME.get(key, "").split()]
    return next(iter(same or difflib.get_close_matches(name, keys, n=1)), None)
