"""The views that pages are rendered from in these tests, and a parser of pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import msgspec
import pytest
from report_views import make_certificate, make_story

from mintage.report.certificate_view import CertificateView, NotAsked, Validity
from mintage.report.story import Story


@dataclass
class Page:
    """A parsed page: its elements in order, what is read aloud, and whether every element was closed."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    unclosed: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)

    def all(self, name: str, **attributes: str) -> list[dict[str, str | None]]:
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [a for tag, a in self.elements if tag == name and wanted.items() <= a.items()]


class _Parser(HTMLParser):
    BLOCKS = frozenset({"div", "ul", "ol", "dl", "table", "details", "section", "figure", "p", "h1", "h2"})
    VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page, self.open = Page(), []

    def handle_starttag(self, tag, attrs):
        self.page.elements.append((tag, dict(attrs)))
        assert len(attrs) == len(dict(attrs)), f"an attribute is twice on <{tag}>"
        if tag in self.BLOCKS and {"p", "h1", "h2"} & set(self.open):
            self.page.misplaced.append(tag)  # browsers would close the paragraph here
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.page.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.page.misplaced.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.page.text += data


def parse_page(html: str) -> Page:
    parser = _Parser()
    parser.feed(html)
    parser.close()
    parser.page.unclosed = parser.open
    parser.page.text = " ".join(parser.page.text.split())
    return parser.page


@pytest.fixture(scope="session")
def parse():
    return parse_page


@pytest.fixture(scope="session")
def certificate_view() -> CertificateView:
    return msgspec.structs.replace(
        make_certificate(),
        validity=Validity(until="2013-05-30T06:12:40Z", ends=("policies/late.yaml changes",)),
        not_asked=(NotAsked(id="champion", title="gain over it", check="F3", reason="there is no champion"),),
    )


@pytest.fixture(scope="session")
def story() -> Story:
    return make_story()
