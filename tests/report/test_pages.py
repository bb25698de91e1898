import re

import msgspec
import pytest

from mintage.report import render_certificate, render_story
from mintage.report.certificate_view import CertificateView, Identity
from mintage.report.story import ModelStory, Run, Story

CERTIFICATE_SECTIONS = (
    "requirements",
    "found",
    "evidence-in-pictures",
    "limitations",
    "findings",
    "clauses",
    "policy",
    "evidence",
)
MODEL_SECTIONS = ("certificates", "releases", "watch", "moved", "decided", "proof")


@pytest.fixture(scope="module")
def pages(certificate_view, story):
    bare = CertificateView(
        identity=Identity(model="late", root="sha256:ab"), verdict="INCONCLUSIVE", sentence="Nothing could be judged."
    )
    two = msgspec.structs.replace(story, models=(*story.models, ModelStory(model="other")))
    return {
        "certificate": render_certificate(certificate_view),
        "story": render_story(story),
        "bare certificate": render_certificate(bare),
        "bare story": render_story(Story(project="churn")),
        "bare model": render_story(Story(project="churn", models=(ModelStory(model="churn"),))),
        "two models": render_story(two),
    }


@pytest.fixture(params=["certificate", "story", "bare certificate", "bare story", "bare model", "two models"])
def page(request, pages, parse):
    return parse(pages[request.param])


def test_every_element_is_closed_in_order(page):
    assert page.unclosed == []
    assert page.misplaced == []


def test_ids_are_unique_and_every_reference_within_the_page_has_its_target(page):
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    wanted = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    wanted |= {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert wanted <= set(ids)


def test_nothing_in_a_page_points_outside_it(page, pages):
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"href", "src", "srcset", "action", "xlink:href", "poster", "data"}
    ]
    assert all(re.fullmatch(r"#[\w-]+|data:,|certificates/late-1\.html", address) for address in addresses)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "iframe", "object", "embed", "img", "form", "base", "foreignobject", "image", "use"}
    for html in pages.values():
        assert "url(" not in html
        assert "@import" not in html


def test_a_content_security_policy_forbids_scripts_and_addresses(page):
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_no_element_has_an_event_handler(page):
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_every_picture_has_words_and_its_numbers(page):
    figures = page.all("figure")
    pictures = page.all("div", role="img")
    assert len(pictures) >= len(figures)
    assert all(len(a["aria-label"] or "") > 30 for a in pictures)
    assert page.text.count("The numbers behind this picture") == len(figures)


def test_every_table_has_a_caption_and_scoped_headers(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in a for a in page.all("th"))


def test_a_page_has_one_heading_of_the_first_level_and_a_way_to_skip_to_the_content(page):
    assert len(page.all("h1")) == 1
    assert page.all("a", class_="skip")[0]["href"] == "#main"
    assert page.all("main", id="main")


def test_a_certificate_starts_with_its_verdict_and_sentence_and_has_all_sections(pages, parse, certificate_view):
    page = parse(pages["certificate"])
    body = page.text.split("Skip to the content")[1]
    sentence = certificate_view.sentence.replace("`", "")
    assert body.strip().startswith(f"Certificate of late 4f93e5df ✓ PASS {sentence}")
    assert {a.get("id") for a in page.all("section")} == set(CERTIFICATE_SECTIONS)
    for row in certificate_view.requirements:
        assert row.title in page.text
    for text in (
        "About 22 more days",
        "Waived until 30 Jun 2013",
        "30 May 2013, 06:12 UTC",
        "Not applicable: 1",
        "there is no champion",
        "origin is LGA and dest is one of 40",
        "at least 0.600",
        "[0.628, 0.687]",
        "order not proven",
    ):
        assert text in page.text
    assert {a["id"] for a in page.all("figure")} == {"intervals", "roc", "calibration", "scores", "latency"}


def test_a_story_has_all_sections_charts_and_the_chain_of_proof(pages, parse):
    page = parse(pages["story"])
    wanted = {"loop", "runs", *(f"m1-{name}" for name in MODEL_SECTIONS)}
    assert {a.get("id") for a in page.all("section")} == wanted
    assert {a["id"] for a in page.all("figure")} == {"m1-traffic", "m1-drift", "m1-decisions"}
    assert page.text.count("verified:") == 9
    assert "02378fc9" in page.text
    assert "replaces" in page.text


def test_a_section_without_data_names_the_command_that_fills_it(pages, parse):
    page = parse(pages["bare model"])
    for command in ("run", "certify churn", "release churn", "reconcile", "predict churn", "monitor churn", "verify"):
        assert f"mintage {command}" in page.text
    assert len(page.all("p", class_="empty")) == 7
    assert len(parse(pages["bare certificate"]).all("p", class_="empty")) == 9


def test_digests_are_shown_short_and_kept_whole(pages, parse, certificate_view):
    page = parse(pages["certificate"])
    root = certificate_view.identity.root
    assert page.all("summary", title=root)
    assert root in page.text


def test_the_same_view_gives_the_same_bytes(certificate_view, story, pages):
    assert render_certificate(certificate_view) == pages["certificate"]
    assert render_story(story) == pages["story"]


def test_pages_are_small(pages):
    assert max(len(html.encode()) for html in pages.values()) < 250_000


def test_a_long_history_keeps_its_newest_part_and_says_what_is_left_out(parse):
    runs = tuple(Run(id=str(i), name=f"run {i}", metrics={f"m{i % 9}": 0.5, "auc": 0.6}) for i in range(1000))
    page = parse(render_story(Story(project="long", runs=runs)))
    assert "900 older runs are left out" in page.text
    assert "run 999" in page.text
    assert "run 899 " not in page.text
    assert "auc" in page.text


@pytest.mark.parametrize(
    ("name", "linked"),
    [
        ("certificates/late-1.html", True),
        ("late.html", True),
        ("javascript:alert(1)//.html", False),
        ("//example.org/x.html", False),
        ("../secret.html", False),
        ("/etc/x.html", False),
        ("a/../../x.html", False),
        ("https://example.org/x.html", False),
        ("late.html\n", False),
        ("", False),
    ],
)
def test_only_a_plain_relative_page_becomes_a_link(name, linked, parse, story):
    model = story.models[0]
    summary = msgspec.structs.replace(model.certificates[0], page=name)
    page = parse(render_story(Story(project="p", models=(ModelStory(model="m", certificates=(summary,)),))))
    assert bool([a for a in page.all("a") if a["href"] == name]) is linked
