"""``vars``, ``${...}``, ``foreach`` and ``matrix`` of a dvc.yaml."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mintage.data.dvc.command import stage_command
from mintage.data.dvc.definitions import definitions
from mintage.errors import FileMalformedError, MintageError, UnknownNameError


def stages(pipeline: dict[str, Any], **files: str) -> dict[str, dict[str, Any]]:
    texts = {name.replace("__", "."): text.encode() for name, text in files.items()}
    texts["dvc.yaml"] = yaml.safe_dump(pipeline, sort_keys=False).encode()
    return {one.name: one.fields for one in definitions(texts.get, "dvc.yaml")}


def one(command: Any, pipeline: dict[str, Any] | None = None, **files: str) -> Any:
    return stages({**(pipeline or {}), "stages": {"s": {"cmd": command}}}, **files)["s"]["cmd"]


@pytest.mark.parametrize(
    ("command", "filled"),
    [
        ("a ${n} ${on} ${x.y[1].z}", "a 3 true deep"),
        (r"a \${n}", "a ${n}"),
        ("t ${x.opts}", "t --depth 3 --fast --in.list 1 2 --word 'two words'"),
        (["a ${n}", "b ${ n }"], ["a 3", "b 3"]),
    ],
)
def test_values_stand_in_a_command(command: Any, filled: Any) -> None:
    params = yaml.safe_dump(
        {
            "n": 3,
            "on": True,
            "x": {
                "y": [0, {"z": "deep"}],
                "opts": {"depth": 3, "fast": True, "slow": False, "in": {"list": [1, 2]}, "word": "two words"},
            },
        },
        sort_keys=False,
    )
    assert one(command, params__yaml=params) == filled


def test_vars_come_from_files_of_three_kinds_and_inline_ones_merge() -> None:
    pipeline = {"vars": ["a.json", "b.toml:t.u", "c.yaml", {"c": {"more": 4}}]}
    files = {"a__json": '{"a": 1}', "b__toml": "[t]\nu = 2\n[v]\nw = 9\n", "c__yaml": "c: {one: 3}"}
    assert one("${a} ${c.one} ${c.more}", pipeline, **files) == "1 3 4"
    with pytest.raises(UnknownNameError, match=r"v\.w"):
        one("${v.w}", pipeline, **files)


@pytest.mark.parametrize(
    ("over", "names"),
    [
        (["a", 2, True], {"s@a": "run a", "s@2": "run 2", "s@true": "run true"}),
        ("${some}", {"s@x": "run x", "s@y": "run y"}),
    ],
)
def test_foreach_over_values_names_stages_by_them(over: Any, names: dict[str, str]) -> None:
    found = stages({"stages": {"s": {"foreach": over, "do": {"cmd": "run ${item}"}}}}, params__yaml="some: [x, y]")
    assert {name: fields["cmd"] for name, fields in found.items()} == names


def test_foreach_over_mappings_gives_key_and_item() -> None:
    pipeline = {"stages": {"s": {"foreach": {"us": {"t": 1}, "eu": {"t": 2}}, "do": {"cmd": "${key} ${item.t}"}}}}
    assert {name: fields["cmd"] for name, fields in stages(pipeline).items()} == {"s@us": "us 1", "s@eu": "eu 2"}
    pipeline = {"stages": {"s": {"foreach": [{"t": 1}, {"t": 2}], "do": {"cmd": "${item.t}"}}}}
    assert list(stages(pipeline)) == ["s@0", "s@1"]


def test_matrix_is_every_combination() -> None:
    pipeline = {
        "stages": {"s": {"matrix": {"m": ["cnn", "gpt"], "f": [{"n": 1}]}, "cmd": "${item.m} ${item.f.n} ${key}"}}
    }
    found = {name: fields["cmd"] for name, fields in stages(pipeline).items()}
    assert found == {"s@cnn-f0": "cnn 1 cnn-f0", "s@gpt-f0": "gpt 1 gpt-f0"}


@pytest.mark.parametrize(
    ("pipeline", "kind"),
    [
        ({"vars": ["values.py"], "stages": {}}, FileMalformedError),
        ({"vars": ["../up.yaml"], "stages": {}}, FileMalformedError),
        ({"vars": ["absent.yaml"], "stages": {}}, MintageError),
        ({"stages": {"s": {"foreach": 3, "do": {"cmd": "x"}}}}, FileMalformedError),
        ({"stages": {"s": {"foreach": ["a"]}}}, FileMalformedError),
        ({"stages": {"s": {"matrix": {"a": 3}, "cmd": "x"}}}, FileMalformedError),
        ({"stages": {"s": {"matrix": {name: list(range(50)) for name in "abc"}, "cmd": "x"}}}, FileMalformedError),
        ({"stages": {"s": "x"}}, FileMalformedError),
        (
            {"stages": {"s": {"cmd": "x ${group} y", "outs": ["${group} x"]}}, "vars": [{"group": {"a": 1}}]},
            MintageError,
        ),
    ],
)
def test_definition_that_cannot_be_worked_out_is_an_error(pipeline: dict[str, Any], kind: type[MintageError]) -> None:
    with pytest.raises(kind):
        stages(pipeline, values__py="a = 1\n")


@pytest.mark.parametrize(
    ("command", "base", "line"),
    [
        ("python a.py --x 'two words'", "", "python a.py --x 'two words'"),
        ("X=1 python a.py", "", "sh -c 'X=1 python a.py'"),
        ("a > b", "", "sh -c 'a > b'"),
        ("python a.py", "in here", """sh -c 'cd '"'"'in here'"'"' && python a.py'"""),
        (["a; b", "c"], "", "sh -c '(\na; b\n) && c'"),
        (["a"], "", "a"),
    ],
)
def test_command_goes_through_a_shell_only_where_it_must(command: Any, base: str, line: str) -> None:
    assert stage_command(command, base=base) == line
