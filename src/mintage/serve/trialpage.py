"""The page to try a model: one HTML file with its style and its script inside, which talks to this gateway alone.

What the model file and the data say reaches the page as one block of JSON, and the script shows it as text only. The
content security policy names the one style sheet and the one script by their digests, so nothing else of the page can
be either. No build step: the parts lie in ``trial_files`` as they are.

>>> POLICY.startswith(b"default-src 'none'; script-src 'sha256-")
True
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

from mintage.serve.routes import Route
from mintage.serve.trial import Trial, trial_facts

__all__ = ["POLICY", "render_trial"]

_SCRIPTS = ("form.js", "answer.js", "calls.js", "rows.js", "page.js")


def _part(name: str) -> str:
    return (files("mintage.serve") / "trial_files" / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_STYLE = _part("page.css")
_SCRIPT = "".join(map(_part, _SCRIPTS))
_PAGE = _part("page.html")
POLICY = (
    f"default-src 'none'; script-src {_source(_SCRIPT)}; style-src {_source(_STYLE)}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode()


def render_trial(route: Route, trial: Trial) -> str:
    """The page's HTML."""
    parts = {
        "TITLE": escape(f"Try {route.model}"),
        "STYLE": _STYLE,
        "SCRIPT": _SCRIPT,
        "FACTS": _data_block(trial_facts(route, trial)),
    }
    head, *rest = _PAGE.split("{{")
    return head + "".join(parts[name] + tail for name, _, tail in (piece.partition("}}") for piece in rest))


def _data_block(value: Mapping[str, Any]) -> str:
    """JSON that cannot end the element it stands in: no `<`, so neither `</script` nor `<!--`."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
