import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mintage.errors import FileMalformedError
from mintage.release.manifest import Challenger, Manifest, Released, encode_release, manifest_path, parse_release

WHERE = "releases/production/late.yaml"


def released(digit, **more):
    kind = Challenger if "share" in more else Released
    return kind(root="sha256:" + digit * 64, record="b3:" + digit * 64, certificate="b3:" + digit * 64, **more)


MANIFEST = Manifest(
    model="late",
    environment="production",
    champion=released("1"),
    challenger=released("2", share=0.25),
    policy="policies/late.yaml",
    salt="late-1",
    why="the first",
)
TEXT = encode_release(MANIFEST).decode()


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@example(why="one\x85two", share=0.5, salt="\u2028", decision=None)
@given(why=WORDS, share=st.floats(0.001, 0.999), salt=WORDS, decision=st.none() | WORDS)
@settings(max_examples=60)
def test_what_is_written_is_read_back(why, share, salt, decision):
    manifest = msgspec.structs.replace(
        MANIFEST, why=why, salt=salt, decision=decision, challenger=released("2", share=share)
    )
    assert parse_release(encode_release(manifest), where=WHERE) == manifest


def test_the_path_names_environment_and_model():
    assert manifest_path("production", "late") == WHERE


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("root: sha256:1", "root: sha256:x", ":5:3", "sha256"),
        ("record: b3:1", "record: sha256:1", ":6:3", "b3"),
        ("share: 0.25", "share: 1.5", ":15:3", "< 1.0"),
        ("share: 0.25", "share: 0", ":15:3", "> 0.0"),
        ("champion:", "champoin:", ":4:1", "did you mean 'champion'?"),
        ("model: late", "model: ../late", ":2:1", "not a name for a model"),
        ("model: late", "model: early", ":2:1", "not for the place it lies in"),
        ("environment: production", "environment: staging", ":2:1", "not for the place it lies in"),
        ("model: late", "version: 3\nmodel: late", ":2:1", "unknown version"),
        ("root: sha256:" + "2" * 64, "root: sha256:" + "1" * 64, ":12:3", "the challenger is the champion"),
        ("salt: late-1", "salt: [late-1", ":10:", "not valid YAML"),
        ("why: the first", "why: !!python/object:os.system x", "", "YAML"),
    ],
)
def test_a_wrong_manifest_names_line_and_column(old, new, place, said):
    assert TEXT.count(old) == 1
    with pytest.raises(FileMalformedError) as caught:
        parse_release(TEXT.replace(old, new).encode(), where=WHERE)
    error = caught.value
    assert error.where.startswith(f"{WHERE}{place}")
    assert said in f"{error.message} {error.expected} {error.found} {error.hint}"


@pytest.mark.parametrize("data", [b"", b"- 1\n", b"\xff", b"champion: 7\n", TEXT[:200].encode()])
def test_what_is_no_manifest_is_refused(data):
    with pytest.raises(FileMalformedError):
        parse_release(data, where=WHERE)
