import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mintage.errors import RecordInvalidError, UsageError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes, blake3_file, parse_digest, sha256_bytes, sha256_file
from mintage.record.envelope import Record, decode, encode, record_id
from mintage.record.manifest import DataManifest, Entry, decode_manifest, encode_manifest, safe_path
from mintage.record.names import check_name, escape_name, unescape_name

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé", max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(value):
    def turned(item):
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(item)}
        return [turned(part) for part in item] if isinstance(item, list) else item

    assert canonical_bytes(value) == canonical_bytes(turned(value))


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(1e-4, 2.0**54)
    | st.floats(-1e3, 1e3)
    | st.decimals(0, 10**9, places=3).map(float)
    | st.text(st.characters(max_codepoint=127)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(max_codepoint=255), max_size=4), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(plain_values | json_values)
def test_canonical_bytes_are_those_of_the_rfc_also_where_they_are_written_faster(value):
    assert canonical_bytes(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("text", ["".join(map(chr, range(128))), '"\\/', "\U0001f600\ue000", "\x7f\x80"])
def test_canonical_text_and_keys_are_escaped_and_sorted_as_the_rfc_says(text):
    value = {**dict.fromkeys(text, 1), "all": text}
    assert canonical_bytes(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, 10**400, {1: 2}, object()])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(RecordInvalidError):
        canonical_bytes(value)


@given(st.binary(max_size=3_000_000))
def test_a_file_and_its_bytes_have_the_same_digests(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("digest") / "file"
    path.write_bytes(data)
    assert blake3_file(path) == blake3_bytes(data)
    assert sha256_file(path) == sha256_bytes(data)


@pytest.mark.parametrize("text", ["", "b3:", "b3:" + "g" * 64, "md5:" + "0" * 64, "b3:" + "A" * 64, "b3:" + "0" * 63])
def test_what_is_not_a_digest_is_refused(text):
    with pytest.raises(RecordInvalidError):
        parse_digest(text)


@given(st.dictionaries(st.text("ab", min_size=1), json_values, max_size=4))
def test_a_record_survives_the_trip_through_bytes(body):
    record = Record(kind="run", version=0, upstream=("b3:" + "1" * 64,), body=body)
    assert record_id(decode(encode(record))) == record_id(record)


def test_a_record_of_another_kind_or_with_unknown_fields_is_refused():
    data = encode(Record(kind="run", version=0, upstream=(), body={}))
    with pytest.raises(RecordInvalidError, match="another kind"):
        decode(data, kind="model")
    with pytest.raises(RecordInvalidError, match="malformed"):
        decode(data[:-1] + b',"extra":1}')


def test_a_record_cannot_name_what_is_not_a_digest():
    with pytest.raises(RecordInvalidError):
        encode(Record(kind="run", version=0, upstream=("HEAD",), body={}))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_escaped_names_come_back_and_are_safe_file_names(name):
    escaped = escape_name(name)
    assert unescape_name(escaped) == name
    assert "/" not in escaped and "\0" not in escaped and not escaped.startswith(".")


@given(st.text("aAbB/.", min_size=1, max_size=12), st.text("aAbB/.", min_size=1, max_size=12))
def test_different_names_stay_different_on_a_case_blind_disk(one, other):
    if one != other:
        assert escape_name(one).casefold() != escape_name(other).casefold()


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", "a/b", "x" * 65, "ä"])
def test_a_bad_name_for_a_model_is_refused(name):
    with pytest.raises(UsageError):
        check_name(name, what="model")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\\b", "a\nb", "a/"])
def test_paths_that_leave_their_folder_are_refused(path):
    with pytest.raises(RecordInvalidError):
        safe_path(path)


def _entry(path):
    return Entry(path=path, digest="b3:" + "0" * 64, size=1)


@pytest.mark.parametrize(
    "entries", [(_entry("b"), _entry("a")), (_entry("a"), _entry("a")), (_entry("../a"),), (_entry("/a"),)]
)
def test_a_manifest_with_unsorted_repeated_or_unsafe_paths_is_refused(entries):
    with pytest.raises(RecordInvalidError):
        decode_manifest(encode_manifest(DataManifest(entries=entries)))
