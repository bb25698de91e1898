"""The colours of the pages and their charts, light and dark, in one table.

A chart is drawn once, in the light colours; the style sheet of the page then maps each of these literal colours to a
CSS variable, so that one picture reads well on a light screen, on a dark one and on paper, and still has sensible
colours when it is copied out of the page. For that each token's light colour is unique.

>>> light("ink")
'#1d2430'
>>> "--ink: #1d2430;" in variables("light")
True
>>> '.chart [fill="#1d2430"]{fill:var(--ink)}' in chart_rules()
True
"""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["HEAT_STEPS", "MODEL_TOKENS", "chart_rules", "light", "variables"]

_TOKENS: Final[dict[str, tuple[str, str]]] = {
    "paper": ("#f8f7f4", "#14171c"),
    "surface": ("#ffffff", "#1b1f26"),
    "ink": ("#1d2430", "#e8eaed"),
    "muted": ("#58616f", "#a7b0bd"),
    "line": ("#dfe1e5", "#323945"),
    "grid": ("#e9ebee", "#2a303a"),
    "reference": ("#7b8492", "#8d97a6"),
    "good": ("#1a7446", "#62c893"),
    "good-soft": ("#e0f0e6", "#1c3a2b"),
    "bad": ("#b02a20", "#ff8f84"),
    "bad-soft": ("#f9e3e0", "#46221f"),
    "attention": ("#855700", "#e6b85c"),
    "attention-soft": ("#f7ecd4", "#3f3116"),
    "model-1": ("#2b5c9e", "#82b3f2"),
    "model-2": ("#b9560c", "#f2a562"),
    "model-3": ("#6d47a6", "#bda2f3"),
    "model-4": ("#0f7377", "#5fc7c9"),
    "model-5": ("#a8326e", "#f08fc0"),
    "heat-0": ("#eef0f3", "#232831"),
    "heat-1": ("#e4e8ee", "#2b323d"),
    "heat-2": ("#d3dae4", "#36404e"),
    "heat-3": ("#f3c892", "#7d4e1c"),
    "heat-4": ("#dd8f45", "#b56f26"),
    "heat-5": ("#a94f10", "#f2a95b"),
}

MODEL_TOKENS: Final = tuple(name for name in _TOKENS if name.startswith("model-"))
"""One colour a model, the same all over a page."""

HEAT_STEPS: Final = tuple(name for name in _TOKENS if name.startswith("heat-"))
"""Six steps of a heat map; the upper three are clearly warmer: they are what is material."""


def light(token: str) -> str:
    """The light colour of a token: what chart specifications write."""
    return _TOKENS[token][0]


def variables(scheme: Literal["light", "dark"]) -> str:
    """The CSS custom properties of one scheme."""
    return " ".join(f"--{name}: {pair[scheme == 'dark']};" for name, pair in _TOKENS.items())


def chart_rules() -> str:
    """The CSS that maps the literal colours of drawn charts to the custom properties."""
    return "\n".join(
        f'.chart [fill="{pair[0]}"]{{fill:var(--{name})}}.chart [stroke="{pair[0]}"]{{stroke:var(--{name})}}'
        for name, pair in _TOKENS.items()
    )
