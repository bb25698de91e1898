"""The pictures of classes and of numbers: what they show, that they fit a phone, and that names are only text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from mintage.report import render_certificate
from mintage.report.answer_charts import confusion_chart, predicted_chart, residuals_chart
from mintage.report.certificate_charts import certificate_charts
from mintage.report.certificate_view import (
    CertificateView,
    Confusion,
    Identity,
    Predicted,
    ResidualBin,
    Residuals,
)
from mintage.report.palette import _TOKENS

COLOURS = frozenset(pair[0] for pair in _TOKENS.values())
CONFUSION = Confusion(classes=("EWR", "JFK", "LGA"), counts=((8, 1, 1), (2, 6, 2), (0, 0, 0)))
PREDICTED = Predicted(
    points=tuple((float(i), i + 0.5) for i in range(900)), means=((1.0, 2.0, 900),), rows=900, target="minutes"
)
RESIDUALS = Residuals(
    bins=(ResidualBin(low=-2.0, high=0.0, rows=30), ResidualBin(low=0.0, high=2.0, rows=10)), summary="Mean -0.1."
)


def view(**parts: object) -> CertificateView:
    given = {"identity": Identity(model="m", root="sha256:00"), "verdict": "PASS", "sentence": "Yes."}
    return CertificateView(**(given | parts))  # type: ignore[arg-type]


def charts() -> list:
    return [confusion_chart(CONFUSION), predicted_chart(PREDICTED), residuals_chart(RESIDUALS)]


def test_the_numbers_behind_each_picture_are_told_beside_it() -> None:
    confusion, predicted, residuals = charts()
    assert confusion.columns == ("true class", "rows", "EWR", "JFK", "LGA")
    assert confusion.rows == (("EWR", "10", "8", "1", "1"), ("JFK", "10", "2", "6", "2"), ("LGA", "0", "0", "0", "0"))
    assert "14 of 20 hold-out rows" in confusion.alt and "80 %" in confusion.wide
    assert predicted.rows == (("2", "1", "900"),) and "400 of 900 rows" in predicted.alt.replace("hold-out ", "")
    assert residuals.rows[0] == ("−2", "0", "30", "75 %") and residuals.note == "Mean -0.1."


def test_the_pictures_use_colours_with_a_dark_twin_and_fit_a_phone() -> None:
    for chart in charts():
        picture = ElementTree.fromstring(chart.narrow)
        assert float(picture.attrib["viewBox"].split()[2]) < 400, chart.name
        for element in picture.iter():
            for name in ("fill", "stroke"):
                assert element.get(name) in {None, "none", "transparent", *COLOURS}, (chart.name, element.attrib)


def test_names_of_classes_are_text_whatever_they_say() -> None:
    names = ('<script>alert("1")</script>', "datum.x", "\u202eevil")
    chart = confusion_chart(Confusion(classes=names, counts=CONFUSION.counts))
    assert chart is not None and "<script" not in chart.wide and "\u202e" not in chart.wide
    page = render_certificate(view(task="multiclass", confusion=Confusion(classes=names, counts=CONFUSION.counts)))
    assert "<script" not in page and "\u202e" not in page


def test_long_names_that_are_cut_to_one_stay_apart() -> None:
    names = ("a very long name of a class: one", "a very long name of a class: two", "c")
    chart = confusion_chart(Confusion(classes=names, counts=CONFUSION.counts))
    assert chart is not None and len(set(chart.columns)) == 5


def test_nothing_is_drawn_of_nothing() -> None:
    assert confusion_chart(Confusion(classes=("a",), counts=((0,),))) is None
    assert predicted_chart(Predicted(points=(), means=(), rows=0)) is None
    assert residuals_chart(Residuals(bins=())) is None


@pytest.mark.parametrize(
    ("task", "parts", "shown"),
    [
        ("multiclass", {"confusion": CONFUSION}, {"confusion"}),
        ("regression", {"predicted": PREDICTED, "residuals": RESIDUALS}, {"predicted", "residuals"}),
    ],
)
def test_a_page_speaks_of_the_pictures_of_its_task_alone(task: str, parts: dict, shown: set) -> None:
    given = view(task=task, **parts)
    assert set(certificate_charts(given)) == shown
    page = render_certificate(given)
    assert "ROC" not in page
    assert ("No confusion matrix" in page, "No residuals" in page) == (False, False)
    assert ("Residuals on the hold-out" in page) == (task == "regression")
