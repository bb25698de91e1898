"""Write runs in the layouts of MLflow: as files (as 2.x and 3.x write them), and as a SQLite database (as 3.x does).

It imports the standard library alone, so that the script of a stage can use it in place of MLflow.
"""

import math
import sqlite3
import uuid
from pathlib import Path

__all__ = ["add_model", "new_run", "write_database", "write_files"]

_STATUS = {"FINISHED": 3, "FAILED": 4}
_INSERT = {"params": "INSERT INTO params VALUES (?,?,?)", "tags": "INSERT INTO tags VALUES (?,?,?)"}
_TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
    lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT,
    end_time BIGINT, lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER);
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT,
    is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE latest_metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN,
    run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE logged_models (model_id VARCHAR(36) PRIMARY KEY, name VARCHAR(500), artifact_location VARCHAR(1000),
    lifecycle_stage VARCHAR(32), source_run_id VARCHAR(32));
"""


def new_run(name, *, parent=None, params=(), tags=(), metrics=(), at=1_000, **about):
    """A run as a dict; ``metrics`` are (key, value, step, time)."""
    made = {"id": uuid.uuid4().hex, "name": name, "params": dict(params), "tags": dict(tags), "metrics": list(metrics)}
    made["tags"]["mlflow.runName"] = name
    if parent is not None:
        made["tags"]["mlflow.parentRunId"] = parent["id"]
    return {"status": "FINISHED", "stage": "active", "at": at, "files": {}, **made, **about}


def write_files(store, runs):
    """The folder ``mlruns``, with experiment 0; the runs' files go into it too."""
    experiment = Path(store, "0")
    Path(store, ".trash").mkdir(parents=True)
    _text(
        experiment / "meta.yaml",
        f"artifact_location: {experiment.absolute().as_uri()}\nexperiment_id: '0'\nname: Default\n",
    )
    for run in runs:
        folder = experiment / run["id"]
        uri = run.get("uri", (folder / "artifacts").absolute().as_uri())
        _text(
            folder / "meta.yaml",
            f"artifact_uri: {uri}\nend_time: {run['at'] + 9}\nexperiment_id: '0'\nlifecycle_stage: {run['stage']}\n"
            f"run_id: {run['id']}\nrun_name: {run['name']}\nrun_uuid: {run['id']}\nstart_time: {run['at']}\n"
            f"status: {_STATUS[run['status']]}\ntags: []\n",
        )
        for kind in ("params", "tags"):
            for key, value in run[kind].items():
                _text(folder / kind / key, value)
        for key in {key for key, *_ in run["metrics"]}:
            lines = [f"{at} {value} {step}\n" for name, value, step, at in run["metrics"] if name == key]
            _text(folder / "metrics" / key, "".join(lines))
        for name, text in run["files"].items():
            _text(folder / "artifacts" / name, text)


def write_database(path, runs, *, artifacts="mlruns"):
    """The database, and the runs' files below the folder ``artifacts``."""
    connection = sqlite3.connect(path)
    connection.executescript(_TABLES)
    connection.execute(
        "INSERT INTO experiments VALUES (0, 'Default', ?, 'active')", (str(Path(artifacts, "0").absolute()),)
    )
    for run in runs:
        folder = Path(artifacts, "0", run["id"], "artifacts").absolute()
        row = (
            run["id"],
            run["name"],
            run["status"],
            run["at"],
            run["at"] + 9,
            run["stage"],
            run.get("uri", str(folder)),
        )
        connection.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,0)", row)
        for kind in ("params", "tags"):
            rows = [(key, value, run["id"]) for key, value in run[kind].items()]
            connection.executemany(_INSERT[kind], rows)
        for key, value, step, at in run["metrics"]:
            nan = math.isnan(value)
            stored = 0 if nan else max(-1.7976931348623157e308, min(value, 1.7976931348623157e308))
            connection.execute(
                "INSERT OR IGNORE INTO metrics VALUES (?,?,?,?,?,?)", (key, stored, at, run["id"], step, nan)
            )
        for name, text in run["files"].items():
            _text(folder / name, text)
    connection.commit()
    connection.close()


def add_model(run, name, data, *, file="model.pkl", flavour="sklearn", key="pickled_model"):
    """Let the run have a logged model among its files, as MLflow 2 does."""
    run["files"][f"{name}/MLmodel"] = f"artifact_path: {name}\nflavors:\n  {flavour}:\n    {key}: {file}\n"
    if data is not None:
        run["files"][f"{name}/{file}"] = data


def _text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
