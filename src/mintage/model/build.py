"""Build a model: lower the estimator, prove it equal, and write and sign the folder. See docs/spec/model-folder.md.

The estimator is opened by a process that the caller runs, ``extract(rows, out)``: once with the validation rows, once
with edge rows made from what the first one found, and again only to shrink a row that fails. Two builds from the same
files with the same key give the same bytes. A model that is not proven equal is not written.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime

from mintage.attest.keys import Signer
from mintage.attest.oms import sign_model
from mintage.errors import EstimatorRefusedError
from mintage.lower.description import Description
from mintage.lower.estimator import Lowered, lower
from mintage.model.card import card_facts, encode_card, render_card
from mintage.model.golden import Golden, declared_labels, encode_golden, portable_rows, replay
from mintage.model.limits import find_limits
from mintage.model.parity import Parity
from mintage.model.prove import Columns, Extract, Rows, answer, prove, tolerance_of
from mintage.model.runtime import Predictor, stack
from mintage.model.signature import Signature, build_signature, encode_signature
from mintage.profile.profile import SCORE, build_profile, encode_profile
from mintage.record.canonical import canonical_bytes
from mintage.repo.modelfile import ModelSpec
from mintage.store.publish import publish_bytes

__all__ = ["BuiltModel", "build_model"]

GOLDEN_ROWS = 256


@dataclass(frozen=True)
class BuiltModel:
    """A signed folder, its id, and what the comparison with the original found."""

    folder: Path
    root: str
    parity: tuple[Parity, ...]


def build_model(
    *,
    workdir: Path,
    spec: ModelSpec,
    columns: Columns,
    groups: np.ndarray[Any, Any] | None,
    extract: Extract,
    facts: Mapping[str, Any],
    signer: Signer,
    seed: int = 0,
) -> BuiltModel:
    """Build the model into ``workdir``/model (replaced if there).

    ``columns`` are the validation rows (float64 with NaN, objects of str or None), ``groups`` their group keys.
    ``facts`` go into the card as they are. Raises EstimatorRefusedError, ParityFailedError, DescriptionInvalidError.
    """
    columns = {name: columns[name] for name in spec.inputs}
    validation, description = answer("validation", columns, extract, workdir / "validation")
    lowered = lower(description, threshold=spec.threshold, targets=spec.targets)
    _check_inputs(spec, description)
    signature = build_signature(
        spec,
        classes=description.classes,
        width=description.width,
        categories=lowered.categories,
        closed=lowered.closed,
        limits=find_limits(lowered, columns),
    )
    predictor = Predictor(lowered.onnx, signature)

    rng = np.random.default_rng(seed)
    edges, parity = prove(validation, lowered=lowered, predictor=predictor, extract=extract, folder=workdir, rng=rng)
    outputs = predictor.run(predictor.tensors(columns))
    golden = _golden((validation, edges), predictor, rng, tolerance=tolerance_of(lowered))
    replay(golden, predictor)
    card = card_facts(
        spec,
        signature=signature,
        facts=facts,
        parity=parity,
        libraries=description.libraries,
        estimator=_estimator_name(description),
        converters=lowered.converters,
    )
    inputs, expected = encode_golden(golden)
    folder = _write(
        workdir / "model",
        {
            "model.onnx": lowered.onnx,
            "signature.json": encode_signature(signature),
            "golden/inputs.json": inputs,
            "golden/expected.json": expected,
            "profile.json": encode_profile(build_profile(columns, _answer_streams(outputs, signature), groups, spec)),
            "parity.json": _parity_bytes(parity, description, seed=seed, lowered=lowered),
            "card.json": encode_card(card),
            "CARD.md": render_card(card),
        },
    )
    return BuiltModel(folder=folder, root=sign_model(folder, signer, name=spec.model), parity=parity)


def _check_inputs(spec: ModelSpec, description: Description) -> None:
    for column in description.inputs:
        declared = "text" if spec.inputs[column.name].type == "string" else "number"
        if declared != column.kind:
            raise EstimatorRefusedError(
                f"the estimator's column {column.name} is {column.kind}", expected=f"{declared}, as the model declares"
            )


def _answer_streams(
    outputs: Mapping[str, np.ndarray[Any, Any]], signature: Signature
) -> dict[str, np.ndarray[Any, Any]]:
    """The answers as a profile keeps them, by name: the score of two classes, else each probability or value."""
    if signature.is_scored:
        return {SCORE: outputs["probabilities"][:, 1]}
    found = {}
    for output in signature.outputs:
        if output.datatype == "FP64":
            for place in range(output.shape[-1]):
                found[f"#{output.name}[{place}]"] = outputs[output.name][:, place]
    return found


def _golden(parts: tuple[Rows, Rows], predictor: Predictor, rng: np.random.Generator, *, tolerance: float) -> Golden:
    """Half real rows, half edge rows, of those that validation accepts and that every platform can hold."""
    chosen = []
    for rows in parts:
        answered = predictor.accepts(rows.columns) & ~rows.native.failed & ~rows.native.tied
        declared = declared_labels(rows.native.values, rows.native.labels, predictor.signature)
        labels = stack(predictor.run(predictor.tensors(rows.columns))).labels
        same = (labels == declared).all(axis=1)  # an exact tie may have gone the other way, which the gate excuses
        usable = np.flatnonzero(answered & same & portable_rows(rows.columns))
        places = np.sort(rng.permutation(usable)[: GOLDEN_ROWS // 2])
        table = {name: column[places] for name, column in rows.columns.items()}
        chosen.append((table, rows.native.values[places], rows.native.labels[places]))
    columns = {name: np.concatenate([part[0][name] for part in chosen]) for name in chosen[0][0]}
    values = np.concatenate([part[1] for part in chosen])
    labels = np.concatenate([part[2] for part in chosen])
    return Golden(
        columns=columns, values=values, labels=declared_labels(values, labels, predictor.signature), tolerance=tolerance
    )


def _estimator_name(description: Description) -> str:
    steps = description.root.state.get("steps")
    last = steps[-1][1] if isinstance(steps, list) and steps else None
    inner = getattr(last, "short", None)
    return f"{description.root.short} ending in {inner}" if inner else description.root.short


def _parity_bytes(parity: tuple[Parity, ...], description: Description, *, seed: int, lowered: Lowered) -> bytes:
    return canonical_bytes(
        {
            "kind": "parity",
            "version": 1,
            "original": {**description.libraries, "container": description.container},
            "runtime": {"onnxruntime": onnxruntime.__version__},
            "seed": seed,
            "rounded_splits": lowered.rounded_splits,
            "converters": lowered.converters,
            "sets": [msgspec.to_builtins(item) for item in parity],
        }
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in sorted(files.items()):
        publish_bytes(folder / name, data)
    return folder
