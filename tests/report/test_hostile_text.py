"""Whatever a view says is text: in the page, in its attributes and in its charts."""

import types
import typing

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mintage.report import render_certificate, render_story
from mintage.report.numbers import clean
from mintage.report.story import Event, ModelStory, ProofNode, Run, Story

HOSTILE = {
    "script": "<script>document.title='owned'</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "image": "'\"><img src=http://example.org/x onerror=alert(1)>",
    "close": "]]></style></title></svg></details></main><style>*{display:none}<!--",
    "expression": "{{ 7*7 }}{% include 'x' %}`${7*7}` datum.value; require('fs') //\\",
    "controls": "a\x00b\x1bc\ud800d\u202egnp.exe\u2066",
    "huge": "W" * 200_000,
    "lines": "one\n\n\ttwo\r\nthree",
    "empty": "",
}
_ELEMENTS = """
html head meta link title style body a div header nav ul ol li main section footer p h1 h2 h3 dl dt dd span strong code
time details summary table caption thead tbody tr th td figure figcaption svg g path line rect circle text wbr
"""
ALLOWED = frozenset(_ELEMENTS.split())


def poisoned(value: object, kind: object, text: str) -> object:
    """``value`` with every free text in it replaced; words from a fixed list stay."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, msgspec.Struct):
        hints = typing.get_type_hints(type(value))
        fields = {name: poisoned(getattr(value, name), hints[name], text) for name in value.__struct_fields__}
        return type(value)(**fields)
    if value is None or origin is typing.Literal:
        return value
    if origin in (types.UnionType, typing.Union):
        return poisoned(value, next(a for a in arguments if a is not type(None)), text)
    if isinstance(value, tuple):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(poisoned(one, of, text) for one, of in zip(value, kinds, strict=True))
    if isinstance(value, dict):
        return {text + key: one for key, one in value.items()}
    return text if isinstance(value, str) else value


def assert_harmless(page, text):
    assert page.unclosed == []
    assert page.misplaced == []
    assert {name for name, _ in page.elements} <= ALLOWED
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    targets = {a["href"] for name, a in page.elements if "href" in a}
    assert all(target.startswith("#") or target == "data:," for target in targets)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text_on_a_certificate(name, certificate_view, parse):
    html = render_certificate(poisoned(certificate_view, type(certificate_view), HOSTILE[name]))
    assert_harmless(parse(html), HOSTILE[name])
    html.encode()
    assert len(html) < 1_000_000
    assert not {"\x00", "\x1b", "\u202e", "\u2066"} & set(html)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text_in_a_story(name, story, parse):
    html = render_story(poisoned(story, type(story), HOSTILE[name]))
    assert_harmless(parse(html), HOSTILE[name])
    html.encode()
    assert len(html) < 1_000_000
    assert not {"\x00", "\x1b", "\u202e", "\u2066"} & set(html)


def test_escaped_text_reads_as_it_was_given(parse):
    name = '<b>&amp; "O\'Neil" {{ x }}'
    page = parse(render_story(Story(project=name)))
    assert f"The story of {name}" in page.text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_gives_a_well_formed_page(text, parse):
    node = ProofNode(word=text, title=text, state="failed", detail=text, digest=text)
    story = Story(
        project=text,
        events=(Event(word="run", title=text, at=text, detail=text, digest=text),),
        runs=(Run(id=text, name=text, started=text, metrics={text: 0.5}),),
        models=(ModelStory(model=text, live=text, proof=node),),
    )
    assert_harmless(parse(render_story(story)), text)


@given(text=st.text())
def test_cleaned_text_has_no_control_characters_and_a_bounded_length(text):
    cleaned = clean(text, 50)
    cleaned.encode()
    assert len(cleaned) <= 50
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in cleaned)
    assert clean(cleaned, 50) == cleaned
