"""Name what a misspelt name was probably meant to be.

>>> nearest_hint("prodution", ["production", "staging"], otherwise="declare it")
"did you mean 'production'?"
>>> nearest_hint("zzz", ["production"], otherwise="declare it")
'declare it'
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest_hint"]


def nearest_hint(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """A hint for an error about an unknown ``name``: the nearest of ``known``, else ``otherwise``."""
    import difflib  # only a mistake pays for it

    names = list(known)
    near = difflib.get_close_matches(name, names, n=1) or [each for each in names if each.startswith(name)][:1]
    return f"did you mean {near[0]!r}?" if near else otherwise
