"""The graph of a pipeline as one self-contained page: boxes in layers, drawn as SVG. No script, no second file.

>>> from mintage.pipeline.picture import Node, Picture
>>> page = graph_page(Picture(nodes=(Node(name="<a>", what="data"), Node(name="b", what="stage", needs=("<a>",)))), "p")
>>> "&lt;a&gt;" in page, "<a>" in page
(True, False)
"""

from __future__ import annotations

from html import escape
from typing import Final

from mintage.pipeline.picture import Node, Picture
from mintage.report.palette import variables

__all__ = ["graph_page"]

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 190, 40, 26, 54, 24
_MOST_CHARACTERS: Final = 24
_STYLE: Final = """
body { margin: 2rem; font: 15px/1.45 system-ui, sans-serif; background: var(--paper); color: var(--ink) }
h1 { font-size: 1.25rem; margin: 0 0 .25rem } p { color: var(--muted); margin: 0 0 1.5rem; max-width: 46rem }
.wide { overflow-x: auto } svg { display: block; height: auto }
rect { fill: var(--surface); stroke: var(--line) } text { fill: var(--ink); font-size: 13px; text-anchor: middle }
path { fill: none; stroke: var(--muted); stroke-width: 1.2 }
.data rect { fill: var(--paper) } .model rect { stroke: var(--model-1); stroke-width: 2 }
.stale rect { stroke-dasharray: 5 3; stroke: var(--attention) }
table { border-collapse: collapse; margin-top: 2rem } td, th { text-align: left; padding: .25rem 1rem .25rem 0;
border-bottom: 1px solid var(--line); vertical-align: top } th { color: var(--muted); font-weight: normal }
"""


def graph_page(found: Picture, project: str) -> str:
    """The page's text."""
    stale = [node for node in found.nodes if node.state]
    stages = sum(node.count for node in found.nodes if node.what == "stage")
    said = f"{stages} stages. " + (
        f"{len(stale)} boxes with a dashed edge are out of date." if stale else "Everything is up to date."
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {variables('dark')} }} }}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(project)}: pipeline</title>"
        f"<style>:root {{ color-scheme: light dark; {variables('light')} }}\n{dark}{_STYLE}</style></head><body>"
        f"<h1>{escape(project)}: pipeline</h1><p>{said}</p>"
        f'<div class="wide">{_drawing(found)}</div>{_table(found)}</body></html>\n'
    )


def _drawing(found: Picture) -> str:
    places = _places(found)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + _EDGE
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + _EDGE
    lines = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="the graph of stages">',
        *(_edge(places[need], places[node.name]) for node in found.nodes for need in node.needs if need in places),
        *(_box(node, *places[node.name]) for node in found.nodes),
        "</svg>",
    ]
    return "\n".join(lines)


def _places(found: Picture) -> dict[str, tuple[int, int]]:
    """Where each box stands: a layer for each depth, and in it near what it needs (their mean place)."""
    depth = found.depth
    layers: dict[int, list[Node]] = {}
    for node in found.nodes:
        layers.setdefault(depth[node.name], []).append(node)
    across = max(map(len, layers.values()), default=1)
    row: dict[str, float] = {}
    places = {}
    for level in sorted(layers):
        mine = layers[level]
        mine.sort(key=lambda node: sum(row.get(need, 0.0) for need in node.needs) / max(len(node.needs), 1))
        for index, node in enumerate(mine):
            row[node.name] = (index + (across - len(mine)) / 2) * (_WIDTH + _ACROSS)
            places[node.name] = (round(_EDGE + row[node.name]), _EDGE + level * (_HEIGHT + _DOWN))
    return places


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH // 2, start[1] + _HEIGHT, end[0] + _WIDTH // 2, end[1]
    half = (y1 + y2) // 2
    return f'<path d="M{x1} {y1} C{x1} {half} {x2} {half} {x2} {y2}"/>'


def _box(node: Node, x: int, y: int) -> str:
    text = node.label if len(node.label) <= _MOST_CHARACTERS else f"{node.label[: _MOST_CHARACTERS - 1]}…"
    corner = 18 if node.what == "model" else 4
    kind = f"{node.what} stale" if node.state else node.what
    title = f"<title>{escape(node.label)}{': ' + escape(node.state) if node.state else ''}</title>"
    return (
        f'<g class="{kind}">{title}<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{corner}"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + _HEIGHT // 2 + 5}">{escape(text)}</text></g>'
    )


def _table(found: Picture) -> str:
    rows = "".join(
        f"<tr><td>{escape(node.label)}</td><td>{node.what}</td><td>{escape(', '.join(node.needs))}</td>"
        f"<td>{escape(node.state or ('up to date' if node.state == '' and node.what != 'data' else ''))}</td></tr>"
        for node in found.nodes
    )
    return f"<table><tr><th>name</th><th>what</th><th>needs</th><th>state</th></tr>{rows}</table>"
