"""What `mintage.load`, `certificate` and `verify` return: true or false, text on a terminal, a view in a notebook."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

import mintage
from mintage.errors import RefusedError, UnknownNameError
from mintage.lineage.chain import Link
from mintage.model.html_view import html_view
from mintage.report.results import Verification
from small_project import SmallProject


class Page(HTMLParser):
    """The text of a view and the names of its tags and attributes; fails for tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def view(result: object) -> Page:
    page = Page(result._repr_html_())  # type: ignore[attr-defined]
    assert page.names <= {"b", "div", "scope", "span", "style", "table", "tbody", "td", "th", "thead", "tr"}
    return page


def test_a_loaded_model_shows_what_it_takes(released: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(released.root)
    texts = view(mintage.load("buys")).texts
    assert "predicts bought (binary)" in texts
    row = texts[texts.index("pages") :][:4]
    assert row == ["pages", "number", "from 0 to 100", "no"]


def test_a_certificate_shows_each_verdict_and_whose_model_it_is_of(
    released: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(released.root)
    found = mintage.certificate("buys")
    assert (found.verdict, found.current) == ("PASS", True)
    assert [item.requirement for item in found.results] == ["auc", "parity", "p50"]
    texts = view(found).texts
    assert texts[:3] == ["buys", " ", "PASS"] and found.certificate.sentence in texts
    assert all(item.reason in texts for item in found.results)
    assert repr(found).startswith(f"buys: PASS: {found.certificate.sentence}\n")

    lock = next(
        path for path in (released.root / "mintage.lock").iterdir() if "model" in path.name and "buys" in path.name
    )
    value = json.loads(lock.read_text())
    lock.write_text(json.dumps({**value, "root": "sha256:" + "0" * 64}))
    assert not mintage.certificate("buys").current
    assert "this certificate is for another one" in " ".join(view(mintage.certificate("buys")).texts)


def test_without_a_certificate_or_a_model_the_answer_says_what_to_do(
    fresh: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fresh.root)
    with pytest.raises(RefusedError) as caught:
        mintage.certificate("buys")
    assert caught.value.hint == "run `mintage certify buys`"
    with pytest.raises(UnknownNameError):
        mintage.certificate("bys")


def test_a_verification_is_true_or_false_and_shows_the_chain(
    released: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(released.root)
    found = mintage.verify("buys")
    assert found and repr(found) in released.run("verify", "buys").out
    title, _, state = view(found).texts[:3]
    assert (title.startswith("model buys sha256:"), state) == (True, "verified")
    data = next(link for link in _all(found.chain) if link.kind == "data" and link.digest)
    lost = released.blob(str(data.digest))
    lost.chmod(0o644)
    lost.write_bytes(b"something else")
    broken = mintage.verify("buys")
    assert not broken
    assert {"NOT VERIFIED", "broken"} <= set(view(broken).texts)


def _all(link: Link) -> list[Link]:
    return [link, *(below for child in link.children for below in _all(child))]


def test_hostile_text_stays_text() -> None:
    evil = "</td><script>alert(1)</script>\"'&"
    for page in (
        view(Verification(Link(kind=evil, title=evil, ok=False, detail=evil))),
        Page(html_view(evil, state=(evil, "bad"), lines=[evil], head=[evil], rows=[(evil, (evil, "open"))])),
    ):
        assert "script" not in page.names
        assert "".join(page.texts).count(evil) >= 3
