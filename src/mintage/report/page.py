"""Render pages: one self-contained HTML file each, that needs no network, no script and no second file.

``report.seal_page`` adds to a certificate's page the one script that checks its signature.

``render_certificate`` and ``render_story`` take plain views and return the text of a page. Whatever the views say is
text: it is escaped, cut at a length, and stripped of control characters and of marks that reverse the direction of
reading; a content security policy in the page forbids scripts and addresses on top. The same view gives the same page.

A page does not compute or check anything: verdicts, intervals and sentences are those of the records.

This is the one file that imports Jinja2.

>>> page = render_story(Story(project="<churn>"))
>>> "&lt;churn&gt;" in page, "<churn>" in page
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mintage.errors import ExtraMissingError
from mintage.report import numbers
from mintage.report.certificate_charts import certificate_charts
from mintage.report.certificate_view import CertificateView
from mintage.report.chart import Chart
from mintage.report.headline import headline
from mintage.report.palette import chart_rules, variables
from mintage.report.story import ModelStory, Run, Story
from mintage.report.story_charts import story_charts
from mintage.report.traffic_chart import colours_of

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_certificate", "render_experiments", "render_story"]

_PAGE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*\.html")
_LOOP: Final = {
    "commit": "`git commit` ties code and data together",
    "data": "`mintage add` versions data",
    "run": "`mintage run` executes the pipeline",
    "model": "`mintage run` builds the model that mintage.yaml names",
    "certificate": "`mintage certify` judges the model",
    "release": "`mintage release` names what runs where",
    "predictions": "`mintage predict` scores a file",
    "drift": "`mintage monitor` looks at the traffic",
    "decision": "`mintage monitor` decides what to do",
}
"""The stations of the loop, and what takes a project to each."""

_MOST_ROWS: Final = 100
_MOST_METRICS: Final = 6


def render_certificate(view: CertificateView) -> str:
    """The certificate page. Raises ExtraMissingError when Jinja2 or vl-convert is not installed."""
    return _render("certificate.html.j2", {"view": view, "charts": certificate_charts(view)})


def render_story(view: Story) -> str:
    """The project's story. Raises ExtraMissingError when Jinja2 or vl-convert is not installed."""
    events = view.events[-_MOST_ROWS:]
    runs = view.runs[-_MOST_ROWS:]
    models = [_model_part(model, index) for index, model in enumerate(view.models)]
    parts = {
        "view": view,
        "headline": headline(view),
        "loop_words": [(word, [event for event in events if event.word == word]) for word in _LOOP],
        "commands": _LOOP,
        "events": events,
        "runs": runs,
        "metrics": _metric_names(runs),
        "models": models,
        "left_out": {"events": len(view.events) - len(events), "runs": len(view.runs) - len(runs)},
    }
    return _render("story.html.j2", parts)


def render_experiments(
    *,
    project: str,
    charts: Sequence[Chart],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    others: Sequence[tuple[str, Sequence[str]]],
    first: str,
) -> str:
    """The page of compared experiments; ``others`` says what differs from ``first`` beside values. Raises
    ExtraMissingError when Jinja2 is not installed."""
    parts = {"project": project, "charts": charts, "columns": columns, "rows": rows, "others": others, "first": first}
    return _render("experiments.html.j2", parts)


def _model_part(model: ModelStory, index: int) -> dict[str, object]:
    prefix = f"m{index + 1}-"
    charts: dict[str, Chart] = story_charts(model, prefix=prefix)
    return {"story": model, "charts": charts, "colours": colours_of(model), "prefix": prefix}


def _metric_names(runs: tuple[Run, ...]) -> list[str]:
    """The metrics that most runs have, in the order of first appearance."""
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    common = sorted(names, key=lambda name: -sum(name in run.metrics for run in runs))[:_MOST_METRICS]
    return [name for name in names if name in common]


def _render(template: str, parts: Mapping[str, object]) -> str:
    page = _environment().get_template(template).render(parts)
    return re.sub(r"\n\s*\n+", "\n", page)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise ExtraMissingError(
            "pages need Jinja2, which is not installed",
            hint="pip install 'mintage[report]'",
        ) from error

    def text(value: object) -> object:
        """Every expression of a template passes here before it is escaped."""
        return numbers.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def prose(sentence: str) -> Markup:
        """A sentence with its parts in backticks as code."""
        parts = numbers.clean(sentence).split("`")
        return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))

    def breakable(name: str) -> Markup:
        """A name that may be broken after its dots, slashes and underscores."""
        return Markup("").join(Markup("{}<wbr>").format(part) for part in re.split(r"(?<=[._/])", numbers.clean(name)))

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mintage.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": numbers.number,
        "signed": numbers.signed,
        "interval": numbers.interval,
        "count": numbers.count,
        "percent": numbers.percent,
        "when": numbers.when,
        "duration": numbers.duration,
        "short": numbers.short,
        "page_name": _page_name,
        "picture": Markup,
        "prose": prose,
        "breakable": breakable,
    }
    environment.globals |= {
        "light_scheme": Markup(variables("light")),
        "dark_scheme": Markup(variables("dark")),
        "chart_rules": Markup(chart_rules()),
        "verdict_tones": {"PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "attention"},
    }
    return environment


def _page_name(name: str | None) -> str | None:
    """``name`` if it is a plain relative path of a page, else None: nothing else becomes a link."""
    return name if name and _PAGE_NAME.fullmatch(name) else None
