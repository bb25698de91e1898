import pytest

from mintage.errors import FileMalformedError, UnknownNameError, UsageError
from mintage.pipeline.graph import order
from mintage.pipeline.key import cache_key, explain
from mintage.pipeline.params import set_param_text, slice_params
from mintage.repo.modelfile import domain_digest, parse_model_file
from mintage.repo.project import parse_project
from mintage.repo.workspace import Workspace
from mintage.repo.yamlfile import load_yaml

GOOD = b"project: x\nstages:\n  a: {run: b, out: [m]}\n  c: {run: d, in: [m]}\nmodels:\n  late: {from: m}\n"


def test_a_project_file_is_read():
    project = parse_project(GOOD, where="mintage.yaml")
    assert project.stages["c"].inputs == ("m",)
    assert project.models["late"].source == "m"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        (b"project: x\nstages:\n  good: {run: x}\n  a: {run: b, inn: [c]}\n", "mintage.yaml:4:", "'in'"),
        (b"project: x\nstage: {}\n", "mintage.yaml:2:", "'stages'"),
        (b"project: x\nstages:\n  a:\n    run: 3\n", "mintage.yaml:4:", None),
        (b"project: x\nproject: y\n", "mintage.yaml:2:", "delete"),
        (b"project: [", "mintage.yaml:", None),
        (b"project: x\nmodels:\n  late: {from: nowhere}\n", "mintage.yaml:3:", None),
        (b"project: x\nstages:\n  a: {run: b, out: [m]}\n  c: {run: d, out: [m]}\n", "mintage.yaml:4:", "one stage"),
        (b"- 1\n", "mintage.yaml", None),
        (b"\xff\xfe", "mintage.yaml", None),
        (b"a: &a [*a]\n", "mintage.yaml:", None),
    ],
)
def test_a_mistake_in_a_project_file_is_named_with_its_line(text, line, hint):
    with pytest.raises(FileMalformedError) as caught:
        parse_project(text, where="mintage.yaml")
    assert caught.value.where is not None and caught.value.where.startswith(line)
    if hint:
        assert hint in (caught.value.hint or "")


def test_a_path_outside_the_project_is_refused():
    with pytest.raises(FileMalformedError, match="leads out of the project") as caught:
        parse_project(b"project: x\nstages:\n  a: {run: b, in: [../secret]}\n", where="mintage.yaml")
    assert caught.value.where == "mintage.yaml:3:3"


def test_a_bad_project_name_is_refused():
    with pytest.raises(UsageError):
        parse_project(b"project: a/b\n", where="mintage.yaml")


def test_nested_aliases_cannot_blow_up_a_file():
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n".encode() for i in range(8)
    )
    with pytest.raises(FileMalformedError):
        load_yaml(bomb, where="bomb.yaml")


def test_objects_cannot_be_made_by_tags():
    with pytest.raises(FileMalformedError):
        load_yaml(b"a: !!python/object/apply:os.system ['true']\n", where="x.yaml")


def test_stages_in_a_circle_are_named():
    project = parse_project(
        b"project: x\nstages:\n  a: {run: x, in: [n], out: [m]}\n  b: {run: y, in: [m], out: [n]}\n", where="m.yaml"
    )
    with pytest.raises(Exception, match="circle"):
        order(project.stages)


def test_a_parameter_slice_holds_only_what_is_named():
    values = {"train": {"depth": 3, "rate": 0.1}, "data": {"year": 2013}}
    assert slice_params(values, ["train.depth", "data"], stage="s") == {"train": {"depth": 3}, "data": {"year": 2013}}
    with pytest.raises(UnknownNameError, match=r"train\.leaves"):
        slice_params(values, ["train.leaves"], stage="s")


def test_setting_a_parameter_keeps_comments():
    text = "# head\nwindow:\n  until: 2013-02-14   # last day\n  other: 3\n"
    changed = set_param_text(text, "window.until", "2013-05-31")
    assert changed == "# head\nwindow:\n  until: 2013-05-31   # last day\n  other: 3\n"
    with pytest.raises(UnknownNameError):
        set_param_text(text, "window.absent", "1")


def test_a_key_changes_with_each_part_and_the_change_is_explained():
    parts = {"command": ["python", "a.py"], "params": {"t": {"d": 3}}, "inputs": {"x": "b3:1"}, "seed": None}
    assert cache_key(parts) == cache_key(dict(reversed(list(parts.items()))))
    changed = {**parts, "params": {"t": {"d": 4}}, "inputs": {"x": "b3:2", "y": "b3:3"}}
    assert cache_key(changed) != cache_key(parts)
    assert explain(parts, changed) == [
        "inputs x changed: b3:1 -> b3:2",
        "inputs y is new",
        "params.t.d changed: 3 -> 4",
    ]


MODEL = b"""model: late
task: binary
target: late
purpose: p
owner: o
inputs:
  a: {type: float, range: [0, 1]}
data: {train: t, validation: v, holdout: h}
"""


def test_the_domain_digest_changes_with_the_domain_alone():
    spec = parse_model_file(MODEL, where="models/late.yaml")
    same = parse_model_file(MODEL.replace(b"owner: o", b"owner: somebody else"), where="models/late.yaml")
    wider = parse_model_file(MODEL.replace(b"[0, 1]", b"[0, 2]"), where="models/late.yaml")
    assert domain_digest(spec) == domain_digest(same) != domain_digest(wider)


def test_a_declared_direction_is_of_the_domain_and_without_one_its_digest_stays_what_it_was():
    spec = parse_model_file(MODEL, where="models/late.yaml")
    growing = parse_model_file(MODEL.replace(b"[0, 1]", b"[0, 1], monotone: increasing"), where="models/late.yaml")
    assert domain_digest(spec) == "sha256:813645ac30135f86ecc7d65d48a420c9884bf2f90bb0834edef75526c6438067"
    assert domain_digest(growing) != domain_digest(spec)


def test_the_target_must_not_be_said_twice_and_differently(tmp_path):
    text = "project: p\nstages: {fit: {run: python fit.py, out: [m]}}\nmodels:\n  late: {from: m, target: [late]}\n"
    (tmp_path / "mintage.yaml").write_text(text)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/late.yaml").write_bytes(MODEL)
    assert Workspace(tmp_path).model_spec("late").target == "late"
    (tmp_path / "mintage.yaml").write_text(text.replace("[late]", "delay"))
    with pytest.raises(FileMalformedError, match="two files say what the model late predicts"):
        Workspace(tmp_path).model_spec("late")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"task: binary", b"task: ranking"),
        (b"range: [0, 1]", b"range: [2, 1]"),
        (b"type: float, range", b"type: string, range"),
        (b"type: float, range: [0, 1]", b"type: string, monotone: increasing"),
        (b"  a: {", b"  late: {"),
        (b"owner: o", b"owner: 3"),
        (b"inputs:\n  a: {type: float, range: [0, 1]}", b"inputs: {}"),
    ],
)
def test_a_mistake_in_a_model_file_is_refused_with_its_place(old, new):
    with pytest.raises(FileMalformedError) as caught:
        parse_model_file(MODEL.replace(old, new), where="models/late.yaml")
    assert caught.value.where is not None and caught.value.where.startswith("models/late.yaml")
