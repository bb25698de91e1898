"""Write a policy as YAML with a comment on each requirement: why it is asked, and where its threshold comes from. Pure.

What is written is read by ``certify.policy`` as any file is, so nothing can be suggested that a person could not
write. Texts are quoted as JSON, which YAML reads: a name or a sentence cannot become a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from mintage.certify.suggest import Suggested

__all__ = ["render_policy", "render_requirement"]

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.@ ,;'-]*[A-Za-z0-9_.])?")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What YAML 1.1 takes for a truth value or for nothing."""


def render_policy(
    *,
    model: str,
    owner: str,
    domain: str,
    requirements: Sequence[Suggested],
    head: Sequence[str],
    owner_comment: str = "",
) -> str:
    """The text of a policy that pins ``domain``; ``head`` are its first lines of comment."""
    comment = f"   # {owner_comment}" if owner_comment else ""
    lines = [
        *(f"# {line}".rstrip() for line in head),
        f"model: {_quoted(model)}",
        f"owner: {_quoted(owner)}{comment}",
        f"domain: {domain}   # of models/{model}.yaml: loosening it breaks this policy",
        "valid_days: 90",
        "",
        "statistics:",
        "  confidence: 0.95      # PASS if the bad end of the 95 % interval meets the threshold, FAIL if the good end",
        "                        # misses it, else INCONCLUSIVE",
        "  multiplicity: none    # a model must meet all requirements: meeting one by luck does not pass it",
        "  seed: 0               # of the resamples: the same seed gives the same numbers to the last bit",
        "  draws: 4000",
        "  inconclusive: block   # a required check that cannot tell blocks",
        "",
        "requirements:",
    ]
    for item in requirements:
        lines += [*render_requirement(item), ""]
    return "\n".join(lines[:-1]) + "\n"


def render_requirement(item: Suggested) -> list[str]:
    """The lines of one requirement, its basis as a comment above it."""
    keys = {"check": item.check, **item.keys, "severity": item.severity}
    lines = [f"  # {item.basis}", f"  - id: {item.id}"]
    lines += [f"    {key}: {_value(value)}" for key, value in keys.items()]
    return [*lines, f"    about: {_quoted(item.why)}"]


def _value(value: float | int | str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    # YAML 1.1 takes 1e-12 for a text: a number in scientific notation needs its point
    text = str(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "e" in text and "." not in text else text


def _quoted(text: str) -> str:
    """As it is where YAML cannot take it for something else, else as JSON."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
