"""A model card with what was certified: Markdown with the metadata that Hugging Face reads (``model-index``).

The facts are those of the model's own card.json and of its certificate; nothing is added, and what nobody told, a
licence above all, is left out. The metadata: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mintage.certify.answers import Task
from mintage.certify.certificate import Certificate, CertificateData
from mintage.certify.metric import find_metric, metrics_of
from mintage.report.certificate_text import certificate_lines
from mintage.report.markdown import table, text
from mintage.report.numbers import clean

__all__ = ["certificate_card"]


def certificate_card(certificate: Certificate, card: Mapping[str, Any], *, digest: str, signed_by: str) -> str:
    """The card. ``card`` is the model folder's card.json."""
    front = yaml.safe_dump(_metadata(certificate, card), sort_keys=False, allow_unicode=True, width=1000)
    lines = [f"# {text(certificate.model)}", "", text(card["purpose"]), "", f"Owner: {text(card['owner'])}", ""]
    if card.get("limitations"):
        lines += ["## Limitations", "", *(f"- {text(limit)}" for limit in card["limitations"]), ""]
    rows = [(item["name"], _kind(item), item.get("unit") or "", item.get("about") or "") for item in card["inputs"]]
    lines += ["## Inputs", "", *table(("input", "type", "unit", "about"), rows), ""]
    lines += [f"## Certified: {certificate.verdict}", "", text(certificate.sentence), ""]
    lines += certificate_lines(certificate)
    lines += ["## Provenance", "", *table(("", ""), _provenance(certificate, card, digest, signed_by)), ""]
    return f"---\n{front}---\n\n" + "\n".join(lines)


def _metadata(certificate: Certificate, card: Mapping[str, Any]) -> dict[str, Any]:
    task: Task = card["task"]
    tag = "tabular-regression" if task == "regression" else "tabular-classification"
    holdout = next((item for item in certificate.data if item.name == "hold-out"), None)
    results = [] if holdout is None else [_result(certificate, task, tag, holdout)]
    return {
        "library_name": "onnx",
        "pipeline_tag": tag,
        "tags": ["mintage", "onnx", tag],
        "model-index": [{"name": _line(certificate.model), "results": results}],
    }


def _result(certificate: Certificate, task: Task, tag: str, holdout: CertificateData) -> dict[str, Any]:
    """The metrics of F1, each with its interval, on the hold-out."""
    dataset = {
        "type": _line(f"{certificate.model}-holdout"),
        "name": _line(f"Hold-out of {certificate.model}"),
        "split": "test",
    }
    if holdout.digest is not None:
        dataset["revision"] = holdout.digest
    metrics = []
    for item in certificate.results:
        if item.check == "F1" and item.estimate is not None:
            metric: dict[str, Any] = {
                "type": _metric(item.title, task),
                "value": item.estimate,
                "name": _line(item.title),
            }
            if item.interval is not None:
                metric["args"] = {
                    "low": item.interval.low,
                    "high": item.interval.high,
                    "confidence": item.interval.confidence,
                }
            metrics.append(metric)
    return {"task": {"type": tag, "name": tag.replace("-", " ")}, "dataset": dataset, "metrics": metrics}


def _metric(title: str, task: Task) -> str:
    """The name of the metric with that label."""
    names = {find_metric(name, task).label: name for name in metrics_of(task)}
    return names.get(title, _line(title).lower().replace(" ", "_"))


def _line(value: str) -> str:
    """One line, so that nothing in it ends the front matter."""
    return " ".join(clean(value).split())


def _kind(item: Mapping[str, Any]) -> str:
    return "text" if item["datatype"] == "BYTES" else "integer" if item["integer"] else "number"


def _provenance(
    certificate: Certificate, card: Mapping[str, Any], digest: str, signed_by: str
) -> list[tuple[str, str]]:
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(card["libraries"].items()))
    return [
        ("model", certificate.root),
        ("made as", f"{card['estimator']} with {libraries}; served as ONNX"),
        ("certificate", digest),
        ("signed by", signed_by),
        ("policy", certificate.policy.digest),
        ("holds until", certificate.expires),
        ("verify", f"mintage verify certificate:{certificate.model}"),
    ]
