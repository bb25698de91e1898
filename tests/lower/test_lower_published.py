"""Support vectors, nearest neighbours, words, networks, and what a published converter lowers: all behind the gate."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from mintage.errors import EstimatorRefusedError, GraphRefusedError, ParityFailedError
from mintage.lower.extract import converters
from mintage.lower.extraction import extraction_command
from mintage.lower.registry import known_families
from mintage.model.program import read_program

NUMBERS = ["minute", "distance", "wind_gust", "precip"]
TEXTS = ["carrier", "dest"]
NETWORK_INPUTS = ("minute", "distance")
pytestmark = pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")


def columns(*, sparse: bool = False) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (encoder, TEXTS),
        sparse_threshold=1.0 if sparse else 0.0,
    )


def few() -> Any:
    return make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS))


def table(rows: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(rows)


@pytest.fixture
def fitted(flights: Any, delays: Any) -> Callable[..., Any]:
    """Fits on flights; ``on`` is late, minutes or classes."""
    (training, late), _ = flights
    answers = {"late": late, "minutes": delays.minutes, "classes": delays.classes}

    def fit(estimator: Any, *, on: str = "late") -> Any:
        return estimator.fit(table(training), answers[on])

    return fit


@pytest.mark.parametrize(
    "model",
    [
        SVC(probability=True, random_state=0),
        SVC(kernel="linear", probability=True, random_state=0),
        SVC(kernel="poly", degree=3, coef0=1.0, probability=True, random_state=0),
        SVC(kernel="sigmoid", probability=True, random_state=0),
        NuSVC(nu=0.2, probability=True, random_state=0),
    ],
    ids=str,
)
def test_support_vectors_give_their_library_s_probabilities(model: Any, fitted: Any, flights: Any, case: Any) -> None:
    proven = case.prove(fitted(make_pipeline(columns(), model)), flights[1])
    large_weights = isinstance(model, NuSVC)  # the library's own sum is off by more than 1e-12
    assert (proven.lowered.rounds is not None) == large_weights
    assert max(item.max_error for item in proven.parity) <= (1e-10 if large_weights else 1e-12)
    assert [item.label_flips for item in proven.parity] == [0, 0]


def test_support_vectors_on_a_sparse_table_and_on_raw_numbers(fitted: Any, flights: Any, case: Any) -> None:
    case.prove(fitted(make_pipeline(columns(sparse=True), SVC(probability=True, random_state=0))), flights[1])
    raw = make_column_transformer((SimpleImputer(), NUMBERS))
    case.prove(fitted(make_pipeline(raw, SVC(kernel="sigmoid", probability=True, random_state=0))), flights[1])


def test_support_vectors_of_three_classes_couple_their_pairs_as_the_library_does(
    fitted: Any, flights: Any, case: Any
) -> None:
    model = make_pipeline(columns(), SVC(probability=True, random_state=0))
    proven = case.prove(fitted(model, on="classes"), flights[1], task="multiclass")
    assert proven.parity[0].max_error <= 1e-12


@pytest.mark.parametrize("on", ["late", "classes"])
def test_support_vectors_without_probabilities_lower_inside_of_a_calibration(
    on: str, fitted: Any, flights: Any, case: Any
) -> None:
    model = make_pipeline(columns(), CalibratedClassifierCV(SVC(), ensemble=False))
    case.prove(fitted(model, on=on), flights[1], task="binary" if on == "late" else "multiclass")


@pytest.mark.parametrize("model", [SVR(), NuSVR(kernel="sigmoid"), SVR(kernel="linear"), SVR(kernel="poly")], ids=str)
def test_support_vector_regression_is_exact_where_its_kernel_is_bounded(
    model: Any, fitted: Any, flights: Any, case: Any
) -> None:
    proven = case.prove(fitted(make_pipeline(columns(), model), on="minutes"), flights[1], task="regression")
    assert (proven.lowered.rounds is None) == (model.kernel in ("rbf", "sigmoid"))


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(),
        KNeighborsClassifier(15, weights="distance"),
        KNeighborsClassifier(algorithm="ball_tree"),
        KNeighborsClassifier(algorithm="brute"),
    ],
    ids=str,
)
def test_neighbours_are_those_of_the_library_but_for_ties_which_are_counted(
    model: Any, fitted: Any, flights: Any, case: Any
) -> None:
    proven = case.prove(fitted(make_pipeline(few(), model)), flights[1])
    validation = proven.parity[0]
    assert 0 < validation.tied < validation.rows / 5
    assert validation.compared + validation.tied == validation.rows


def test_neighbours_answer_three_classes_numbers_and_many_columns(fitted: Any, flights: Any, case: Any) -> None:
    case.prove(fitted(make_pipeline(few(), KNeighborsClassifier()), on="classes"), flights[1], task="multiclass")
    nearest = KNeighborsRegressor(7, weights="distance")
    case.prove(fitted(make_pipeline(few(), nearest), on="minutes"), flights[1], task="regression")
    case.prove(fitted(make_pipeline(columns(), KNeighborsClassifier(weights="distance"))), flights[1])


def test_a_neighbour_s_distance_other_than_the_euclidean_one_is_refused(fitted: Any, flights: Any, case: Any) -> None:
    with pytest.raises(EstimatorRefusedError, match="euclidean"):
        case.prove(fitted(make_pipeline(few(), KNeighborsClassifier(metric="manhattan"))), flights[1])


WORDS = ["late", "Crew", "weather", "fog", "Zürich", "ÜBER", "a", "delay", "x1", "東京", "baggage's", "no"]


def notes(count: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    found = np.empty(count, dtype=object)
    found[:] = [
        " ".join(rng.choice(WORDS, rng.integers(0, 9))) + str(rng.choice(["", "!", " ..."])) for _ in range(count)
    ]
    return found


@pytest.mark.parametrize(
    "vectorizer",
    [
        CountVectorizer(),
        CountVectorizer(binary=True, stop_words=["no"]),
        TfidfVectorizer(),
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, norm="l1"),
        TfidfVectorizer(ngram_range=(2, 3), token_pattern=r"(?u)\b\w+\b", lowercase=False, use_idf=False),
        TfidfVectorizer(norm=None, token_pattern="[a-z]+"),
    ],
    ids=str,
)
def test_words_of_a_text_are_counted_and_weighted_as_the_library_does(vectorizer: Any, case: Any) -> None:
    train, unseen = (
        {"ratio": case.rows(count, seed)["ratio"], "note": notes(count, seed)} for count, seed in ((400, 1), (300, 2))
    )
    labels = np.array(["fog" in text or "ÜBER" in text for text in train["note"]]).astype(int)
    model = make_pipeline(
        make_column_transformer((StandardScaler(), ["ratio"]), (vectorizer, "note")), LogisticRegression()
    )
    proven = case.prove(model.fit(table(train), labels), unseen, not_null=("ratio", "note"))
    assert proven.score_error <= 1e-14
    one = proven.predictor.predict({"ratio": np.array([0.0]), "note": np.array([""], dtype=object)})
    assert np.isfinite(one.scores).all()
    with pytest.raises(GraphRefusedError, match="no translation"):
        read_program(proven.lowered.onnx)


@pytest.mark.parametrize(
    "vectorizer",
    [
        CountVectorizer(analyzer="char"),
        CountVectorizer(strip_accents="ascii"),
        CountVectorizer(tokenizer=str.split, token_pattern=None),
        CountVectorizer(token_pattern=r"(?u)\b[^\W\d]+\b"),
        CountVectorizer(stop_words=["no"], ngram_range=(1, 2)),
    ],
    ids=str,
)
def test_other_ways_to_cut_a_text_are_refused(vectorizer: Any, case: Any) -> None:
    train = {"note": notes(100, 1)}
    model = make_pipeline(make_column_transformer((vectorizer, "note")), LogisticRegression())
    with pytest.raises(EstimatorRefusedError, match="exact lowering"):
        case.prove(model.fit(table(train), np.arange(100) % 2), train, not_null=("note",))


@pytest.mark.parametrize(
    "transformer",
    [
        KMeans(4, n_init=1, random_state=0),
        GaussianRandomProjection(4, random_state=0),
        NeighborhoodComponentsAnalysis(2, max_iter=3, random_state=0),
    ],
    ids=str,
)
def test_what_a_published_converter_lowered_passes_the_gate_and_is_named(
    transformer: Any, fitted: Any, flights: Any, case: Any
) -> None:
    proven = case.prove(fitted(make_pipeline(columns(), transformer, LogisticRegression())), flights[1])
    ((path, by),) = proven.lowered.converters.items()
    assert path == f"estimator/{type(transformer).__name__.lower()}"
    assert by.startswith("skl2onnx 1.")
    assert proven.lowered.rounds is None
    read_program(proven.lowered.onnx)  # only operators that the compilers know


def test_our_own_lowering_goes_before_a_converter_s() -> None:
    known = known_families()
    for name in ("sklearn.decomposition._pca.PCA", "sklearn.svm._classes.SVC"):
        assert known[name].lower.__module__ != "mintage.lower.families.published"
    assert known["sklearn.cluster._kmeans.KMeans"].lower.__module__ == "mintage.lower.families.published"


def test_without_the_converter_the_refusal_says_what_to_install(
    fitted: Any, flights: Any, case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fitted(make_pipeline(columns(), KMeans(3, n_init=1, random_state=0), LogisticRegression()))
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(EstimatorRefusedError, match="pip install skl2onnx") as caught:
        case.prove(model, flights[1])
    assert caught.value.where == "estimator/kmeans"


def test_a_conversion_that_is_wrong_fails_the_gate_by_its_converter_s_name(
    fitted: Any, flights: Any, case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = converters.converted

    def wrong(item: Any) -> dict[str, Any]:
        """The converter's graph with one constant changed by a thousandth."""
        made = real(item)
        graph = onnx.load_model_from_string(made["#onnx"].tobytes())
        tensor = next(item for item in graph.graph.initializer if item.data_type == TensorProto.DOUBLE)
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 1.001, tensor.name))
        return {**made, "#onnx": np.frombuffer(graph.SerializeToString(), dtype=np.uint8)}

    monkeypatch.setattr("mintage.lower.extract.writer.converted", wrong)
    model = fitted(make_pipeline(columns(), KMeans(3, n_init=1, random_state=0), LogisticRegression()))
    with pytest.raises(ParityFailedError) as caught:
        case.prove(model, flights[1])
    assert "estimator/kmeans was converted by skl2onnx" in (caught.value.hint or "")
    assert "largest error" in (caught.value.where or "")


def network(path: Path, last: str, width: int, *, classes: list[Any] | None = None, extra: Any = None) -> Path:
    """A small network of floats as an ONNX file: two inputs, a layer of eight, ``width`` outputs."""
    rng = np.random.default_rng(0)
    shift, scale = np.array([700.0, 1000.0], dtype=np.float32), np.array([300.0, 700.0], dtype=np.float32)
    arrays = {
        "shift": shift,
        "scale": scale,
        "w1": rng.normal(size=(8, 2)).astype(np.float32),
        "b1": rng.normal(size=8).astype(np.float32),
        "w2": rng.normal(size=(8, width)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["x", "shift"], ["moved"]),
        helper.make_node("Div", ["moved", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "w1", "b1"], ["first"], transB=1),
        helper.make_node("Tanh", ["first"], ["bent"]),
        helper.make_node("MatMul", ["bent", "w2"], ["raw"]),
        extra or helper.make_node(last, ["raw"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, width])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="mine")
    if classes is not None:
        helper.set_model_props(model, {"classes": json.dumps(classes)})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("last", "width", "options"),
    [
        ("Sigmoid", 1, {}),
        ("Softmax", 2, {}),
        ("Softmax", 3, {"task": "multiclass"}),
        ("Identity", 2, {"task": "regression", "target": ("u", "v")}),
    ],
)
def test_an_onnx_file_of_a_network_is_a_model(last: str, width: int, options: Any, flights: Any, case: Any) -> None:
    path = network(case.folder / "model.onnx", last, width)
    rows = {name: flights[1][name] for name in NETWORK_INPUTS}
    proven = case.prove_graph(path, rows, not_null=NETWORK_INPUTS, **options)
    assert proven.lowered.converters["estimator"].startswith("mine, as ONNX")
    assert proven.lowered.rounds is not None
    read_program(proven.lowered.onnx)


def test_an_onnx_file_may_name_its_classes(flights: Any, case: Any) -> None:
    path = network(case.folder / "model.onnx", "Softmax", 2, classes=["early", "late"])
    rows = {name: flights[1][name] for name in NETWORK_INPUTS}
    proven = case.prove_graph(path, rows, not_null=NETWORK_INPUTS)
    assert proven.predictor.signature.outputs[1].classes == ("early", "late")


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        (helper.make_node("If", ["c"], ["y"], then_branch=helper.make_graph([], "g", [], [])), "cannot be opened"),
        (helper.make_node("TopK", ["raw", "w1"], ["y", "z"]), "cannot be opened"),
        (helper.make_node("CumSum", ["raw", "axis"], ["y"]), "cannot be opened"),
        (helper.make_node("Softmax", ["raw"], ["y"], axis=0), "only columns of a row"),
        (helper.make_node("Sinh", ["raw"], ["y"]), "Sinh has no translation"),
    ],
    ids=["a branch", "an operator without its inputs", "a lost input", "rows mixed", "unknown"],
)
def test_a_network_with_other_operators_is_refused_by_their_name(
    extra: Any, found: str, flights: Any, case: Any
) -> None:
    path = network(case.folder / "model.onnx", "", 2, extra=extra)
    rows = {name: flights[1][name] for name in NETWORK_INPUTS}
    with pytest.raises(EstimatorRefusedError, match=found):
        case.prove_graph(path, rows, not_null=NETWORK_INPUTS, task="regression", target=("u", "v"))


def test_a_network_that_takes_missing_values_to_nowhere_asks_for_inputs_without_them(flights: Any, case: Any) -> None:
    path = network(case.folder / "model.onnx", "Sigmoid", 1)
    with pytest.raises(ParityFailedError, match="refuses rows") as caught:
        case.prove_graph(path, {name: flights[1][name] for name in NETWORK_INPUTS})
    assert "nullable: false" in (caught.value.hint or "")


def test_a_network_takes_no_texts(flights: Any, case: Any) -> None:
    path = network(case.folder / "model.onnx", "Sigmoid", 1)
    with pytest.raises(EstimatorRefusedError, match="numbers only"):
        case.prove_graph(path, {name: flights[1][name] for name in ("minute", "carrier")})


TRAINING = """
import sys, torch
from torch import nn

class Network(nn.Module):
    def __init__(self, width, last):
        super().__init__()
        self.register_buffer("shift", torch.tensor([700.0, 1000.0, 20.0, 0.01]))
        self.register_buffer("scale", torch.tensor([300.0, 700.0, 8.0, 0.1]))
        self.last = last
        self.layers = nn.Sequential(
            nn.Linear(4, 16), nn.ReLU(), nn.LayerNorm(16), nn.Dropout(0.1), nn.Linear(16, 8), nn.GELU(),
            nn.BatchNorm1d(8), nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, width),
        )

    def forward(self, rows):
        found = self.layers(torch.nan_to_num((rows - self.shift) / self.scale).clamp(-10, 10))
        return found if self.last is None else self.last(found)

torch.manual_seed(0)
for name, width, last in (("binary", 1, nn.Sigmoid()), ("multiclass", 3, nn.Softmax(dim=1)), ("regression", 1, None)):
    example, rows = (torch.randn(3, 4),), torch.export.Dim("rows")
    program = torch.export.export(Network(width, last).eval(), example, dynamic_shapes=({0: rows},))
    torch.export.save(program, f"{sys.argv[1]}/{name}.pt2")
"""


@pytest.fixture(scope="module")
def torch_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter of its own with PyTorch; skips where pip cannot install it."""
    folder = tmp_path_factory.mktemp("torch")
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "-q", "--cache-dir", str(folder / "cache")]
    done = subprocess.run(
        [*command, "torch==2.13.0", "onnxscript", "joblib"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"pip could not install torch==2.13.0 and onnxscript: {done.stderr[-300:]}")
    return python


@pytest.mark.slow
def test_a_pytorch_program_is_a_model_through_torch_onnx(torch_python: Path, flights: Any, case: Any) -> None:
    subprocess.run([str(torch_python), "-W", "ignore", "-c", TRAINING, str(case.folder)], check=True)
    rows = {name: flights[1][name] for name in NUMBERS}
    for task in ("binary", "multiclass", "regression"):

        def extract(asked: Path, out: Path, task: str = task) -> None:
            command = extraction_command(case.folder / f"{task}.pt2", asked, out, python=torch_python)
            subprocess.run(command, capture_output=True, check=True)

        folder = case.folder / task
        proven = case.prove_file(extract, rows, folder, task=task)
        assert proven.lowered.converters["estimator"].startswith("torch.onnx 2.13.0")
        assert max(item.max_error for item in proven.parity) <= 1e-6
        assert [item.label_flips for item in proven.parity] == [0, 0]
