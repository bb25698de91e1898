"""The model card: what the model is for, how it was made and how far it can be trusted, rendered, never typed.

``card.json`` holds the facts; CARD.md is those facts in words. What nobody told is left out, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mintage.model.parity import Parity
from mintage.model.signature import Signature
from mintage.record.canonical import canonical_bytes
from mintage.repo.modelfile import ModelSpec

__all__ = ["card_facts", "encode_card", "render_card"]


def card_facts(
    spec: ModelSpec,
    *,
    signature: Signature,
    facts: Mapping[str, Any],
    parity: tuple[Parity, ...],
    libraries: Mapping[str, str],
    estimator: str,
    converters: Mapping[str, str],
) -> dict[str, Any]:
    """card.json: the model file's words, the facts of the run (JSON values), and what the build proved."""
    return {
        "kind": "card",
        "version": 0,
        "model": spec.model,
        "purpose": spec.purpose,
        "owner": spec.owner,
        "task": spec.task,
        "target": spec.target if isinstance(spec.target, str) else list(spec.target),
        "outputs": [msgspec.to_builtins(item) for item in signature.outputs],
        "threshold": spec.threshold,
        "group_key": spec.group_key,
        "estimator": estimator,
        "libraries": dict(libraries),
        "converters": dict(converters),
        "inputs": [msgspec.to_builtins(item) for item in signature.inputs],
        "limitations": list(spec.limitations),
        "facts": dict(facts),
        "parity": [
            {"rows": item.compared, "name": item.name, "max_error": item.max_error, "label_flips": item.label_flips}
            for item in parity
        ],
    }


def encode_card(card: Mapping[str, Any]) -> bytes:
    """The card's canonical bytes; raises RecordInvalidError if a fact is no JSON value."""
    return canonical_bytes(dict(card))


def render_card(card: Mapping[str, Any]) -> bytes:
    """CARD.md."""
    lines = [f"# {card['model']}", "", _one_line(card["purpose"]), ""]
    lines += [f"- Owner: {_one_line(card['owner'])}"]
    lines += _answers(card)
    if card["group_key"]:
        lines += [f"- Rows that belong together: equal `{card['group_key']}`"]
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(card["libraries"].items()))
    lines += [f"- Made as `{card['estimator']}` with {libraries}; served as ONNX"]
    lines += [f"- Its part `{path}` was converted by {by}" for path, by in sorted(card["converters"].items())]
    lines += [""]
    if card["limitations"]:
        lines += ["## Limitations", "", *(f"- {_one_line(text)}" for text in card["limitations"]), ""]
    lines += ["## Inputs", "", "| input | type | unit | domain | null | about |", "|---|---|---|---|---|---|"]
    lines += [_input_row(item) for item in card["inputs"]]
    if card["facts"]:
        lines += ["", "## Facts", "", "| fact | value |", "|---|---|"]
        lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in _flat(card["facts"])]
    lines += [
        "",
        "## Equal to the original",
        "",
        "| rows | compared | largest error | label flips |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {item['name']} | {item['rows']} | {item['max_error']:.1e} | {item['label_flips']} |"
        for item in card["parity"]
    ]
    return ("\n".join(lines) + "\n").encode()


def _answers(card: Mapping[str, Any]) -> list[str]:
    """What the model answers, in words."""
    targets = card["target"] if isinstance(card["target"], list) else [card["target"]]
    if card["task"] == "regression":
        return [f"- Task: regression; it gives {', '.join(f'`{_one_line(name)}`' for name in targets)}"]
    lines = []
    labels = [output["classes"] for output in card["outputs"] if output["classes"] is not None]
    for name, classes in zip(targets, labels, strict=True):
        if len(classes) == 2:
            lines += [f"- Task: {card['task']}; the score is the probability of `{name}` = `{classes[1]}`"]
            lines += [f"- Label: 1 from a score of {card['threshold']} up"]
        else:
            shown = ", ".join(f"`{_one_line(value)}`" for value in classes[:20])
            lines += [f"- Task: {card['task']}; of `{name}` the probabilities of {shown}, and the likeliest"]
    return lines


def _input_row(item: Mapping[str, Any]) -> str:
    kind = "text" if item["datatype"] == "BYTES" else "integer" if item["integer"] else "number"
    domain = ""
    if item["range"]:
        low, high = ("" if end is None else f"{end:g}" for end in item["range"])
        domain = f"{low} to {high}"
    elif item["categories"]:
        shown = ", ".join(str(value) for value in item["categories"][:8])
        domain = shown if len(item["categories"]) <= 8 else f"{len(item['categories'])} categories: {shown} ..."
    null = "yes" if item["nullable"] else "no"
    return (
        "| "
        + " | ".join(_cell(part) for part in (item["name"], kind, item["unit"], domain, null, item["about"]))
        + " |"
    )


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in sorted(facts.items()):
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{name}."))
        elif isinstance(value, list | tuple):
            found.append((f"{prefix}{name}", ", ".join(str(part) for part in value)))
        else:
            found.append((f"{prefix}{name}", f"{value:.6g}" if isinstance(value, float) else value))
    return found


def _one_line(text: Any) -> str:
    return " ".join(str(text).split()).replace("<", "&lt;")


def _cell(value: Any) -> str:
    return "" if value is None else _one_line(value).replace("|", "\\|")
