import math
import socket
import subprocess
import sys
import threading
from xml.etree import ElementTree

import pytest

from mintage.errors import ExtraMissingError
from mintage.report import render_certificate
from mintage.report.certificate_charts import certificate_charts
from mintage.report.certificate_view import Calibration, CertificateView, Identity, Latency, Requirement, Roc, Scores
from mintage.report.chart import nice_domain, thinned
from mintage.report.estimate import Estimate
from mintage.report.palette import _TOKENS, variables
from mintage.report.story import Decision, Drift, DriftCell, LossPoint, ModelStory, Period, Served
from mintage.report.story_charts import story_charts
from mintage.report.svg import draw
from mintage.report.traffic_chart import colours_of

COLOURS = frozenset(pair[0] for pair in _TOKENS.values())


def all_charts(certificate_view, story):
    return [*certificate_charts(certificate_view).values(), *story_charts(story.models[0], prefix="").values()]


def test_charts_use_only_colours_that_have_a_dark_twin(certificate_view, story):
    for chart in all_charts(certificate_view, story):
        for picture in (chart.wide, chart.narrow):
            for element in ElementTree.fromstring(picture).iter():
                for name in ("fill", "stroke"):
                    assert element.get(name) in {None, "none", "transparent", *COLOURS}, (chart.name, element.attrib)


def test_the_narrow_picture_fits_a_phone(certificate_view, story):
    for chart in all_charts(certificate_view, story):
        width = float(ElementTree.fromstring(chart.narrow).attrib["viewBox"].split()[2])
        assert width < 400, chart.name


def test_light_colours_are_unique_so_that_each_maps_to_one_token():
    assert len(COLOURS) == len(_TOKENS)
    assert variables("light") != variables("dark")


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_asks_for(scheme):
    def contrast(one: str, other: str) -> float:
        a, b = sorted((_luminance(_TOKENS[one][scheme]), _luminance(_TOKENS[other][scheme])))
        return (b + 0.05) / (a + 0.05)

    for ground in ("paper", "surface"):
        for text in ("ink", "muted", "good", "bad", "attention", "model-1"):
            assert contrast(text, ground) >= 4.5, (text, ground)
        for mark in ("reference", "model-2", "model-3", "model-4", "model-5"):
            assert contrast(mark, ground) >= 3.0, (mark, ground)
    for tone in ("good", "bad", "attention"):
        assert contrast(tone, f"{tone}-soft") >= 4.5, tone
    assert contrast("muted", "heat-0") >= 4.5


def test_drawing_never_opens_a_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1.0)
        seen: list[object] = []

        def listen() -> None:
            try:
                seen.append(server.accept())
            except TimeoutError:
                return

        listener = threading.Thread(target=listen)
        listener.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/data.json"
        spec = {"data": {"url": url}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}
        with pytest.raises(ValueError, match="External data url not allowed"):
            draw(spec)
        listener.join()
    assert seen == []


def test_a_drawing_keeps_shapes_and_text_only():
    spec = {
        "data": {
            "values": [{"a": "<script>alert(1)</script>", "u": "http://example.org/", "i": "http://example.org/i"}]
        },
        "layer": [
            {"mark": {"type": "text", "tooltip": True}, "encoding": {"text": {"field": "a"}}},
            {"mark": "point", "encoding": {"href": {"field": "u"}}},
            {"mark": {"type": "image", "width": 9, "height": 9}, "encoding": {"url": {"field": "i"}}},
            {"mark": {"type": "rect", "color": {"gradient": "linear", "stops": [{"offset": 0, "color": "red"}]}}},
        ],
    }
    picture = draw(spec)
    assert "&lt;script&gt;" in picture
    assert "http" not in picture
    assert "url(" not in picture
    names = {element.tag for element in ElementTree.fromstring(picture).iter()}
    assert names <= {"svg", "g", "path", "text", "rect"}


@pytest.mark.parametrize("missing", ["vl_convert", "jinja2"])
def test_a_missing_library_names_the_extra(missing, monkeypatch, certificate_view):
    from mintage.report import page

    page._environment.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ExtraMissingError) as caught:
        render_certificate(certificate_view)
    assert "mintage[report]" in str(caught.value.hint)


def test_numbers_that_cannot_be_drawn_are_left_out_and_break_nothing():
    odd = (math.nan, math.inf, -math.inf, 0.0, 1e300, -1e-300)
    rows = tuple(
        Requirement(
            id=f"{i}-{j}",
            title="odd",
            check="odd",
            verdict="FAIL",
            threshold=b,
            measured=Estimate(value=a, low=b, high=a),
        )
        for i, a in enumerate(odd)
        for j, b in enumerate(odd)
    )
    view = CertificateView(
        identity=Identity(model="odd", root="sha256:00"),
        verdict="FAIL",
        sentence="Odd.",
        requirements=rows,
        roc=(Roc(sample="train", points=()), Roc(sample="hold-out", points=((0.0, 0.0),))),
        calibration=Calibration(bins=()),
        scores=Scores(bins=()),
        latency=Latency(bins=()),
    )
    assert set(certificate_charts(view)) == {"intervals"}
    assert "Odd." in render_certificate(view)


def test_a_story_with_odd_numbers_still_draws():
    nothing = Estimate(value=math.nan)
    model = ModelStory(
        model="odd",
        reference=nothing,
        periods=(
            Period(label="Mar", served=(Served(root="a", role="champion", rows=0),)),
            Period(label="Apr", losses=(LossPoint(root="a", role="champion", loss=nothing),)),
            Period(label="May", losses=(LossPoint(root="b", role="shadow", loss=Estimate(value=0.4)),)),
            Period(label="Jun"),
        ),
        drift=Drift(cells=(DriftCell(feature="a", period="Mar", effect=math.nan),)),
        decisions=(Decision(period="Mar", action="none", sentence="No labels yet.", gain=nothing),),
    )
    charts = story_charts(model, prefix="x-")
    assert set(charts) == {"traffic"}
    assert charts["traffic"].name == "x-traffic"


def test_a_wide_table_of_drift_keeps_the_features_that_moved_most():
    cells = tuple(
        DriftCell(feature=f"f{i:03d}", period=f"p{j:02d}", effect=i / 1000) for i in range(300) for j in range(50)
    )
    chart = story_charts(ModelStory(model="m", drift=Drift(cells=cells)), prefix="")["drift"]
    assert "f299" in chart.wide
    assert "f269" not in chart.wide
    assert "270 features that moved least are left out" in (chart.note or "")
    assert len(chart.rows) == 400
    assert len(chart.wide) < 400_000


def test_a_model_keeps_its_colour_whatever_its_role(story):
    colours = colours_of(story.models[0])
    old, new = story.models[0].certificates[0].root, story.models[0].certificates[1].root
    assert (colours[old], colours[new]) == ("model-1", "model-2")
    many = ModelStory(model="m", periods=(Period(label="p", served=_served(7)),))
    assert list(colours_of(many).values())[-2:] == ["reference", "reference"]


def _served(n: int) -> tuple[Served, ...]:
    return tuple(Served(root=f"{i}" * 8, role="champion", rows=1) for i in range(n))


def test_the_alternative_text_of_the_decisions_says_them(story):
    chart = story_charts(story.models[0], prefix="")["decisions"]
    assert "Jun 2013: retrain, gain 0.036 [0.024, 0.052]" in chart.alt


def test_thinning_keeps_both_ends():
    assert thinned(tuple(range(1000)), 5) == (0, 250, 500, 749, 999)
    assert thinned((1, 2), 5) == (1, 2)


def test_a_scale_is_never_empty():
    assert nice_domain([]) == [-0.25, 1.0]
    low, high = nice_domain([0.5])
    assert low < 0.5 < high


def test_importing_the_room_loads_no_optional_or_heavy_library():
    code = (
        "import sys, mintage.report; print(*(set(sys.modules) & {'jinja2', 'vl_convert', 'numpy', 'pyarrow', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
