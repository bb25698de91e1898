"""The gateway's one page, for a person who opens its address: which models are live, with links. Self-contained."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from mintage.serve.routes import Route

__all__ = ["render_index"]

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mintage gateway</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}
h2 {{ margin-bottom: 0 }} code {{ overflow-wrap: anywhere }} dt {{ font-weight: 600 }} dd {{ margin: 0 0 .4rem }}
a {{ color: LinkText }} .note {{ opacity: .75 }}
</style></head><body>
<h1>Mintage gateway</h1>
<p>{summary} Generation {generation}.</p>
{models}{problems}
<p class="note"><a href="/v2">server</a> · <a href="/v2/health/live">live</a> · <a href="/v2/health/ready">ready</a> ·
<a href="/metrics">metrics</a> · speaks the Open Inference Protocol v2</p>
</body></html>
"""


def render_index(routes: Mapping[str, Route], *, generation: int, problems: tuple[str, ...]) -> str:
    """The page's HTML."""
    count = len(routes)
    summary = "No model is live." if not count else f"{count} model{'s are' if count > 1 else ' is'} live."
    listed = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return _PAGE.format(
        summary=summary,
        generation=generation,
        models="".join(_model(route) for route in routes.values()),
        problems=f"<h2>Problems</h2><ul>{listed}</ul>" if listed else "",
    )


def _model(route: Route) -> str:
    path = f"/v2/models/{escape(route.model)}"
    rows = [("champion", f"<code>{escape(route.champion.root)}</code>")]
    if route.challenger is not None:
        rows.append(("challenger", f"<code>{escape(route.challenger.root)}</code>, {route.share:.0%} of the traffic"))
    rows.append(("inputs", ", ".join(f"<code>{escape(name)}</code>" for name in route.champion.inputs)))
    rows.append(("predict", f"<code>POST {path}/infer</code>"))
    facts = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in rows)
    links = f'<p><a href="{path}">metadata</a> · <a href="{path}/ready">ready</a></p>'
    return f"<h2>{escape(route.model)}</h2><dl>{facts}</dl>{links}"
