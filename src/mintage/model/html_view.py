"""How a result shows itself in a notebook: a title with a state, sentences, a table. Pure; needs no template engine.

All text is escaped. There is no script and no style sheet, which notebooks may take out: colours are the page's own,
but for the state, whose white on colour reads on light and on dark.

>>> html_view("late", state=("PASS", "good"), lines=["<it> may be released"])
'<div style="line-height:1.5"><b>late</b> <span style="background:#1a7446;color:#fff;border-radius:3px;padding:1px \
7px;font-size:90%">PASS</span><div>&lt;it&gt; may be released</div></div>'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

__all__ = ["State", "html_view"]

State = tuple[str, Literal["good", "bad", "open"]]

_COLOURS = {"good": "#1a7446", "bad": "#b02a20", "open": "#855700"}
_CELL = "text-align:left;vertical-align:top;padding:2px 14px 2px 0;border-bottom:1px solid rgba(128,128,128,.35)"


def html_view(
    title: str,
    *,
    state: State | None = None,
    lines: Iterable[str] = (),
    head: Sequence[str] = (),
    rows: Iterable[Sequence[str | State]] = (),
) -> str:
    """The result as HTML; a cell of a row is a text or a state."""
    parts = [f"<b>{escape(title)}</b>" + (f" {_badge(state)}" if state is not None else "")]
    parts += [f"<div>{escape(line)}</div>" for line in lines]
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    if body:
        titles = "".join(f'<th scope="col" style="{_CELL}">{escape(name)}</th>' for name in head)
        table = f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody>"
        parts.append(f'<table style="border-collapse:collapse;margin:6px 0;font-size:95%">{table}</table>')
    return f'<div style="line-height:1.5">{"".join(parts)}</div>'


def _cell(value: str | State) -> str:
    inner = escape(value) if isinstance(value, str) else _badge(value)
    return f'<td style="{_CELL}">{inner}</td>'


def _badge(state: State) -> str:
    text, kind = state
    style = f"background:{_COLOURS[kind]};color:#fff;border-radius:3px;padding:1px 7px;font-size:90%"
    return f'<span style="{style}">{escape(text)}</span>'
