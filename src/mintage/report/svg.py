"""Draw a Vega-Lite specification as a small, harmless piece of SVG to put into a page.

``draw`` runs vl-convert with every network address forbidden, then keeps only shapes and text: elements and attributes
outside two short lists are dropped, so that no link, script, style or reference can come through a chart, whatever its
data say. Colours stay the literal ones of the specification; ``report.palette`` maps them to the page's scheme.

This is the one file that imports vl-convert.

>>> point = {"mark": "point", "encoding": {"x": {"datum": 1, "type": "quantitative"}}}
>>> draw({"data": {"values": [{}]}, **point}).startswith('<svg viewBox="0 0 ')
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from mintage.errors import ExtraMissingError
from mintage.report.palette import light

__all__ = ["draw"]

_FONT: Final = "sans-serif"
_ELEMENTS: Final = frozenset({"svg", "g", "path", "line", "rect", "circle", "text", "tspan"})
_ATTRIBUTES: Final = (
    *("viewBox", "transform", "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "width", "height"),
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap"),
    *("stroke-linejoin", "opacity", "text-anchor", "font-size", "font-weight", "font-style"),
)
_LONG_FRACTION: Final = re.compile(r"(\.\d{2})\d+")
_NUMERIC: Final = frozenset({"transform", "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r"})

_CONFIG: Final[dict[str, object]] = {
    "aria": False,
    "background": None,
    "font": _FONT,
    "padding": {"left": 2, "right": 6, "top": 6, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": light("muted"),
        "titleColor": light("muted"),
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 12,
        "titlePadding": 8,
        "labelPadding": 6,
        "labelFlush": False,
        "gridColor": light("grid"),
        "domainColor": light("line"),
        "tickColor": light("line"),
        "ticks": False,
    },
    "title": {"color": light("ink"), "fontSize": 12, "fontWeight": "normal", "anchor": "start", "offset": 4},
    "text": {"fontSize": 12, "color": light("ink")},
}


def draw(spec: Mapping[str, object]) -> str:
    """The chart as one ``<svg>`` element without width and height: it fills the box that it is put in.

    Raises ExtraMissingError when vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise ExtraMissingError(
            "charts need vl-convert-python, which is not installed",
            hint="pip install 'mintage[report]'",
        ) from error
    drawn = vl_convert.vegalite_to_svg(dict(spec), config=_CONFIG, allowed_base_urls=[])
    return _harmless(ElementTree.fromstring(drawn))


def _harmless(element: ElementTree.Element) -> str:
    """The element as text, with nothing in it but what the two lists name."""
    name = element.tag.rpartition("}")[2]
    if name not in _ELEMENTS:
        return ""
    attributes = "".join(
        f" {key}={quoteattr(_rounded(value) if key in _NUMERIC else value)}"
        for key in (_ATTRIBUTES if name != "svg" else ("viewBox",))
        if (value := element.get(key)) is not None and "url(" not in value
    )
    children = "".join(_harmless(child) for child in element)
    text = escape(element.text or "") if name in {"text", "tspan"} else ""
    if not children and not text and (name in {"g", "text", "tspan"} or (name == "path" and not _shows(element))):
        return ""
    if name == "g" and not attributes:
        return children
    return f"<{name}{attributes}>{text}{children}</{name}>"


def _rounded(coordinates: str) -> str:
    """Coordinates to a hundredth of a pixel: a third of the bytes."""
    return _LONG_FRACTION.sub(r"\1", coordinates)


def _shows(path: ElementTree.Element) -> bool:
    """False for the empty and unpainted frames that Vega puts round each group."""
    return bool(path.get("d")) and (path.get("fill") is not None or path.get("stroke") is not None)
