"""CountVectorizer and TfidfVectorizer of words: onnxruntime cuts and counts, the weights are in double precision.

The published converter's pattern knows ASCII letters alone, and keeps words of one letter between two others, which
changes pairs of words. Here a word is what it is to Python, but for characters that are newer than the runtime's
Unicode tables. Only onnxruntime has these operators; a model with texts runs there, in Python, Node and the browser.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mintage.lower.columns import Column, Text, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph

__all__ = ["FAMILY"]

_WORDS = {
    r"\b\w\w+\b": r"[\pL\pN_]{2,}",
    r"\b\w+\b": r"[\pL\pN_]+",
    r"\w\w+": r"[\pL\pN_]{2,}",
    r"\w+": r"[\pL\pN_]+",
}
_ASCII = re.compile(r"(\[[A-Za-z0-9_-]+\])(\+|\{[0-9]+,\})")
_LOCALE = "C.UTF-8"
_PLAIN = {"analyzer": "word", "input": "content", "preprocessor": None, "strip_accents": None, "tokenizer": None}
_MOST = 8


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    if len(columns) != 1 or not isinstance(columns[0], Text) or columns[0].fill is not None:
        step.refuse("takes one text column as it is")
    for name, expected in _PLAIN.items():
        if step.get(name) != expected:
            step.refuse(f"with {name}={step.get(name)!r} has no exact lowering; with {expected!r} it has")
    terms = _terms(step)
    tensor = _counts(step, graph, columns[0].tensor, terms)
    if step.get("binary"):
        tensor = graph.add("Min", [tensor, graph.constant(np.array([[1.0]]))])
    if step.short == "TfidfVectorizer":
        tensor = _weighted(step, step.step("_tfidf"), graph, tensor, len(terms))
    return numbers([""] * len(terms), tensor)


def _terms(step: Step) -> list[tuple[str, ...]]:
    """The words of each output, by its place."""
    vocabulary, (least, most) = step.get("vocabulary_"), step.get("ngram_range")
    if not isinstance(vocabulary, dict) or sorted(vocabulary.values()) != list(range(len(vocabulary))):
        step.refuse("has a vocabulary of an unknown form")
    if step.get("stop_words") is not None and (most > 1 or step.get("fixed_vocabulary_")):
        step.refuse("with stop_words and ngram_range, or a vocabulary of its own, has no exact lowering")
    found = [tuple(term.split(" ")) for term, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
    if most > _MOST or any(not least <= len(words) <= most for words in found):
        step.refuse(f"has terms that its ngram_range does not give, or longer than {_MOST} words")
    return found


def _counts(step: Step, graph: Graph, tensor: str, terms: list[tuple[str, ...]]) -> str:
    """How often each term is in the text: [N, terms], doubles."""
    least, most = step.get("ngram_range")
    tensor = graph.add("Squeeze", [tensor, graph.constant(np.array([1]))])
    if step.get("lowercase"):
        tensor = graph.add(
            "StringNormalizer", [tensor], case_change_action="LOWER", is_case_sensitive=1, locale=_LOCALE
        )
    # A word has no "#", so what fills up short texts is not in the pool.
    words = graph.add_text("Tokenizer", [tensor], mark=0, mincharnum=1, pad_value="#", tokenexp=_pattern(step))
    order = sorted(range(len(terms)), key=lambda place: (len(terms[place]), place))
    sizes = [len(terms[place]) for place in order]
    counted = graph.add(
        "TfIdfVectorizer",
        [words],
        mode="TF",
        min_gram_length=least,
        max_gram_length=most,
        max_skip_count=0,
        ngram_counts=[sum(size for size in sizes if size < length) for length in range(1, most + 1)],
        ngram_indexes=order,
        pool_strings=[word for place in order for word in terms[place]],
    )
    return graph.add("Cast", [counted], to=11)


def _pattern(step: Step) -> str:
    """The pattern of a word, for a matcher whose ``\\w`` is ASCII."""
    given = str(step.get("token_pattern"))
    bare = given.removeprefix("(?u)")
    found = _WORDS.get(bare) or (bare if _ASCII.fullmatch(bare) else None)
    if found is None:
        step.refuse(f"with token_pattern={given!r} has no exact lowering; with the pattern it has by itself it has")
    return found


def _weighted(step: Step, tfidf: Step, graph: Graph, tensor: str, width: int) -> str:
    """Sublinear counts, inverse document frequencies, and rows of length one, each if asked for."""
    zero, one = (graph.constant(np.array([[value]])) for value in (0.0, 1.0))
    if tfidf.get("sublinear_tf"):
        some = graph.add("Greater", [tensor, zero])
        grown = graph.add("Add", [graph.add("Log", [graph.add("Where", [some, tensor, one])]), one])
        tensor = graph.add("Where", [some, grown, zero])
    if tfidf.get("use_idf"):
        tensor = graph.add("Mul", [tensor, graph.constant(_frequencies(tfidf, width))])
    norm = tfidf.get("norm")
    if norm is None:
        return tensor
    if norm not in ("l1", "l2"):
        step.refuse(f"with norm={norm!r} has no exact lowering")
    sizes = graph.add("Abs", [tensor]) if norm == "l1" else graph.add("Mul", [tensor, tensor])
    length = graph.add("ReduceSum", [sizes, graph.constant(np.array([1]))], keepdims=1)
    length = length if norm == "l1" else graph.add("Sqrt", [length])
    length = graph.add("Where", [graph.add("Equal", [length, zero]), one, length])
    return graph.add("Div", [tensor, length])


def _frequencies(tfidf: Step, width: int) -> np.ndarray[Any, Any]:
    found = tfidf.numbers("idf_") if "idf_" in tfidf.state else tfidf.numbers("_idf_diag").diagonal()
    if found.shape != (width,):
        tfidf.refuse("has weights for other terms than it counts: this version of its library is not known")
    return found.reshape(1, -1)


FAMILY = Family(
    types=(
        "sklearn.feature_extraction.text.CountVectorizer",
        "sklearn.feature_extraction.text.TfidfVectorizer",
    ),
    role="transformer",
    lower=_lower,
)
