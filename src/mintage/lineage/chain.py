"""The chain of proof as a tree of links, each verified or not.

>>> leaf = Link(kind="commit", title="4a1c", ok=True)
>>> Link(kind="run", title="r", ok=True, children=(leaf,)).whole
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from mintage.errors import MintageError

__all__ = ["Link", "check_link", "render_chain", "walk"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the chain: its kind and title, its digest, whether it verified, what was checked or what is wrong,
    and what it rests on."""

    kind: str
    title: str
    ok: bool
    digest: str | None = None
    detail: str = ""
    children: tuple[Link, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether this link and all that it rests on verified."""
        return self.ok and all(child.whole for child in self.children)


def check_link(
    kind: str, title: str, check: Callable[[], tuple[str, tuple[Link, ...]]], *, digest: str | None = None
) -> Link:
    """The link whose ``check`` returns what it proved and what it rests on; an error makes it a broken link."""
    try:
        detail, children = check()
    except MintageError as error:
        parts = [error.message]
        parts += [f"{name} {value}" for name, value in (("expected", error.expected), ("found", error.found)) if value]
        return Link(kind=kind, title=title, ok=False, digest=digest, detail="; ".join(parts))
    return Link(kind=kind, title=title, ok=True, digest=digest, detail=detail, children=children)


def walk(link: Link) -> Iterator[Link]:
    """The link and everything below it, depth first."""
    yield link
    for child in link.children:
        yield from walk(child)


def render_chain(link: Link, *, prefix: str = "", last: bool = True, top: bool = True) -> str:
    """The tree as text, one line a link.

    >>> print(render_chain(Link(kind="model", title="late", ok=True, detail="signed")))
    ok  model late: signed
    """
    branch = "" if top else ("└─ " if last else "├─ ")
    mark = "ok" if link.ok else "NO"
    line = f"{prefix}{branch}{mark}  {link.kind} {link.title}" + (f": {link.detail}" if link.detail else "")
    deeper = prefix if top else prefix + ("   " if last else "│  ")
    lines = [line]
    for index, child in enumerate(link.children):
        lines.append(render_chain(child, prefix=deeper, last=index == len(link.children) - 1, top=False))
    return "\n".join(lines)
