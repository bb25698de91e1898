import json
import math
from datetime import datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.errors import (
    EmptyBatchError,
    EventTimeError,
    InputMissingError,
    InputShapeError,
    InputTypeError,
    InputUnknownError,
    MintageError,
    NotFiniteError,
    NotJsonError,
    OutputUnknownError,
    RequestIdError,
    RequestMalformedError,
    TooManyRowsError,
)
from mintage.serve.oip import (
    InferResponse,
    OutputTensor,
    encode_response,
    event_time_of,
    parse_request,
    request_columns,
    request_id_of,
    select_outputs,
)

INPUTS = {"x": "FP64", "name": "BYTES"}


def tensor(name="x", data=(1.5,), datatype="FP64", shape=None):
    return {"name": name, "shape": [len(data)] if shape is None else shape, "datatype": datatype, "data": list(data)}


def columns_of(*tensors, inputs=None, max_rows=100, **rest):
    body = json.dumps({"inputs": tensors, **rest}).encode()
    return request_columns(parse_request(body), inputs or {"x": "FP64"}, max_rows=max_rows)


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53))


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, st.none() | st.text(max_size=8)), min_size=1, max_size=20), st.booleans())
def test_columns_are_what_was_sent_whatever_the_order_and_the_form_of_the_shape(rows, nested):
    values, texts = [row[0] for row in rows], [row[1] for row in rows]
    if nested:
        shape = [len(rows), 1]
        sent = [tensor("x", [[v] for v in values], shape=shape), tensor("name", [[t] for t in texts], "BYTES", shape)]
    else:
        sent = [tensor("x", values), tensor("name", texts, "BYTES", [len(rows), 1])]
    columns, count = columns_of(*reversed(sent), inputs=INPUTS)
    assert list(columns) == ["x", "name"]
    assert count == len(rows)
    assert columns["name"].tolist() == texts
    for got, value in zip(columns["x"].tolist(), values, strict=True):
        assert math.isnan(got) if value is None else got == value


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused_with_a_typed_error(body):
    try:
        parse_request(body)
    except MintageError as error:
        assert error.code.startswith(("serve.", "input."))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["x", "name", "y"]),
                "shape": st.lists(st.integers(-1, 3), max_size=3),
                "datatype": st.sampled_from(["FP64", "FP32", "INT64", "INT32", "BYTES", "BOOL", ""]),
                "data": st.lists(json_values, max_size=3),
            }
        ),
        max_size=3,
    )
)
def test_any_tensors_become_full_columns_or_a_typed_error(tensors):
    body = msgspec.json.encode({"inputs": tensors})
    try:
        columns, rows = request_columns(parse_request(body), INPUTS, max_rows=2)
    except MintageError as error:
        assert error.code.startswith(("serve.", "input."))
    else:
        assert {name: len(column) for name, column in columns.items()} == {"x": rows, "name": rows}
        assert not np.isinf(columns["x"]).any()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", NotJsonError),
        (b"{", NotJsonError),
        (b"\xff\xfe", NotJsonError),
        (b'{"inputs": [NaN]}', NotJsonError),
        (b'{"parameters": {"deep": ' + b"[" * 100_000, NotJsonError),
        (b"[]", RequestMalformedError),
        (b"{}", RequestMalformedError),
        (b'{"inputs": 3}', RequestMalformedError),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64"}]}', RequestMalformedError),
        (b'{"inputs": [{"name": "x", "shape": [1.5], "datatype": "FP64", "data": [1]}]}', RequestMalformedError),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1e999]}]}', NotFiniteError),
    ],
)
def test_a_body_that_is_no_request_says_in_which_way(body, error):
    with pytest.raises(error):
        parse_request(body)


@pytest.mark.parametrize(
    ("tensors", "error"),
    [
        ([], InputMissingError),
        ([tensor("name", ["a"], "BYTES")], InputMissingError),
        ([tensor(), tensor("name", ["a"], "BYTES"), tensor("z")], InputUnknownError),
        ([tensor(), tensor(), tensor("name", ["a"], "BYTES")], InputShapeError),
        ([tensor(data=[])], EmptyBatchError),
        ([tensor(data=[1.0] * 101)], TooManyRowsError),
        ([tensor(shape=[10**12])], TooManyRowsError),
        ([tensor(shape=[])], InputShapeError),
        ([tensor(shape=[-1])], InputShapeError),
        ([tensor(shape=[1, 2], data=[1.0, 2.0])], InputShapeError),
        ([tensor(shape=[1, 1, 1])], InputShapeError),
        ([tensor(shape=[2])], InputShapeError),
        ([tensor(shape=[2, 1], data=[[1.0], 2.0])], InputShapeError),
        ([tensor(shape=[1, 1], data=[[1.0, 2.0]])], InputShapeError),
        ([tensor(data=[1.0, 2.0]), tensor("name", ["a"], "BYTES")], InputShapeError),
        ([tensor(datatype="FP16")], InputTypeError),
        ([tensor(datatype="BOOL", data=[True])], InputTypeError),
        ([tensor(datatype="BYTES", data=["1.5"])], InputTypeError),
        ([tensor("name", [1], "INT64")], InputTypeError),
        ([tensor(data=[True])], InputTypeError),
        ([tensor(data=["1.5"])], InputTypeError),
        ([tensor(data=[[1.0]])], InputTypeError),
        ([tensor(data=[{}])], InputTypeError),
        ([tensor(datatype="INT64", data=[1.5])], InputTypeError),
        ([tensor(datatype="INT64", data=[2**53 + 1])], InputTypeError),
        ([tensor(datatype="INT32", data=[-(2**31) - 1])], InputTypeError),
        ([tensor("name", [1.5], "BYTES")], InputTypeError),
        ([tensor(datatype="FP32", data=[1e39])], NotFiniteError),
    ],
)
def test_wrong_tensors_are_refused_each_with_its_own_error(tensors, error):
    with pytest.raises(error):
        columns_of(*tensors, inputs=INPUTS)


def test_the_row_of_a_wrong_value_is_named():
    with pytest.raises(InputTypeError) as caught:
        columns_of(tensor(data=[1.0, None, "two"]))
    assert caught.value.where == "x, row 2"
    with pytest.raises(NotFiniteError) as overflow:
        columns_of(tensor(data=[1.0, 1e39], datatype="FP32"))
    assert overflow.value.where == "x, row 1"


def test_an_fp32_value_is_the_nearest_float32():
    columns, _ = columns_of(tensor(data=[0.1], datatype="FP32"))
    assert columns["x"][0] == np.float64(np.float32(0.1))


def test_an_integer_beyond_all_floats_is_not_finite():
    request = parse_request(
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1' + b"0" * 400 + b"]}]}"
    )
    with pytest.raises(NotFiniteError):
        request_columns(request, {"x": "FP64"}, max_rows=1)


def request(**members):
    return parse_request(json.dumps({"inputs": [], **members}).encode())


def test_the_request_id_is_the_callers_wherever_it_put_it():
    assert request_id_of(request(id="a-1")) == "a-1"
    assert request_id_of(request(parameters={"request_id": "a-2"})) == "a-2"
    assert request_id_of(request(id="a-1", parameters={"request_id": "a-2"})) == "a-1"
    assert request_id_of(request()) is None


@pytest.mark.parametrize("bad", ["", "x" * 129, "line\nbreak", "\x00"])
def test_an_unusable_request_id_is_refused(bad):
    with pytest.raises(RequestIdError):
        request_id_of(request(id=bad))
    with pytest.raises(RequestIdError):
        request_id_of(request(parameters={"request_id": bad}))
    with pytest.raises(RequestIdError):
        request_id_of(request(parameters={"request_id": 7}))


def test_event_times_are_naive_and_those_with_an_offset_become_utc():
    assert event_time_of(request(parameters={"event_time": "2013-08-01T17:30:00"})) == datetime(2013, 8, 1, 17, 30)
    assert event_time_of(request(parameters={"event_time": "2013-08-01T17:30:00-04:00"})) == datetime(
        2013, 8, 1, 21, 30
    )
    assert event_time_of(request(parameters={"event_time": "2013-08-01"})) == datetime(2013, 8, 1)
    assert event_time_of(request()) is None
    for bad in ("yesterday", 7, "0001-01-01T00:00:00+14:00"):
        with pytest.raises(EventTimeError):
            event_time_of(request(parameters={"event_time": bad}))


def test_a_caller_gets_the_outputs_it_asks_for():
    available = (OutputTensor("score", "FP64", (1,), [0.5]), OutputTensor("label", "INT64", (1,), [1]))
    assert select_outputs(request(), available) == available
    assert [t.name for t in select_outputs(request(outputs=[{"name": "label"}]), available)] == ["label"]
    with pytest.raises(OutputUnknownError):
        select_outputs(request(outputs=[{"name": "logits"}]), available)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_scores_come_back_with_the_same_bits(scores):
    tensors = (OutputTensor("score", "FP64", (len(scores),), scores),)
    body = encode_response(
        InferResponse(model_name="m", model_version="v", id="i", parameters={"variant": "champion"}, outputs=tensors)
    )
    assert json.loads(body)["outputs"][0]["data"] == scores
