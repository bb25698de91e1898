"""The page to try a model, in Chromium: the form, live answers, warnings, rows as CSV, hostile names, every task."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hand_made import TASKS
from piped_browser import open_browser
from serve_models import INPUTS, build_small_model, small_score
from serve_process import serving
from serve_tasks import build_task_model

from mintage.model.signature import Input
from mintage.report.palette import variables
from mintage.serve import trialpage
from mintage.serve.trial import example_row

pytestmark = pytest.mark.slow

HOSTILE = (
    *("<script>document.title='run'</script>", "</script><img src=x onerror=\"document.title='run'\">"),
    *("__proto__", "constructor", "\u202eabc", "Ünïcode 🛫 'quoted' \"twice\"", "a.b[0]", "{{FACTS}}", "$&", "--x"),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(autouse=True)
def nothing_refused(page):
    yield
    assert page.problems == []


def found(page):
    return page.ask("document.querySelector('#found').innerText")


def show(page, url, **how):
    page.open(f"{url}/", **{"width": 1280} | how)
    page.until("document.querySelector('#found').childElementCount && !document.querySelector('.stale')")


def set_input(page, place, text):
    """Type into a field, and wait for the answer to it."""
    page.ask("window.before = document.querySelector('#found').firstChild")
    page.type(f"#input-{place}", text)
    page.until("window.before !== document.querySelector('#found').firstChild && !document.querySelector('.stale')")


@pytest.fixture(scope="module")
def small(tmp_path_factory, signer):
    model = build_small_model(tmp_path_factory.mktemp("small") / "model", 0, signer)
    with serving(model.folder, "--port", 0) as served:
        yield served.url


def test_the_form_begins_with_a_golden_row_and_answers_as_one_types(page, small):
    show(page, small)
    assert "probability of 1" in found(page)
    set_input(page, 0, "0.25")
    set_input(page, 1, "")
    page.ask("document.querySelector('#input-2').value = 'b'")
    page.ask("document.querySelector('#input-2').dispatchEvent(new Event('input', {bubbles: true}))")
    score = small_score(0.25, None, "b")
    page.until(f"document.querySelector('#found').innerText.includes('score {score:.6}')")
    assert "at or above the threshold 0.5: 1" in found(page)
    line = page.ask("document.querySelector('#curl').textContent")
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["score"] == pytest.approx(score, abs=1e-15)
    script = page.ask("document.querySelector('#python').textContent")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"'score': {score}" in done.stdout


def test_unusual_values_are_warned_of_and_refused_ones_named_at_their_field(page, small):
    show(page, small)
    set_input(page, 0, "2000")
    assert "x: usually -1000 to 1000" in found(page)
    assert page.ask("document.querySelector('#note-0').textContent") == "unusual: it is usually -1000 to 1000"
    set_input(page, 0, "two")
    assert "input 'x' is not a number" in found(page)
    assert page.ask("document.querySelector('#input-0').getAttribute('aria-invalid')") == "true"
    set_input(page, 0, "")
    assert "input x must not be null" in found(page)
    set_input(page, 0, "0.5")
    assert page.ask("document.querySelector('#input-0').getAttribute('aria-invalid')") is None
    page.ask(
        "(e => { e.value = '\\ue000other'; e.dispatchEvent(new Event('change')) })(document.querySelector('#input-2'))"
    )
    assert page.ask("document.activeElement.id") == "input-2-other"
    page.call("Input.insertText", text="<b>new</b>")
    page.until("document.querySelector('#found').innerText.includes('name: usually one of a, b')")


ROWS = 'id,x,y,name,note\r\n1,0.5,,a,"first, ""quoted"""\r\n2,2000,1,zzz,<i>x</i>\r\n3,-1,NA,,"two\nlines"\r\n'


def paste(page, text):
    page.ask(f"document.querySelector('#paste').value = {json.dumps(text)}")
    page.ask("document.querySelector('#score').click()")
    page.until("!document.querySelector('#score').disabled")
    return page.ask("document.querySelector('#table').innerText")


def test_rows_of_csv_get_a_table_and_a_file_of_answers(page, small):
    show(page, small)
    said = paste(page, ROWS)
    assert "3 rows, 1 with unusual values" in said
    cells = page.ask("[...document.querySelectorAll('tbody tr')].map(r => [...r.children].map(c => c.textContent))")
    assert [row[0] for row in cells] == ["1", "2", "3"]
    assert [float(row[1]) for row in cells] == pytest.approx(
        [small_score(0.5, None, "a"), 1.0, small_score(-1, None, None)], abs=1e-6
    )
    assert cells[1][-1] == "<i>x</i>"
    assert page.ask("[...document.querySelectorAll('td.odd')].map(c => c.textContent)") == ["2000", "zzz"]
    text = page.ask(
        "new Promise(done => { URL.createObjectURL = blob => (blob.text().then(done), 'blob:none');"
        " HTMLAnchorElement.prototype.click = () => {}; document.querySelector('#download').click() })"
    )
    assert text.splitlines()[0] == "id,x,y,name,note,score,label,class"
    assert text.splitlines()[1].startswith('1,0.5,,a,"first, ""quoted""",')


def test_what_is_wrong_with_rows_is_said_with_their_number(page, small):
    show(page, small)
    assert "row 2: input 'x' is not a number" in paste(page, "x;y;name\n1;1;a\noops;1;a\n")
    assert "lacks y, name" in paste(page, "x\n1\n")
    assert "row 1 has 2 fields instead of 3" in paste(page, "x,y,name\n1,2\n")
    assert "there are no rows" in paste(page, "")
    many = "x,y,name\n" + "0.5,1,a\n" * 1500 + ",1,a\n"
    assert "row 1501: input x must not be null" in paste(page, many)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_shown_as_it_answers(page, tmp_path, signer, task):
    model, package = build_task_model(task, tmp_path / "model", signer)
    with serving(model.folder, "--port", 0) as served:
        show(page, served.url)
        parts = page.ask("[...document.querySelectorAll('#found .part')].map(p => p.innerText.split('\\n'))")
        targets = [package.signature.target] if isinstance(package.signature.target, str) else package.signature.target
        assert [part[0] for part in parts] == list(targets)
        bars = page.ask("document.querySelectorAll('#found .bar').length")
        assert bars == {"binary": 1, "multiclass": 3, "regression": 0, "two regressions": 0, "two targets": 5}[task]
        row = example_row(package.golden, package.signature)
        assert page.ask("document.querySelector('#input-1').value") == row["carrier"]


def wide(count):
    """So many inputs more, some with many categories and all with odd names."""
    more = [
        Input(
            name=HOSTILE[place] if place < len(HOSTILE) else f"measurement number {place}",
            datatype="FP64",
            range=(0.0, 100.0),
            unit="m²" if place % 3 else None,
            about="how it is measured" if place % 5 == 0 else None,
        )
        for place in range(count)
    ]
    names = tuple(f"Category {place:03} <b>" for place in range(300))
    return (*INPUTS, *more, Input(name="long list", datatype="BYTES", categories=names))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory, signer):
    model = build_small_model(tmp_path_factory.mktemp("wide") / "model", 0, signer, inputs=wide(56))
    with serving(model.folder, "--port", 0) as served:
        yield served.url


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_sixty_inputs_with_hostile_names_fit_the_screen_and_are_text_alone(page, crowded, width):
    show(page, crowded, width=width)
    assert page.ask("document.documentElement.scrollWidth") <= width
    labels = page.ask("[...document.querySelectorAll('#fields label')].map(l => l.firstChild.textContent)")
    assert labels == [item.name for item in wide(56)]
    assert page.ask("document.title") == "Try late"
    assert page.ask("document.querySelectorAll('#fields script, #fields img, #fields b').length") == 0
    unnamed = "[...document.querySelectorAll('input, select, textarea')].filter(e => !e.labels.length && !e.ariaLabel)"
    assert page.ask(f"{unnamed}.length") == 0
    assert "probability of 1" in found(page)
    assert page.ask("JSON.parse(document.querySelector('#facts').textContent).inputs.length") == 60


def test_a_dark_screen_gets_dark_paper_and_the_colours_are_those_of_the_reports(page, small):
    paper = "getComputedStyle(document.body).backgroundColor"
    show(page, small, is_dark=True)
    dark = page.ask(paper)
    show(page, small)
    assert (page.ask(paper), dark) == ("rgb(248, 247, 244)", "rgb(20, 23, 28)")
    style = re.sub(r"\s+", " ", trialpage._STYLE)
    light_part, dark_part = style.split("@media screen", 1)
    for part, scheme in ((light_part, "light"), (dark_part, "dark")):
        known = dict(pair.split(": ") for pair in variables(scheme).rstrip(";").split("; "))
        used = dict(re.findall(r"(--[\w-]+): (#\w+);", part))
        assert used
        assert used == {name: known[name] for name in used}


def test_the_keyboard_reaches_all_in_order(page, small):
    show(page, small)
    seen = []
    for _ in range(12):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        seen.append(page.ask("document.activeElement.id || document.activeElement.className"))
    assert seen[:5] == ["skip", "input-0", "input-1", "input-2", "reset"]
    assert seen.index("file") < seen.index("paste") < seen.index("score")
