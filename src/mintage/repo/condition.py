"""Conditions on a row, as ``impossible:`` of a model file has them: read and checked, never run as code.

``parse_condition`` gives a tree of named tuples whose columns exist and whose sides have one type; what is wrong is a
ConditionError with its place in the text. Comparisons, ``and``, ``or``, ``not``, ``in``, ``is null``, and + - * between
numbers; a column whose name is no word stands in backquotes. Reading rows belongs to ``certify.impossible``.

>>> columns = {"term": Column("int"), "purpose": Column("string", ("car", "home"))}
>>> parse_condition("purpose == 'home' and term < 24", columns).columns
('purpose', 'term')
>>> parse_condition("purpse == 'home'", columns)
Traceback (most recent call last):
mintage.repo.condition.ConditionError: 0: purpse is no input of the model (did you mean purpose?)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

__all__ = ["Column", "Condition", "ConditionError", "Node", "parse_condition"]

Kind = Literal["number", "text", "truth"]
_MOST_TEXT, _MOST_NODES, _MOST_DEPTH = 2000, 400, 50
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<quoted>`[^`]+`)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>==|!=|<=|>=|[-<>+*(),\[\]]))"
)
_WORDS = ("and", "or", "not", "in", "is", "null")


class Column(NamedTuple):
    """What a condition must know of an input: ``float``, ``int`` or ``string``, and categories that are declared."""

    type: str
    categories: tuple[str, ...] | None = None


class Node(NamedTuple):
    """One step: ``what`` is ``column``, ``constant``, ``null``, ``in``, or the word or sign of an operator. ``value``
    is the column's name, the constant, or the constants of ``in``."""

    what: str
    kind: Kind
    parts: tuple[Node, ...] = ()
    value: float | str | tuple[float | str, ...] = ""


class Condition(NamedTuple):
    """A parsed condition: its text, its tree, and the columns that it names, sorted."""

    text: str
    tree: Node
    columns: tuple[str, ...]


class ConditionError(ValueError):
    """What is wrong, and at which character of the text, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{at}: {message}")
        self.message, self.at = message, at


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_condition(text: str, columns: Mapping[str, Column]) -> Condition:
    """Read ``text``; raises ConditionError."""
    if len(text) > _MOST_TEXT:
        raise ConditionError(f"a condition has at most {_MOST_TEXT} characters", _MOST_TEXT)
    reader = _Reader(list(_tokens(text)), columns)
    tree = reader.either()
    if reader.next.kind != "end":
        raise ConditionError(f"expected and, or, or the end, found {reader.next.text}", reader.next.at)
    if tree.kind != "truth":
        raise ConditionError("this is a value, and no condition: compare it with something", 0)
    names = tuple(sorted({node.value for node in _walk(tree) if node.what == "column"}, key=str))
    if not names:
        raise ConditionError("the condition names no input", 0)
    return Condition(text, tree, tuple(map(str, names)))


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            at = place + len(text[place:]) - len(text[place:].lstrip())
            raise ConditionError(_hint_of(text[at:]), at)
        kind, word = found.lastgroup, found.group(found.lastgroup)
        yield _Token("word" if kind == "name" and word in _WORDS else kind, word, found.start(kind))
        place = found.end()
    yield _Token("end", "the end", len(text))


def _hint_of(rest: str) -> str:
    if rest[0] == "=":
        return "equal is written =="
    if rest[0] in "'\"`":
        return f"the {rest[0]} is not closed"
    return f"{rest[0]} means nothing here"


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        yield from _walk(part)


class _Reader:
    """Recursive descent, one method a level: or, and, not, comparison, sum, product, single."""

    def __init__(self, tokens: list[_Token], columns: Mapping[str, Column]) -> None:
        self.tokens, self.columns = tokens, columns
        self.place = self.depth = 0
        if len(tokens) > _MOST_NODES:
            raise ConditionError(f"a condition has at most {_MOST_NODES} words and signs", tokens[_MOST_NODES].at)

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def taken(self, *texts: str, kinds: tuple[str, ...] = ("word", "sign")) -> _Token | None:
        """The next token if it is one of ``texts``, and then it is behind us."""
        token = self.next
        if token.kind in kinds and token.text in texts:
            self.place += 1
            return token
        return None

    def need(self, text: str) -> None:
        if self.taken(text) is None:
            raise ConditionError(f"expected {text}, found {self.next.text}", self.next.at)

    def either(self) -> Node:
        return self._chain("or", self._both)

    def _both(self) -> Node:
        return self._chain("and", self._negated)

    def _chain(self, word: str, inner: Callable[[], Node]) -> Node:
        at, left = self.next.at, inner()
        while (token := self.taken(word)) is not None:
            _want(left, "truth", at, f"{word} joins conditions")
            right_at, right = self.next.at, inner()
            _want(right, "truth", right_at, f"{token.text} joins conditions")
            left = Node(word, "truth", (left, right))
        return left

    def _negated(self) -> Node:
        if self.taken("not") is None:
            return self._comparison()
        at = self.next.at
        with _Deeper(self):
            inner = self._negated()
        _want(inner, "truth", at, "not turns a condition round")
        return Node("not", "truth", (inner,))

    def _comparison(self) -> Node:
        at, left = self.next.at, self._sum()
        found = self._tested(left, at) or self._compared(left, at)
        if found is None:
            return left
        if self.next.text in _COMPARISONS and self.next.kind == "sign":
            raise ConditionError("write a < b < c as a < b and b < c", self.next.at)
        return found

    def _compared(self, left: Node, at: int) -> Node | None:
        sign = self.taken(*_COMPARISONS)
        if sign is None:
            return None
        right_at, right = self.next.at, self._sum()
        for node, place in ((left, at), (right, right_at)):
            if node.kind == "truth":
                raise ConditionError("a condition is compared with nothing: join conditions by and, or", place)
        if left.kind != right.kind:
            raise ConditionError(f"a {left.kind} is compared with a {right.kind}", sign.at)
        if left.kind == "text" and sign.text not in ("==", "!="):
            raise ConditionError(f"texts have no order: {sign.text} compares numbers", sign.at)
        self._check_category(left, right, right_at)
        self._check_category(right, left, at)
        return Node(sign.text, "truth", (left, right))

    def _tested(self, left: Node, at: int) -> Node | None:
        """``is null``, ``is not null``, ``in``, ``not in``."""
        if self.taken("is"):
            turned = self.taken("not") is not None
            self.need("null")
            if left.what != "column":
                raise ConditionError("only an input may be null", at)
            found = Node("null", "truth", (left,))
        elif self.next.text in ("in", "not") and self.next.kind == "word":
            turned = self.taken("not") is not None
            self.need("in")
            if left.kind == "truth":
                raise ConditionError("a condition is in no list", at)
            found = Node("in", "truth", (left,), self._list(left))
        else:
            return None
        return Node("not", "truth", (found,)) if turned else found

    def _list(self, left: Node) -> tuple[float | str, ...]:
        close = {"(": ")", "[": "]"}.get(self.next.text)
        if close is None:
            raise ConditionError(f"expected a list as in (1, 2), found {self.next.text}", self.next.at)
        self.place += 1
        values: list[float | str] = []
        while not values or self.taken(","):
            at, item = self.next.at, self._single()
            if item.what != "constant":
                raise ConditionError("a list holds constants", at)
            _want(item, left.kind, at, f"a {left.kind} is in a list of its kind")
            self._check_category(left, item, at)
            assert isinstance(item.value, float | str)
            values.append(item.value)
        self.need(close)
        return tuple(values)

    def _sum(self) -> Node:
        at, left = self.next.at, self._product()
        while (sign := self.taken("+", "-", kinds=("sign",))) is not None:
            left = self._arithmetic(sign, left, at, self._product)
        return left

    def _product(self) -> Node:
        at, left = self.next.at, self._single()
        while (sign := self.taken("*", kinds=("sign",))) is not None:
            left = self._arithmetic(sign, left, at, self._single)
        return left

    def _arithmetic(self, sign: _Token, left: Node, at: int, inner: Callable[[], Node]) -> Node:
        right_at, right = self.next.at, inner()
        _want(left, "number", at, f"{sign.text} is between numbers")
        _want(right, "number", right_at, f"{sign.text} is between numbers")
        return Node(sign.text, "number", (left, right))

    def _single(self) -> Node:
        token = self.next
        self.place += token.kind != "end"
        if token.kind == "number":
            return Node("constant", "number", value=float(token.text))
        if token.kind == "text":
            return Node("constant", "text", value=token.text[1:-1])
        if token.kind in ("name", "quoted"):
            return self._column(token)
        if token.text == "(" and token.kind == "sign":
            with _Deeper(self):
                found = self.either()
            self.need(")")
            return found
        if token.text == "-" and token.kind == "sign":
            with _Deeper(self):
                at, inner = self.next.at, self._single()
            _want(inner, "number", at, "- turns a number round")
            if inner.what == "constant" and isinstance(inner.value, float):
                return inner._replace(value=-inner.value)
            return Node("-", "number", (Node("constant", "number", value=0.0), inner))
        if token.text == "null":
            raise ConditionError("null is asked for as in `a is null`", token.at)
        raise ConditionError(f"expected an input or a constant, found {token.text}", token.at)

    def _column(self, token: _Token) -> Node:
        name = token.text.strip("`")
        column = self.columns.get(name)
        if column is None:
            near = _near(name, self.columns)
            raise ConditionError(
                f"{name} is no input of the model" + (f" (did you mean {near[0]}?)" if near else ""), token.at
            )
        return Node("column", "text" if column.type == "string" else "number", value=name)

    def _check_category(self, side: Node, other: Node, at: int) -> None:
        """A text that the column never has is a slip of the pen."""
        if side.what != "column" or other.what != "constant" or not isinstance(other.value, str):
            return
        known = self.columns[str(side.value)].categories
        if known is not None and other.value not in known:
            near = _near(other.value, known)
            raise ConditionError(
                f"{other.value!r} is no category of {side.value}" + (f" (did you mean {near[0]!r}?)" if near else ""),
                at,
            )


def _near(name: str, known: Iterable[str]) -> list[str]:
    import difflib  # only a mistake pays for it

    return difflib.get_close_matches(name, known, n=1)


class _Deeper:
    """One level deeper, as far as is let: a text of a thousand brackets must not exhaust the stack."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader

    def __enter__(self) -> None:
        self.reader.depth += 1
        if self.reader.depth > _MOST_DEPTH:
            raise ConditionError(f"nested more than {_MOST_DEPTH} deep", self.reader.next.at)

    def __exit__(self, *_: object) -> None:
        self.reader.depth -= 1


def _want(node: Node, kind: Kind, at: int, why: str) -> None:
    if node.kind != kind:
        raise ConditionError(f"{why}, and this is a {node.kind}", at)
