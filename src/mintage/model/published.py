"""Operators that onnxruntime has and our compilers have not: for texts, and for networks from elsewhere.

``published_width`` checks such a node's attributes and tells how many values a row it makes, so that a run stays
bounded. There is no operator with a branch or a loop among them. A tokenizer makes as many words as the longest text
of a batch has, which no graph tells; it counts as ``MAX_WORDS``, and who validates bounds the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mintage.errors import GraphRefusedError

__all__ = ["MAX_WORDS", "PUBLISHED", "published_width"]

PUBLISHED = frozenset(("Erf", "StringNormalizer", "TfIdfVectorizer"))
MAX_WORDS = 4_096
MAX_GRAM = 8
_TOKENIZER = frozenset(("mark", "mincharnum", "pad_value", "tokenexp"))
_NORMALIZER = frozenset(("case_change_action", "is_case_sensitive", "locale"))
_VECTORIZER = frozenset(
    (
        *("max_gram_length", "max_skip_count", "min_gram_length", "mode"),
        *("ngram_counts", "ngram_indexes", "pool_strings"),
    )
)


def published_width(operator: str, attributes: Mapping[str, Any], widths: Sequence[int]) -> int:
    """The number of values a row; raises GraphRefusedError for a node of another form."""
    if len(widths) != 1:
        raise _refused(f"a {operator} of {len(widths)} inputs")
    match operator:
        case "Tokenizer":
            _expect(operator, attributes, _TOKENIZER)
            if len(attributes["tokenexp"]) > 100 or attributes["mark"] != 0:
                raise _refused("a Tokenizer of another form")
            return MAX_WORDS
        case "TfIdfVectorizer":
            return _vectorizer_width(attributes)
        case "StringNormalizer":
            _expect(operator, attributes, _NORMALIZER)
        case _:
            _expect(operator, attributes, frozenset())
    return max(widths)


def _vectorizer_width(attributes: Mapping[str, Any]) -> int:
    """Every n-gram has its words in the pool and its place among the outputs."""
    _expect("TfIdfVectorizer", attributes, _VECTORIZER)
    counts, places, pool = (attributes[name] for name in ("ngram_counts", "ngram_indexes", "pool_strings"))
    least, most = attributes["min_gram_length"], attributes["max_gram_length"]
    if attributes["mode"] != b"TF" or attributes["max_skip_count"] != 0 or not 1 <= least <= most <= MAX_GRAM:
        raise _refused("a TfIdfVectorizer of another form")
    if len(counts) != most or counts[0] != 0 or not pool or not places:
        raise _refused("a TfIdfVectorizer whose n-grams do not fit their counts")
    ends, grams = [*counts[1:], len(pool)], 0
    for size, (start, end) in enumerate(zip(counts, ends, strict=True), start=1):
        if end < start or (end - start) % size:
            raise _refused("a TfIdfVectorizer whose n-grams do not fit their counts")
        grams += (end - start) // size
    if grams != len(places) or sorted(places) != list(range(grams)):
        raise _refused("a TfIdfVectorizer with a place that is not there")
    return grams


def _expect(operator: str, attributes: Mapping[str, Any], names: frozenset[str]) -> None:
    if set(attributes) != names:
        raise _refused(f"a {operator} of another form", found=", ".join(sorted(attributes)))


def _refused(message: str, **parts: str) -> GraphRefusedError:
    return GraphRefusedError(message, hint="the model was not built by this tool; do not use it", **parts)
