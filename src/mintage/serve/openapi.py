"""The gateway's OpenAPI 3.1 document: the one-row JSON of each model that is live, and the paths around it.

It is made from the signatures, so it says the same as validation does. A value that is merely unusual is no error, so
ranges and open categories are in descriptions and examples; what the model refuses is in the schema.

>>> from mintage.model.signature import Input
>>> input_schema(Input(name="age", datatype="FP64", range=(18.0, 90.0), integer=True, unit="years"))
{'type': ['integer', 'null'], 'description': 'usually 18 to 90; years'}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mintage.model.signature import Input, Signature
from mintage.serve.outputs import Declared, class_name
from mintage.serve.routes import Route
from mintage.serve.unusual import usual

__all__ = ["input_schema", "openapi"]

_EXAMPLES = 8
_TYPES = {"FP64": "number", "INT64": "integer", "BYTES": "string"}


def openapi(routes: Mapping[str, Route], *, version: str, has_tokens: bool) -> dict[str, Any]:
    """The document as JSON values."""
    paths: dict[str, Any] = {}
    for route in routes.values():
        paths[f"/predict/{quote(route.model, safe='')}"] = {"post": _predict(route)}
    paths |= _COMMON
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Mintage gateway",
            "version": version,
            "description": "Predictions as plain JSON. The Open Inference Protocol v2 is under /v2.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }
    if has_tokens:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def input_schema(item: Input) -> dict[str, Any]:
    """What an input may be."""
    kind = "string" if item.datatype == "BYTES" else "integer" if item.integer else "number"
    schema: dict[str, Any] = {"type": [kind, "null"] if item.nullable else kind}
    if item.closed and item.categories is not None:
        schema["enum"] = [*item.categories, *([None] if item.nullable else [])]
    elif item.categories:
        schema["examples"] = list(item.categories[:_EXAMPLES])
    if item.limits is not None:
        schema["minimum"], schema["maximum"] = item.limits
    if item.closed and item.range is not None:
        ends = {name: end for name, end in zip(("minimum", "maximum"), item.range, strict=True) if end is not None}
        schema |= ends
    words = [f"usually {usual(item)}" if usual(item) and not item.closed else "", item.unit or "", item.about or ""]
    if any(words):
        schema["description"] = "; ".join(word for word in words if word)
    return schema


def _predict(route: Route) -> dict[str, Any]:
    signature = route.champion.signature
    targets = (signature.target,) if isinstance(signature.target, str) else signature.target
    row = {
        "type": "object",
        "required": [item.name for item in signature.inputs],
        "properties": {item.name: input_schema(item) for item in signature.inputs} | _named_columns(signature),
        "additionalProperties": False,
    }
    answer = _answer(route.champion.outputs.declared, signature)
    head = {name: {"type": "string"} for name in ("model", "version", "id", "variant")}
    one = {"type": "object", "properties": head | answer}
    many = {"type": "object", "properties": head | {"rows": {"type": "array", "items": _object(answer)}}}
    return {
        "operationId": f"predict_{route.model}",
        "summary": f"Predict {', '.join(targets)}",
        "description": "One row as an object, or a list of rows. A missing value is null.",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": [row, {"type": "array", "items": row}]}}},
        },
        "responses": {
            "200": {
                "description": "A prediction; for a list of rows, one for each",
                "content": {"application/json": {"schema": {"oneOf": [one, many]}}},
            },
            "default": {
                "description": "What is wrong with the request, or why there is no answer",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }


def _named_columns(signature: Signature) -> dict[str, Any]:
    """The columns that are no inputs, but that a single row may have."""
    inputs = {item.name for item in signature.inputs}
    found: dict[str, Any] = {}
    if signature.id and signature.id not in inputs:
        found[signature.id] = {
            "type": ["string", "integer"],
            "description": "the request's id, which labels join on; of a single row only",
        }
    if signature.time and signature.time not in inputs:
        found[signature.time] = {
            "type": "string",
            "description": "when the predicted thing happens, ISO 8601; of a single row only",
        }
    return found


def _answer(declared: tuple[Declared, ...], signature: Signature) -> dict[str, Any]:
    targets = (signature.target,) if isinstance(signature.target, str) else signature.target
    found: dict[str, Any] = {}
    for part in declared:
        kind = {"type": [_TYPES[part.datatype], "null"] if part.datatype == "FP64" else _TYPES[part.datatype]}
        found[part.name] = kind if len(part.shape) == 1 else _object(dict.fromkeys(part.classes or targets, kind))
    if signature.is_scored:
        names = [class_name(value) for value in signature.two_classes]
        found["score"] = {"type": "number", "description": f"the probability of {names[1]}"}
        found["label"] = {"enum": [0, 1], "description": f"1 from a score of {signature.threshold:g} up"}
        found["class"] = {"enum": names}
    found["unusual"] = {
        "type": "object",
        "description": "inputs with a value that is out of range or not known, with what is usual; absent if none is",
        "additionalProperties": {"type": "string"},
    }
    return found


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties)}


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {
        "error": {"type": "string", "description": "for people"},
        "code": {"type": "string", "description": "for programs"},
        "where": {"type": "string"},
        "hint": {"type": "string"},
    },
}


def _get(summary: str, kind: str) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": {"200": {"description": "it is so", "content": {kind: {}}}}}}


_COMMON: dict[str, Any] = {
    "/v2": _get("Server name and version of the Open Inference Protocol v2", "application/json"),
    "/v2/health/live": _get("Whether the process answers", "application/json"),
    "/v2/health/ready": _get("Whether all models are live", "application/json"),
    "/metrics": _get("Counts for Prometheus", "text/plain"),
}
