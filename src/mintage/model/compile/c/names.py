"""Names of columns as identifiers of C, and any text inside a comment.

>>> identifiers(["visib", "wind gust", "wind_gust", "double", "2nd", "größe"])
['visib', 'wind_gust_2', 'wind_gust', 'double_', 'x2nd', 'gr_e']
>>> comment("a */ b")
'"a *\\\\/ b"'
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

__all__ = ["comment", "identifier", "identifiers"]

# The keywords of C to C23 and of C++, which compiles the header too, and macros that a user's file may have defined.
_TAKEN = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const consteval
    constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double dynamic_cast
    else enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires restrict return short
    signed sizeof static static_assert static_cast struct switch template this thread_local throw true try typedef
    typeid typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq
    assert complex errno i386 imaginary linux near far stderr stdin stdout unix
    BUFSIZ CLOCKS_PER_SEC CHAR_BIT CHAR_MAX CHAR_MIN DOMAIN EOF FALSE HUGE HUGE_VAL I INFINITY INT_MAX INT_MIN LONG_MAX
    LONG_MIN MAX MIN NAN NULL OVERFLOW PI RAND_MAX SING TRUE UINT_MAX UNDERFLOW
"""
_KEPT = re.compile(r"(U?INT|SIZE|PTRDIFF|WCHAR|WINT|SIG|FLT|DBL|LDBL|FP|MATH|M)(_|\d)\w*")


def identifiers(names: Sequence[str]) -> list[str]:
    """An identifier for each name, no two the same; a name that is one already keeps it."""
    plain = {name for name in names if identifier(name) == name}
    taken = set(plain)
    found = []
    for name in names:
        if name in plain:
            found.append(name)
            continue
        stem = made = identifier(name)
        number = 2
        while made in taken:
            made, number = f"{stem}_{number}", number + 1
        taken.add(made)
        found.append(made)
    return found


def identifier(name: str) -> str:
    """One name with everything replaced that an identifier may not hold, and no name that C keeps for itself."""
    made = re.sub(r"[^A-Za-z0-9]+", "_", name) if re.search(r"[^A-Za-z0-9_]|^_|__", name) else name
    made = made.strip("_") or "x"
    if made[0].isdigit():
        made = "x" + made
    return made + "_" if made in _TAKEN.split() or _KEPT.fullmatch(made) else made


def comment(text: str) -> str:
    """The text, quoted, as it may stand inside a comment: one line, and nothing that ends the comment."""
    quoted = json.dumps(text, ensure_ascii=False)
    quoted = "".join(c if c.isascii() or c.isalnum() else json.dumps(c)[1:-1] for c in quoted)
    return quoted.replace("\x7f", "\\u007f").replace("*/", "*\\/").replace("/*", "/\\*").replace("??", "?\\?")
