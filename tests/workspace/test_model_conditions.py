"""Conditions of a model file: what can be said, what is refused and where, and that they are of the domain."""

from __future__ import annotations

import pytest

from mintage.errors import FileMalformedError
from mintage.repo.condition import Column, parse_condition
from mintage.repo.modelfile import domain_digest, parse_model_file

COLUMNS = {
    "age": Column("int"),
    "pay": Column("float"),
    "kind": Column("string", ("car", "home")),
    "max speed": Column("float"),
}
FILE = """\
model: loans
task: binary
target: bad
purpose: p
owner: o
inputs:
  age: {type: int, range: [0, 120], mutable: up}
  pay: {type: float}
  kind: {type: string, categories: [car, home]}
data: {train: t, validation: v, holdout: h}
"""


def test_a_condition_names_its_columns_once_and_sorted() -> None:
    found = parse_condition("not (pay + 2 * age <= -1.5e3) or `max speed` > age and kind in ('car', 'home')", COLUMNS)
    assert found.columns == ("age", "kind", "max speed", "pay")
    assert found.tree.what == "or"  # `and` binds closer
    assert parse_condition("age < 3 and pay is not null", COLUMNS).tree.parts[1].what == "not"


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("age = 3", 4, "equal is written =="),
        ("age <", 5, "found the end"),
        ("age == 'x'", 4, "a number is compared with a text"),
        ("kind < 'car'", 5, "texts have no order"),
        ("kind == 'hoem'", 8, "did you mean 'home'?"),
        ("kind in ('car', 'hose')", 16, "no category of kind (did you mean 'home'?)"),
        ("ago > 2", 0, "ago is no input of the model (did you mean age?)"),
        ("1 < 2", 0, "names no input"),
        ("age + 1", 0, "a value, and no condition"),
        ("0 < age < 3", 8, "a < b and b < c"),
        ("age < 3 nd pay < 3", 8, "expected and, or, or the end"),
        ("not age", 4, "and this is a number"),
        ("(age < 3", 8, "expected )"),
        ("kind == 'car", 8, "the ' is not closed"),
        ("age / 2 < 3", 4, "/ means nothing here"),
        ("age in (pay)", 8, "a list holds constants"),
        ("age in ()", 8, "expected an input or a constant"),
        ("3 is null", 0, "only an input may be null"),
        ("age == null", 7, "a is null"),
        ("age + kind < 3", 6, "+ is between numbers"),
        ("(age < 3) == (pay < 3)", 0, "a condition is compared with nothing"),
        ("__import__('os')", 0, "no input of the model"),
        ("(" * 60 + "age < 3" + ")" * 60, 51, "nested more than 50 deep"),
        ("age < 3 and " * 300 + "age < 3", 2000, "at most 2000 characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text: str, at: int, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_condition(text, COLUMNS)
    assert caught.value.at == at  # type: ignore[attr-defined]
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("impossible: [age <]\n", "11:19"),
        ("impossible:\n  - \"kind == 'home' and agee < 18\"\n", "12:25"),
        ("impossible:\n  - age < 3\n  - >\n    age <\n", "13:5"),
    ],
)
def test_the_error_stands_at_its_line_and_column_of_the_model_file(lines: str, where: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        parse_model_file((FILE + lines).encode(), where="models/loans.yaml")
    assert caught.value.where == f"models/loans.yaml:{where}"
    assert caught.value.message == "not a condition on a row"


def test_impossible_rows_and_what_may_change_are_of_the_domain_and_without_them_it_stays_what_it_was() -> None:
    plain = parse_model_file(FILE.replace(", mutable: up", "").encode(), where="m")
    said = [
        parse_model_file(text.encode(), where="m")
        for text in (FILE, FILE.replace("up", "false"), FILE + "impossible: [age < 3]\n")
    ]
    assert domain_digest(plain) == "sha256:38c79db7f1df2dca7589fe94edb47bdff0a44f92b64d314ce4c3082d22ebc3e0"
    assert len({domain_digest(spec) for spec in (plain, *said)}) == 4
    both = [
        parse_model_file(f"{FILE}impossible: [{one}, {other}]\n".encode(), where="m")
        for one, other in (("age < 3", "pay < 0"), ("pay < 0", "age < 3"))
    ]
    assert domain_digest(both[0]) == domain_digest(both[1])  # they are a set


def test_a_text_that_goes_up_is_refused() -> None:
    with pytest.raises(FileMalformedError, match="a string changes neither up nor down"):
        parse_model_file(FILE.replace("home]}", "home], mutable: up}").encode(), where="m")
