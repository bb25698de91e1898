"""The pipeline's graph as text, Mermaid, DOT and a page."""

from __future__ import annotations

from html.parser import HTMLParser

from mintage.pipeline.picture import as_dot, as_mermaid, as_text, picture
from mintage.repo.project import parse_project
from mintage.report.graph_page import graph_page

PROJECT = parse_project(
    b"""
project: p
stages:
  fit: {run: x, in: [rows.csv], out: ["m/${matrix.d}.bin"], matrix: {d: [1, 2]}}
  best: {run: x, in: [m/, "odd <b>.csv"], out: [best.bin]}
models:
  shop: {from: best.bin, target: y}
""",
    where="mintage.yaml",
)


def test_members_are_one_box_unless_asked_for() -> None:
    together = {node.name: node for node in picture(PROJECT).nodes}
    assert together["fit"].count == 2
    assert together["best"].needs == ("fit", "odd <b>.csv")
    assert together["model:shop"].needs == ("best",)
    apart = {node.name: node for node in picture(PROJECT, members=True).nodes}
    assert apart["best"].needs == ("fit@d=1", "fit@d=2", "odd <b>.csv")


def test_the_text_says_what_is_out_of_date_and_why() -> None:
    states = {"fit@d=1": "", "fit@d=2": "never ran", "best": "waits for fit@d=2", "model:shop": ""}
    text = as_text(picture(PROJECT, states=states))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "fit (2 members) <- rows.csv ! 1 of 2 members are out of date" in lines
    assert "best <- fit, odd <b>.csv ! waits for fit@d=2" in lines
    assert "model:shop <- best ok" in lines


def test_mermaid_and_dot_name_every_box_and_edge_once() -> None:
    found = picture(PROJECT)
    mermaid, dot = as_mermaid(found), as_dot(found)
    assert mermaid.count(" --> ") == dot.count(" -> ") == 4
    assert "odd &lt;b&gt;.csv" in mermaid and "<b>" not in mermaid
    assert '"odd <b>.csv" -> "best";' in dot


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.append(tag)

    def handle_data(self, data) -> None:
        self.text += data


def test_the_page_draws_all_boxes_and_takes_names_as_text() -> None:
    reader = _Reader()
    reader.feed(graph_page(picture(PROJECT, states={}), "p"))
    assert reader.seen.count("rect") == 5
    assert "b" not in reader.seen and "script" not in reader.seen
    assert "odd <b>.csv" in reader.text
