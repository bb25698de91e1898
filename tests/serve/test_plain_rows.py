"""Plain JSON over HTTP: one row or a list of rows in, named answers out, the same numbers as the protocol gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hand_made import TASKS
from hypothesis import given
from hypothesis import strategies as st
from serve_gateways import Environment
from serve_models import small_score
from serve_tasks import build_task_model

from mintage.model.signature import Input
from mintage.model.validate import column_check
from mintage.serve.control import stop_gateway
from mintage.serve.desired import Desired, Placement, Target, write_desired
from mintage.serve.openapi import input_schema, openapi
from mintage.serve.predictionlog import read_predictions
from mintage.serve.unusual import unusual_rows

JSON = {"content-type": "application/json"}


def predict(client, body, *, path="/predict/late"):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.ask("POST", path, text, JSON)


def test_one_row_gets_its_answer_by_name_and_is_logged_under_its_id(gateway, client, models):
    row = {"x": 0.1, "y": None, "name": "a", "id": "plain-1", "at": "2013-08-01T17:30:00"}
    status, answer = predict(client, row)
    score = small_score(0.1, None, "a")
    assert status == 200
    assert answer.pop("score") == pytest.approx(score, abs=1e-15)
    head = {"model": "late", "version": models[0].root, "id": "plain-1", "variant": "champion"}
    assert answer == head | {"label": 1, "class": "1"}
    log = read_predictions(gateway.dir, "late")
    (logged,) = [row for row in log.to_pylist() if row["request_id"] == "plain-1"]
    assert (logged["f.x"], logged["f.name"], str(logged["event_time"])) == (0.1, "a", "2013-08-01 17:30:00")


def test_a_list_of_rows_gets_a_list_of_answers_with_what_is_unusual_in_each(client):
    rows = [{"x": x, "y": 0.5, "name": name} for x, name in ((0.5, "a"), (2000.0, "c"), (-0.5, None))]
    status, answer = predict(client, rows)
    assert status == 200
    assert [row["score"] for row in answer["rows"]] == pytest.approx(
        [small_score(row["x"], 0.5, row["name"]) for row in rows], abs=1e-15
    )
    assert [row.get("unusual") for row in answer["rows"]] == [
        None,
        {"x": "-1000 to 1000", "name": "one of a, b"},
        None,
    ]


WRONG = {
    "no JSON": (b"{", 400, "serve.not-json", None),
    "a number": (b"1", 400, "serve.request-malformed", None),
    "no rows": (b"[]", 400, "serve.empty-batch", None),
    "a row that is none": (b'[{"x": 1, "y": 1, "name": "a"}, 7]', 400, "serve.request-malformed", "row 1"),
    "an input less": ({"x": 1, "y": 1}, 400, "input.missing", "row 0"),
    "an input more": ({"x": 1, "y": 1, "name": "a", "z": 1}, 400, "input.unknown", "row 0"),
    "an id in a list": ([{"x": 1, "y": 1, "name": "a", "id": "q"}], 400, "input.unknown", "row 0"),
    "text for a number": ([{"x": 1, "y": 1, "name": "a"}, {"x": "1", "y": 1, "name": "a"}], 400, "input.type", "row 1"),
    "true for a number": ({"x": True, "y": 1, "name": "a"}, 400, "input.type", "row 0"),
    "a number for text": ({"x": 1, "y": 1, "name": 3}, 400, "input.type", "row 0"),
    "a number that a double does not hold": ({"x": 2**53 + 1, "y": 1, "name": "a"}, 400, "input.type", "row 0"),
    "null where none may be": ({"x": None, "y": 1, "name": "a"}, 422, "input.null", "row 0"),
    "an id that is none": ({"x": 1, "y": 1, "name": "a", "id": ""}, 400, "serve.request-id", "id"),
    "a time that is none": ({"x": 1, "y": 1, "name": "a", "at": 7}, 400, "serve.event-time", "parameters.event_time"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_row_is_named(client, case):
    body, status, code, where = WRONG[case]
    found, answer = predict(client, body)
    assert (found, answer["code"], answer.get("where")) == (status, code, where)


def test_too_many_rows_another_type_and_another_method_are_refused(client):
    row = {"x": 1, "y": 1, "name": "a"}
    assert predict(client, [row] * 10_001)[0] == 413
    assert client.ask("POST", "/predict/late", json.dumps(row), {"content-type": "text/csv"})[0] == 415
    assert client.ask("GET", "/predict/late")[0] == 405
    assert predict(client, row, path="/predict/early")[1]["code"] == "serve.model-unknown"


MLFLOW = {
    "split": {
        "dataframe_split": {"index": [0, 1], "columns": ["name", "x", "y"], "data": [["a", 0.5, None], ["b", 1, 2]]}
    },
    "records": {"dataframe_records": [{"x": 0.5, "y": None, "name": "a"}, {"x": 1, "y": 2, "name": "b"}]},
    "columns": {"inputs": {"x": [0.5, 1], "y": [None, 2], "name": ["a", "b"]}},
    "instances": {"instances": [{"x": 0.5, "y": None, "name": "a"}, {"x": 1, "y": 2, "name": "b"}]},
}


@pytest.mark.parametrize("way", MLFLOW)
def test_bodies_of_mlflows_protocol_are_answered(client, way):
    status, answer = predict(client, MLFLOW[way], path="/invocations")
    assert status == 200
    expected = [small_score(0.5, None, "a"), small_score(1, 2, "b")]
    assert [row["score"] for row in answer["predictions"]] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "serve.request-malformed"),
        ({"dataframe_records": []}, "serve.request-malformed"),
        ({"inputs": {"x": [1], "y": []}}, "serve.request-malformed"),
        ({"dataframe_split": {"columns": ["x"], "data": [[1, 2]]}}, "serve.request-malformed"),
        ({"instances": [{"x": 1}], "dataframe_records": [{"x": 1}]}, "serve.request-malformed"),
        ({"instances": [{"x": 1}], "params": {"a": 1}}, "serve.request-malformed"),
        ({"rows": [{"x": 1}]}, "serve.request-malformed"),
        ({"instances": [{"x": 1}]}, "input.missing"),
        (b"x", "serve.not-json"),
    ],
)
def test_what_is_wrong_with_a_body_of_mlflows_protocol_is_named(client, body, code):
    status, answer = predict(client, body, path="/invocations")
    assert (status, answer["code"]) == (400, code)


@pytest.fixture(scope="module")
def every_task(tmp_path_factory, signer):
    """A gateway with a model of each task, its client, and the models' packages."""
    folder = tmp_path_factory.mktemp("tasks")
    built = {task.replace(" ", "-"): build_task_model(task, folder / task.replace(" ", "-"), signer) for task in TASKS}
    environment = Environment(tmp_path_factory.mktemp("every-task"))
    placements = {
        name: Placement(champion=Target(root=model.root, folder=str(model.folder)))
        for name, (model, _) in built.items()
    }
    write_desired(environment.dir, Desired(generation=1, models=placements))
    environment.start()
    client = environment.client()
    yield client, {name: package for name, (_, package) in built.items()}
    client.close()
    stop_gateway(environment.dir)


def numbers_of(answer):
    """All numbers of an answer with fractions, in their order."""
    found = []
    for name, value in answer.items():
        if name.startswith(("probabilities", "value")):
            found += list(value.values()) if isinstance(value, dict) else [value]
    return found


@pytest.mark.parametrize("task", [task.replace(" ", "-") for task in TASKS])
def test_each_task_gives_the_golden_answers(every_task, task):
    client, packages = every_task
    golden = packages[task].golden
    columns = {name: column.tolist() for name, column in golden.columns.items()}
    rows = [
        {name: None if value != value else value for name, value in zip(columns, cells, strict=True)}  # noqa: PLR0124 NaN
        for cells in zip(*columns.values(), strict=True)
    ]
    status, answer = predict(client, rows, path=f"/predict/{task}")
    assert status == 200
    values = golden.values[:, 1:] if task == "binary" else golden.values
    given = [[row["score"]] if task == "binary" else numbers_of(row) for row in answer["rows"]]
    np.testing.assert_allclose(given, values, rtol=0, atol=1e-12)
    if task == "two-targets":
        names = [["no", "yes"][row[0]] for row in golden.labels.tolist()]
        assert [row["class.late"] for row in answer["rows"]] == names


def test_the_openapi_document_says_what_each_model_takes_and_gives(every_task):
    client, packages = every_task
    status, document = client.ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    for task, package in packages.items():
        post = document["paths"][f"/predict/{task}"]["post"]
        row = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
        assert row["required"] == [item.name for item in package.signature.inputs]
        assert row["properties"]["carrier"] == {"type": "string", "enum": ["UA", "DL", "B6"]}
        assert row["properties"]["dep delay"]["type"] == ["number", "null"]
        answer = post["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"][0]["properties"]
        _, given = predict(
            client, dict(zip(row["required"], ["Flughafen 001", "UA", 1, 2], strict=True)), path=f"/predict/{task}"
        )
        assert set(given) <= set(answer)
        assert set(answer) - set(given) == {"unusual"}
    for path, ways in document["paths"].items():
        if "get" in ways:
            assert client.ask("GET", path)[0] == 200
    assert "security" not in document
    assert openapi({}, version="1", has_tokens=True)["security"] == [{"token": []}]


def test_what_the_model_refuses_is_in_the_schema_and_what_is_unusual_in_words():
    closed = Input(name="n", datatype="FP64", nullable=False, range=(0.0, None), closed=True)
    assert input_schema(closed) == {"type": "number", "minimum": 0.0}
    open_text = Input(name="t", datatype="BYTES", categories=("a", "b"), about="a letter")
    assert input_schema(open_text) == {
        "type": ["string", "null"],
        "examples": ["a", "b"],
        "description": "usually one of a, b; a letter",
    }


@given(
    low=st.none() | st.integers(-5, 0),
    high=st.none() | st.integers(0, 5),
    known=st.none() | st.lists(st.integers(-3, 3), min_size=1),
    values=st.lists(st.integers(-9, 9) | st.none(), min_size=1),
)
def test_the_rows_that_are_unusual_are_as_many_as_the_runtime_flags(low, high, known, values):
    item = Input(
        name="n", datatype="FP64", range=(low, high), categories=None if known is None else tuple(map(float, known))
    )
    column = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    assert int(unusual_rows(item, column).sum()) == column_check(item, "missing")(column)[1]
    text = Input(name="t", datatype="BYTES", categories=item.categories and tuple(map(str, item.categories)))
    texts = np.array([None if value is None else str(float(value)) for value in values], dtype=object)
    assert int(unusual_rows(text, texts).sum()) == column_check(text, "missing")(texts)[1]


def test_mlflows_protocol_names_no_model_so_one_must_be_live(every_task):
    client, _ = every_task
    status, answer = predict(client, {"instances": [{"x": 1}]}, path="/invocations")
    assert (status, answer["code"]) == (404, "serve.model-unknown")
    assert "5 models are live" in answer["error"]
