"""Whether stages run behind walls: what the command says, else the project, else whether this is CI. Pure.

>>> is_wanted(None, project=None, ci="true"), is_wanted(None, project=False, ci="true")
(True, False)
>>> is_wanted(True, project=False, ci=None)
True
"""

from __future__ import annotations

__all__ = ["is_wanted"]

_NO = ("", "0", "false", "no", "off")


def is_wanted(said: bool | None, *, project: bool | None, ci: str | None) -> bool:
    """``said`` is the command's option, ``project`` the key ``sandbox``, ``ci`` the variable CI; None: not there."""
    if said is not None:
        return said
    if project is not None:
        return project
    return (ci or "").strip().lower() not in _NO
