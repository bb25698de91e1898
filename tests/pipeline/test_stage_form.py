"""How stages are written: named paths, shell lines, matrix and foreach, and what is refused with its place."""

from __future__ import annotations

import pytest

from mintage.errors import FileMalformedError
from mintage.repo.project import parse_project


def project(stages: str):
    body = "\n".join(f"  {line}" for line in stages.strip("\n").splitlines())
    return parse_project(f"project: p\nstages:\n{body}\n".encode(), where="mintage.yaml")


def refused(stages: str) -> FileMalformedError:
    with pytest.raises(FileMalformedError) as caught:
        project(stages)
    return caught.value


def test_named_paths_are_put_into_the_command() -> None:
    stage = project("""
fit:
  run: [python, fit.py, --data, "${in.data}", "${out.model}"]
  in: {data: "data/my table.csv"}
  out: {model: m.bin}
""").stages["fit"]
    assert stage.run == "python fit.py --data 'data/my table.csv' m.bin"
    assert stage.inputs == ("data/my table.csv",)


def test_a_shell_line_keeps_its_own_variables_and_quotes_what_is_put_in() -> None:
    stage = project("""
fit:
  sh: "cat ${in.data} | head -n ${N:-5} > ${out.head}"
  in: {data: "a b.csv"}
  out: {head: h.txt}
""").stages["fit"]
    assert stage.run == "sh -c 'cat '\"'\"'a b.csv'\"'\"' | head -n ${N:-5} > h.txt'"


def test_a_matrix_makes_a_stage_of_each_combination_but_those_left_out() -> None:
    made = project("""
fit:
  run: python fit.py ${matrix.depth} ${matrix.rate} ${out.m}
  out: {m: "m/${matrix.depth}-${matrix.rate}.bin"}
  matrix:
    depth: [4, 6]
    rate: [0.1, 0.001]
    exclude: [{depth: 6, rate: 0.1}]
""")
    assert list(made.stages) == ["fit@depth=4,rate=0.1", "fit@depth=4,rate=0.001", "fit@depth=6,rate=0.001"]
    assert made.families == {"fit": tuple(made.stages)}
    assert made.stages["fit@depth=6,rate=0.001"].out == ("m/6-0.001.bin",)


def test_foreach_takes_values_and_names_with_fields() -> None:
    plain = project("""
get:
  run: curl ${item}
  out: ["raw/${item}.csv"]
  foreach: [de, fr]
""")
    assert list(plain.stages) == ["get@de", "get@fr"]
    named = project("""
get:
  run: python get.py ${item.url} ${item.days}
  out: ["raw/${item.name}.csv"]
  foreach:
    de: {url: "https://example.org/de", days: 3}
""")
    assert named.stages["get@de"].run == "python get.py https://example.org/de 3"
    assert named.stages["get@de"].out == ("raw/de.csv",)


@pytest.mark.parametrize(
    ("stages", "message", "place"),
    [
        ("a:\n  run: x ${in.dat}\n  in: {data: d.csv}\n  out: [o]", "${in.dat} is not known", "mintage.yaml:4:5"),
        ("a:\n  run: x ${matrix.dept}\n  out: [o]\n  matrix: {depth: [1]}", "matrix.dept} is not known", ":4:5"),
        ("a:\n  run: x\n  out: [o]\n  matrix: {depth: [1, 2]}", "two stages write o", ":3:3"),
        ("a:\n  run: x\n  out: [o]\n  matrix: {d: [1], exclude: [{e: 1}]}", "'e' is no axis", ":6:"),
        ("a:\n  run: x\n  out: [o]\n  matrix: {d: []}", "the axis d has no plain values", ":6:"),
        ("a:\n  out: [o]", "stage a has no command", ":3:3"),
        ("a:\n  run: x\n  sh: y\n  out: [o]", "stage a has two commands", ":3:3"),
        ("a:\n  run: x\n  out: [../o]", "a path leads out of the project", ":3:3"),
        ("a:\n  run: x\n  in: [/etc/passwd]\n  out: [o]", "a path leads out of the project", ":3:3"),
        ("a:\n  run: x\n  out: [o]\nb:\n  run: x\n  out: [o]", "two stages write o", ":6:3"),
        ("a:\n  run: x\n  out: [o, o]", "stage a names o twice", ":3:3"),
        ("a:\n  run: x\n  out: {m: m-${matrix.d}}", "not valid YAML", ":5:17"),
        ("a:\n  run: x\n  out: [m/]\nb:\n  run: x\n  out: [m/o]", "two stages write into m", ":6:3"),
        ("a:\n  run: x\n  out: [o]\n  retry: {max: 0}", "a value does not fit", ":6:13"),
        ("a:\n  run: x\n  out: [o]\n  timeout: 3", "unknown key 'timeout'", ":6:5"),
        ("a:\n  run: x ${matrix.d}\n  matrix: {d: [1, 2]}", "has members, and declares nothing", ":3:3"),
        ("a:\n  run: x\n  out: [o]\n  matrix: {d: [1]}\n  foreach: [1]", "matrix or foreach, not both", ":7:"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(stages: str, message: str, place: str) -> None:
    error = refused(stages)
    assert message in str(error)
    assert place in str(error.where)


def test_a_value_that_is_none_of_the_known_ones_names_the_nearest() -> None:
    error = refused("a:\n  run: x\n  out: [o]\n  determinism: portabel")
    assert (error.expected, error.found) == ("off, portable, same-machine", "'portabel'")
    assert error.hint == "did you mean 'portable'?"


def test_a_value_of_another_kind_is_told_in_plain_words() -> None:
    error = refused("a:\n  run: x\n  out: [o]\n  args: 3")
    assert (error.expected, error.found) == ("a mapping", "a whole number")


def test_a_brace_that_yaml_takes_for_its_own_gets_the_hint_to_quote() -> None:
    assert "quote" in str(refused("a:\n  run: x\n  out: {m: m-${matrix.d}}").hint)


def test_a_metrics_file_may_have_a_name_under_out() -> None:
    found = project("a:\n  run: x ${out.m}\n  out: {m: m.json, t: t.csv}\n  metrics: [m.json]").stages["a"]
    assert (found.run, found.out, found.metrics) == ("x m.json", ("t.csv",), ("m.json",))


def test_an_unknown_key_names_the_nearest_one() -> None:
    assert refused("a:\n  run: x\n  out: [o]\n  retri: {max: 2}").hint == "did you mean 'retry'?"
