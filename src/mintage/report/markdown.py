r"""Text from outside as text in Markdown: no markup, no links, no pictures, no mentions, no lines of its own.

>>> text("<b> *x* [a](http://e.org) @ana"), text("one\ntwo | three")
('&lt;b&gt; \\*x\\* \\[a\\](http\\://e.org) @\u2060ana', 'one two \\| three')
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mintage.report.numbers import clean

__all__ = ["table", "text"]

_MARKUP = re.compile(r"[\\`*{}\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_START = re.compile(r"^(?:[-+](?=\s|$)|#{1,6}(?=\s|$)|\d{1,9}(?=[.)](?:\s|$))|[-=]+$)")
_LINK = re.compile(r":(?=//)")
_MENTION = re.compile(r"(?<![\w.])@(?=\w)|(?<!\w)#(?=\d)")


def text(value: object, limit: int = 1_000) -> str:
    """``value`` in one line of Markdown that shows it as it is."""
    line = " ".join(clean(str(value), limit).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _LINK.sub(r"\\:", _MARKUP.sub(r"\\\g<0>", line)).replace("www.", "www\\.")
    line = _MENTION.sub(lambda found: found.group() + "\N{WORD JOINER}", line)
    return _START.sub(lambda found: _escaped(found.group()), line)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table; each cell is text."""
    lines = ["| " + " | ".join(text(cell) for cell in head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(text(cell) for cell in row) + " |" for row in rows]


def _escaped(start: str) -> str:
    """What would begin a list, a heading or a rule: a backslash goes before the mark, after a number."""
    return f"{start}\\" if start.isdecimal() else f"\\{start}"
