"""The pages as a real browser shows them. Needs Debian's Chromium: ``apt-get install chromium``."""

import html
import json
import re
import shutil
import subprocess

import pytest
from test_hostile_text import HOSTILE, poisoned

from mintage.report import render_certificate, render_story

pytestmark = pytest.mark.slow

FLAGS = """
--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update
--disable-sync --hide-scrollbars
"""
SCRIPT = """<script>document.title = "scripts run"</script>"""
# Chromium's own window is never narrower than 500 pixels, a frame may be.
PROBE = """<!doctype html>
<iframe style="width:{width}px; height:900px; border:0" srcdoc="{page}"></iframe>
<pre></pre>
<script>
onload = () => {{
  const page = frames[0].document, style = e => frames[0].getComputedStyle(e);
  const charts = [...page.querySelectorAll(".chart svg")].filter(svg => svg.getBoundingClientRect().height > 20);
  document.querySelector("pre").textContent = "PROBE " + JSON.stringify({{
    width: page.documentElement.scrollWidth, charts: charts.length, title: page.title,
    ink: style(page.body).color, paper: style(page.body).backgroundColor,
    text: charts.length ? style(charts[0].querySelector("text")).fill : ""}}) + " END";
}};
</script>
"""


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Open a page in Chromium with extra flags; gives what Chromium printed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("no chromium on the PATH: `apt-get install chromium fonts-dejavu-core`, or leave out `-m slow`")

    def browse(text, *flags):
        folder = tmp_path_factory.mktemp("browser")
        page = folder / "page.html"
        page.write_text(text, encoding="utf-8")
        command = [chromium, *FLAGS.split(), f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return browse


@pytest.fixture(scope="module")
def pages(certificate_view, story):
    return {"certificate": render_certificate(certificate_view), "story": render_story(story)}


def probe(browse, page, width, scheme="light"):
    """What a script sees in the page, with the policy that forbids scripts taken out."""
    page = re.sub(r"<meta http-equiv=.Content-Security-Policy.*?>", "", page)
    outer = PROBE.format(width=width, page=html.escape(page))
    dom = browse(outer, "--dump-dom", f"--blink-settings=preferredColorScheme={int(scheme == 'light')}")
    found = re.search(r"<pre>PROBE (.*) END</pre>", dom, re.DOTALL)
    assert found, dom[-500:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize("name", ["certificate", "story"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_a_page_fits_the_screen(name, width, pages, browse):
    seen = probe(browse, pages[name], width)
    assert seen["width"] <= width
    assert seen["charts"] == {"certificate": 5, "story": 3}[name]


@pytest.mark.parametrize("name", ["certificate", "story"])
def test_dark_screens_get_dark_paper_and_light_ink_in_text_and_charts(name, pages, browse):
    light, dark = (probe(browse, pages[name], 1280, scheme) for scheme in ("light", "dark"))
    assert (light["paper"], light["ink"]) == ("rgb(248, 247, 244)", "rgb(29, 36, 48)")
    assert (dark["paper"], dark["ink"]) == ("rgb(20, 23, 28)", "rgb(232, 234, 237)")
    assert light["text"] != dark["text"]


@pytest.mark.parametrize("name", ["script", "image", "attribute", "close", "huge"])
def test_hostile_text_runs_nothing_even_without_the_content_security_policy(name, story, browse):
    text = HOSTILE[name].replace("alert(1)", "document.title='owned'")
    page = render_story(poisoned(story, type(story), text))
    for width in (360, 1280):
        seen = probe(browse, page, width)
        assert seen["title"] != "owned"
        assert seen["charts"] == 3
        assert seen["width"] <= width


def test_the_policy_of_the_page_forbids_scripts(pages, browse):
    page = pages["story"].replace("</body>", SCRIPT + "</body>")
    assert "<title>All is well: flights</title>" in browse(page, "--dump-dom")
    page = re.sub(r"<meta http-equiv=.Content-Security-Policy.*?>", "", page)
    assert "<title>scripts run</title>" in browse(page, "--dump-dom")


def test_a_page_can_be_printed_and_pictured(pages, browse, tmp_path):
    browse(pages["story"], f"--print-to-pdf={tmp_path / 'story.pdf'}")
    browse(pages["certificate"], f"--screenshot={tmp_path / 'page.png'}", "--window-size=1280,900")
    assert (tmp_path / "story.pdf").read_bytes().startswith(b"%PDF")
    assert len((tmp_path / "page.png").read_bytes()) > 20_000
