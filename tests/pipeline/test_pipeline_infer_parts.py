"""The decisions of inference, each on its own: files by their bytes, tables by who read them, ranges, targets."""

from __future__ import annotations

import pickle
from pathlib import Path

import joblib
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mintage.errors import DataError, ModelNotInferredError
from mintage.lower.extraction import Glance
from mintage.pipeline.estimator_file import HEAD_BYTES, estimator_kind, what_it_is
from mintage.pipeline.infer.finding import Finding
from mintage.pipeline.infer.render import Inferred, render_model_file
from mintage.pipeline.infer.roles import Roles, Table, assign_roles
from mintage.pipeline.infer.schema import infer_input, widen
from mintage.pipeline.infer.suggest_columns import suggest_columns
from mintage.pipeline.infer.target import Column, find_inputs, find_targets
from mintage.pipeline.table import labels_of, read_table
from mintage.repo.modelfile import InputSpec, parse_model_file

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_files_are_known_by_their_bytes(tmp_path: Path, compress: object) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump({"a": list(range(1000))}, path, compress=compress)
    kind = estimator_kind(path.name, path.read_bytes()[:HEAD_BYTES])
    assert kind is not None and kind.name == "pickle"


def test_native_formats_are_known_by_their_bytes(tmp_path: Path) -> None:
    catboost, lightgbm, xgboost = map(pytest.importorskip, ("catboost", "lightgbm", "xgboost"))
    rows, labels = [[float(n), float(n % 7)] for n in range(60)], [n % 2 for n in range(60)]
    xgb = xgboost.XGBClassifier(n_estimators=2).fit(rows, labels)
    xgb.save_model(tmp_path / "x.ubj")
    xgb.save_model(tmp_path / "x.json")
    lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, labels).booster_.save_model(tmp_path / "l.txt")
    model = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False).fit(rows, labels)
    model.save_model(str(tmp_path / "c.cbm"))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "metrics.json").write_text('{"auc": 0.9}')
    (tmp_path / "m.pkl").write_bytes(pickle.dumps([1]))
    heads = {path.name: path.read_bytes()[:HEAD_BYTES] for path in tmp_path.iterdir() if path.is_file()}
    names = {name: kind.name for name, head in heads.items() if (kind := estimator_kind(name, head)) is not None}
    wanted = {"x.ubj": "xgboost", "x.json": "xgboost", "l.txt": "lightgbm", "c.cbm": "catboost", "m.pkl": "pickle"}
    assert names == wanted


@pytest.mark.parametrize(
    ("name", "head", "what"),
    [
        ("m.pkl", b"<!DOCTYPE html>\n<html>", "a web page"),
        ("m.joblib", b"", "an empty file"),
        ("m.onnx", b"PK\x03\x04\x14", "a zip archive"),
        ("m.joblib", b"accuracy: 0.9\n", "a text"),
        (
            "m.cbm",
            b"version https://git-lfs.github.com/spec/v1",
            "a pointer of Git LFS; `git lfs pull` brings the file",
        ),
        ("m.pt2", b"\x80\x02}q\x00", "something else than a .pt2 file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told_by_what_it_is(name: str, head: bytes, what: str) -> None:
    assert estimator_kind(name, head) is None
    assert what_it_is(name, head) == what


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"\x80\x02\x8a"])
def test_weights_of_a_network_are_known_with_the_lines_that_save_its_program(head: bytes) -> None:
    kind = estimator_kind("runs/best.pth", head)
    assert kind is not None and 'torch.export.save(program, "model.pt2")' in str(kind.advice)


@given(st.text(max_size=30), st.binary(max_size=64))
def test_any_bytes_have_a_kind_or_none(name: str, head: bytes) -> None:
    kind = estimator_kind(f"{name}.pkl", head)
    assert kind is None or kind.name == "pickle"


@given(NUMBERS, NUMBERS)
def test_a_range_holds_what_was_seen_and_is_not_much_wider(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    wide_low, wide_high = widen(low, high)
    slack = 1e-9 * max(abs(low), abs(high))
    assert wide_low <= low + slack and high - slack <= wide_high
    assert wide_high - wide_low <= 1.5 * (high - low) + slack
    assert low < 0 or wide_low >= 0


def test_a_column_with_nan_is_nullable_and_one_of_infinities_has_no_range() -> None:
    assert infer_input(pa.chunked_array([[1.0, float("nan"), 3.0]]), kind="float").nullable
    spec = infer_input(pa.chunked_array([[float("inf"), float("inf")]]), kind="float")
    assert spec.range is None and not spec.nullable


def test_texts_that_hardly_repeat_have_no_categories() -> None:
    assert infer_input(pa.chunked_array([["a", "b", "a", "b"]]), kind="string").categories == ("a", "b")
    assert infer_input(pa.chunked_array([["a", "b", "c"]]), kind="string").categories is None


def _tables(*rows: tuple[str, str]) -> list[Table]:
    """Tables by name and who reads them, each of other bytes."""
    return [Table(path=name, digest=name, readers=tuple(readers.split())) for name, readers in rows]


@pytest.mark.parametrize(
    ("tables", "train", "validation", "holdout"),
    [
        ((("train.csv", "fit"), ("test.csv", "")), "train.csv", None, "test.csv"),
        ((("X_train.csv", "fit"), ("X_val.csv", "fit"), ("X_test.csv", "")), "X_train.csv", "X_val.csv", "X_test.csv"),
        ((("train.csv", "fit"), ("test.csv", ""), ("holdout.csv", "")), "train.csv", "test.csv", "holdout.csv"),
        ((("train.csv", "fit"), ("test.csv", "score")), "train.csv", "test.csv", None),
        ((("all.csv", "fit"),), "all.csv", None, None),
        ((("all.csv", "fit"), ("more.csv", "")), "all.csv", None, None),
        ((("a.csv", "fit"), ("b.csv", "fit")), None, None, None),
        ((("train.csv", "fit"), ("test_a.csv", ""), ("test_b.csv", "")), "train.csv", None, None),
        ((("contest.csv", "fit"), ("latest.csv", "")), "contest.csv", None, None),
    ],
)
def test_roles_rest_on_names_and_on_who_reads_what(
    tables: tuple[tuple[str, str], ...], train: str | None, validation: str | None, holdout: str | None
) -> None:
    roles = assign_roles(_tables(*tables), fitted_by="fit")
    found = [None if part is None else part.value for part in (roles.train, roles.validation, roles.holdout)]
    assert found == [train, validation, holdout]
    assert roles.holdout is not None or roles.why


def test_a_hold_out_of_the_same_bytes_as_the_training_rows_is_none() -> None:
    tables = [Table(path="train.csv", digest="x", readers=("fit",)), Table(path="test.csv", digest="x")]
    assert assign_roles(tables, fitted_by="fit").holdout is None


@given(st.lists(st.sampled_from(["train", "valid", "test", "holdout", "data"]), unique=True), st.data())
def test_nothing_that_any_stage_reads_becomes_a_hold_out(names: list[str], data: st.DataObject) -> None:
    tables = [
        Table(path=f"{name}.csv", digest=name, readers=data.draw(st.sampled_from([(), ("fit",), ("score",)])))
        for name in names
    ]
    holdout = assign_roles(tables, fitted_by="fit").holdout
    assert holdout is None or next(table for table in tables if table.path == holdout.value).readers == ()


def _glance(**changes: object) -> Glance:
    usual = {"task": "classifier", "classes": ((0, 1),), "names": ("a", "b"), "count": 2}
    return Glance(kind="estimator-glance", version=0, estimator="sklearn.X", **(usual | changes))  # type: ignore[arg-type]


COLUMNS = {
    "a": Column(name="a", kind="float", values=None),
    "b": Column(name="b", kind="int", values=frozenset((0, 1))),
    "y": Column(name="y", kind="int", values=frozenset((0, 1))),
    "note": Column(name="note", kind="string", values=frozenset(("x",))),
}


def test_the_target_is_the_column_that_is_not_taken_and_has_the_classes() -> None:
    assert find_targets("m", (), COLUMNS, _glance(), train="t.csv").value == ("y",)
    with pytest.raises(ModelNotInferredError) as raised:
        find_targets("m", (), COLUMNS, _glance(names=("a",)), train="t.csv")
    assert raised.value.found == "b, y"
    with pytest.raises(ModelNotInferredError):
        find_targets("m", (), COLUMNS, _glance(names=None), train="t.csv")


def test_a_regressions_target_is_a_number_that_is_not_taken() -> None:
    glance = _glance(task="regressor", classes=(), names=("b",))
    assert find_targets("m", (), COLUMNS, glance, train="t.csv").value == ("a",)


def test_inputs_keep_the_estimators_order() -> None:
    assert find_inputs("m", ("y",), COLUMNS, _glance(names=("b", "a")), train="t.csv").value == ("b", "a")


def test_columns_without_names_must_be_as_many_as_the_estimator_takes() -> None:
    glance = _glance(names=None, count=3)
    assert find_inputs("m", ("y",), COLUMNS, glance, train="t.csv").value == ("a", "b", "note")
    with pytest.raises(ModelNotInferredError) as raised:
        find_inputs("m", ("y",), COLUMNS, _glance(names=None, count=2), train="t.csv")
    assert raised.value.hint is not None and "fit the estimator on a data frame" in raised.value.hint


def test_whole_numbers_have_whole_ends() -> None:
    assert infer_input(pa.chunked_array([[0, 9]]), kind="int").range == (0.0, 10.0)


def test_columns_are_suggested_by_their_values() -> None:
    table = pa.table({"id": list(range(20)), "shop": [n % 5 for n in range(20)], "x": [0.5] * 20, "y": [0, 1] * 10})
    found = [(key, name) for key, name, _ in suggest_columns(table, taken=frozenset("y"))]
    assert found == [("id", "id"), ("group_key", "shop")]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable()),
        st.builds(
            InputSpec,
            type=st.just("string"),
            categories=st.none() | st.lists(st.text().filter(lambda text: text.isprintable()), min_size=1).map(tuple),
            nullable=st.booleans(),
        )
        | st.tuples(NUMBERS, NUMBERS).map(lambda ends: InputSpec(type="float", range=(min(ends), max(ends)))),
        min_size=1,
    )
)
def test_whatever_is_inferred_reads_back_as_the_same_columns(columns: dict[str, InputSpec]) -> None:
    target = "the target: y"
    columns.pop(target, None)
    train: Finding[str] = Finding(value="no", source="its name")
    found = Inferred(
        model="on",
        owner="user: é",
        task=Finding(value="binary", source="x"),
        targets=Finding(value=(target,), source="x"),
        inputs=Finding(value=tuple(columns), source="x"),
        columns=columns,
        roles=Roles(train=train, validation=None, holdout=None, why="none"),
        suggestions=[],
    )
    text = render_model_file(found)
    if columns:
        spec = parse_model_file(text.encode(), where="models/on.yaml")
        assert (spec.inputs, spec.target, spec.data.train, spec.model) == (columns, target, "no", "on")
    assert yaml.safe_load(text)["owner"] == "user: é"


SPEC = parse_model_file(
    b"{model: m, task: binary, target: y, purpose: p, owner: o, inputs: {a: {type: float}}, "
    b"data: {train: t, validation: v}}",
    where="models/m.yaml",
)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1], (0, 1)),
        ([False, True, True], (False, True)),
        ([0.0, 1.0, 1.0], (0, 1)),
        ([1, 2, 2], (1, 2)),
        (["no", "yes", "yes"], ("no", "yes")),
        (pa.array(["no", "yes", "yes"]).dictionary_encode(), ("no", "yes")),
    ],
)
def test_a_label_is_one_where_it_is_the_second_class(values: object, classes: tuple[object, object]) -> None:
    table = pa.table({"y": values})
    assert labels_of(table, SPEC, where="t.csv", classes=classes).tolist() == [0, 1, 1]  # type: ignore[arg-type]


@pytest.mark.parametrize(("values", "found"), [([0, 2], "2"), (["0", "1"], "0, 1"), ([0.5, 1.0], "0.5")])
def test_a_label_of_no_class_is_an_error_that_says_which(values: list[object], found: str) -> None:
    with pytest.raises(DataError, match="labels must be 0 or 1") as raised:
        labels_of(pa.table({"y": values}), SPEC, where="t.csv")
    assert raised.value.found == found


def test_a_csv_that_is_none_and_a_file_of_another_kind_are_errors_that_name_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a,b\n1\n")
    for where, message in (("t.csv", "cannot be read"), ("t.parquet", "cannot be read"), ("t.db", "not a table")):
        with pytest.raises(DataError, match=message) as raised:
            read_table(tmp_path / "a", spec=SPEC, where=where)
        assert raised.value.where == where
