"""Models of every task behind one gateway and in files: their outputs by name, and what the log has of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hand_made import TASKS, hand_made
from serve_gateways import Environment
from serve_tasks import build_task_model, golden_tensors

from mintage.errors import DesiredInvalidError
from mintage.model.runtime import Prediction
from mintage.serve.batch import predict_file
from mintage.serve.control import stop_gateway
from mintage.serve.desired import Challenger, Desired, Placement, Target, write_desired
from mintage.serve.outputs import outputs_of
from mintage.serve.predictionlog import Entry, compact, encode_entry, read_predictions, spool_dir
from mintage.serve.routes import load_route
from mintage.serve.spool import Segment

OTHERS = [task for task in TASKS if task != "binary"]
JSON = {"content-type": "application/json"}
NAMES = {
    "binary": {"score": ("FP64", [200]), "label": ("INT64", [200])},
    "multiclass": {"probabilities": ("FP64", [200, 3]), "label": ("INT64", [200]), "class": ("BYTES", [200])},
    "regression": {"value": ("FP64", [200])},
    "two regressions": {"value": ("FP64", [200, 2])},
    "two targets": {
        "probabilities.late": ("FP64", [200, 2]),
        "label.late": ("INT64", [200]),
        "class.late": ("BYTES", [200]),
        "probabilities.cause": ("FP64", [200, 3]),
        "label.cause": ("INT64", [200]),
        "class.cause": ("BYTES", [200]),
    },
}


def path_of(task):
    return f"/v2/models/{task.replace(' ', '-')}"


@pytest.fixture(scope="module")
def built(tmp_path_factory, signer):
    folder = tmp_path_factory.mktemp("tasks")
    return {task: build_task_model(task, folder / task, signer) for task in TASKS}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, built):
    environment = Environment(tmp_path_factory.mktemp("every task"))
    models = {
        task.replace(" ", "-"): Placement(champion=Target(root=model.root, folder=str(model.folder)))
        for task, (model, _) in built.items()
    }
    write_desired(environment.dir, Desired(generation=1, models=models))
    environment.start()
    yield environment
    stop_gateway(environment.dir)


def infer(client, task, package, **members):
    body = json.dumps({"inputs": golden_tensors(package), **members})
    status, answer = client.ask("POST", f"{path_of(task)}/infer", body, JSON)
    assert status == 200, answer
    return {output["name"]: output for output in answer["outputs"]}


@pytest.mark.parametrize("task", TASKS)
def test_each_task_answers_the_golden_values_by_name_and_shape(client, built, task):
    package = built[task][1]
    found = infer(client, task, package)
    assert {name: (output["datatype"], output["shape"]) for name, output in found.items()} == NAMES[task]
    numbers = [np.array(output["data"]).reshape(200, -1) for output in found.values() if output["datatype"] == "FP64"]
    wanted = package.golden.values[:, 1:] if task == "binary" else package.golden.values
    assert np.concatenate(numbers, axis=1).tolist() == wanted.tolist()
    labels = [output["data"] for output in found.values() if output["datatype"] == "INT64"]
    assert [list(row) for row in zip(*labels, strict=True)] == (package.golden.labels.tolist() if labels else [])


def test_a_class_is_its_own_name_beside_its_place(client, built):
    found = infer(client, "two targets", built["two targets"][1])
    assert found["class.late"]["data"] == [("no", "yes")[place] for place in found["label.late"]["data"]]
    assert found["class.cause"]["data"] == [("1", "2", "3")[place] for place in found["label.cause"]["data"]]
    assert set(found["class.late"]["data"]) == {"no", "yes"}


@pytest.mark.parametrize("task", TASKS)
def test_the_metadata_lists_what_is_answered(client, built, task):
    outputs = client.ask("GET", path_of(task))[1]["outputs"]
    expected = {name: (kind, [-1, *shape[1:]]) for name, (kind, shape) in NAMES[task].items()}
    assert {output["name"]: (output["datatype"], output["shape"]) for output in outputs} == expected
    classes = {output["name"]: output["parameters"]["classes"] for output in outputs if "parameters" in output}
    if task == "multiclass":
        assert classes == {"probabilities": ["1", "2", "3"], "label": ["1", "2", "3"]}
    elif task != "two targets":
        assert classes == {}


def test_one_output_of_many_may_be_asked_for(client, built):
    found = infer(client, "two targets", built["two targets"][1], outputs=[{"name": "class.cause"}])
    assert list(found) == ["class.cause"]


@pytest.mark.parametrize("task", OTHERS)
def test_the_log_has_all_numbers_and_labels_of_a_row_spooled_or_compacted(gateway, client, built, task):
    package = built[task][1]
    infer(client, task, package, id=f"log of {task}")
    log = read_predictions(gateway.dir, path_of(task).rpartition("/")[2])
    rows = log.filter(pa.compute.equal(log["request_id"], f"log of {task}")).sort_by("row")
    assert rows["values"].to_pylist() == package.golden.values.tolist()
    assert rows["labels"].to_pylist() == package.golden.labels.tolist()
    assert rows["score"].null_count == rows["label"].null_count == 200


def test_compacting_keeps_every_number_and_adds_no_score(tmp_path):
    segment = Segment(spool_dir(tmp_path))
    rest = {"root": "sha256:" + "a" * 64, "variant": "champion", "source": "http", "ts": 1, "event_time": None}
    values, labels = [[0.1, 2.5], [None, -1.0]], [[], []]
    entry = Entry(
        version=0, request_id="r", model="m", latency_us=1, scores=values, labels=labels, numbers={}, texts={}, **rest
    )
    segment.append(encode_entry(entry))
    segment.close()
    compact(segment.path, tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    with pq.ParquetFile(path) as file:
        table = file.read()
    assert (table["values"].to_pylist(), table["labels"].to_pylist()) == (values, labels)
    assert not {"score", "label"} & set(table.column_names)


@pytest.mark.parametrize("task", TASKS)
def test_a_file_gets_a_column_for_each_number_and_each_label(tmp_path, built, task):
    model, package = built[task]
    route = load_route(
        "m", Placement(champion=Target(root=model.root, folder=str(model.folder))), now=datetime.now(UTC)
    )
    table = pa.table({name: pa.array(column, from_pandas=True) for name, column in package.golden.columns.items()})
    pq.write_table(table, tmp_path / "in.parquet")
    predict_file(tmp_path / "in.parquet", tmp_path / "out.parquet", route=route, envdir=tmp_path / "env")
    with pq.ParquetFile(tmp_path / "out.parquet") as file:
        out = file.read().drop_columns([*table.column_names, "request_id", "model_root", "variant"])
    names = {
        "binary": ["score", "label"],
        "multiclass": ["probabilities.1", "probabilities.2", "probabilities.3", "label", "class"],
        "regression": ["value"],
        "two regressions": ["value.late", "value.cause"],
        "two targets": [
            *("probabilities.late.no", "probabilities.late.yes", "label.late", "class.late"),
            *(f"probabilities.cause.{place}" for place in (1, 2, 3)),
            *("label.cause", "class.cause"),
        ],
    }
    assert out.column_names == names[task]
    numbers = [out[name].to_pylist() for name in out.column_names if pa.types.is_floating(out[name].type)]
    wanted = package.golden.values[:, 1:] if task == "binary" else package.golden.values
    assert np.array(numbers).T.tolist() == wanted.tolist()
    labels = [out[name].to_pylist() for name in out.column_names if pa.types.is_integer(out[name].type)]
    assert np.array(labels).T.tolist() == (package.golden.labels.tolist() if labels else [])
    log = read_predictions(tmp_path / "env", "m")
    assert log.num_rows == 200
    if task != "binary":
        assert sorted(log["values"].to_pylist()) == sorted(package.golden.values.tolist())
        assert sorted(log["labels"].to_pylist()) == sorted(package.golden.labels.tolist())
    predict_file(tmp_path / "in.parquet", tmp_path / "out.csv", route=route, envdir=tmp_path / "env")
    assert pa_csv.read_csv(tmp_path / "out.csv").column_names[-len(names[task]) :] == names[task]


def test_a_challenger_of_another_task_is_refused(built):
    champion, rival = built["multiclass"][0], built["regression"][0]
    placement = Placement(
        champion=Target(root=champion.root, folder=str(champion.folder)),
        challenger=Challenger(root=rival.root, folder=str(rival.folder), share=0.5),
    )
    with pytest.raises(DesiredInvalidError, match="gives other outputs than the champion"):
        load_route("m", placement, now=datetime.now(UTC))


def test_what_is_not_finite_is_null_for_callers_and_in_the_log():
    outputs = outputs_of(hand_made("two regressions").signature)
    value = np.array([[1.0, np.nan], [np.inf, 2.0]])
    tensors, values, labels = outputs.give(Prediction({"value": value}, {}), 2)
    assert tensors[0].data == [1.0, None, None, 2.0]
    assert (values, labels) == ([[1.0, None], [None, 2.0]], [[], []])
