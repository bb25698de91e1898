"""``models/<model>.yaml``: what the scientist declares of a model, once, for all who need it.

Signature, certification domain, profile and monitor read it from here. See docs/spec/model-file.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import sha256_bytes
from mintage.repo.condition import Column, Condition, ConditionError, parse_condition
from mintage.repo.yamlfile import Marks, convert, load_yaml

__all__ = ["Costs", "DataFiles", "InputSpec", "ModelSpec", "Monitoring", "Retrain", "domain_digest", "parse_model_file"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a model file: frozen, strict."""


class InputSpec(_Part, frozen=True, kw_only=True):
    """One input column: its type, unit and domain. ``range`` is inclusive; None at an end means open. ``monotone`` says
    which way the answer may move as the number grows, all else being equal. ``mutable`` says whether who the row is
    about can change the value, or only ``up`` or ``down``."""

    type: Literal["float", "int", "string"]
    unit: str | None = None
    range: tuple[float | None, float | None] | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = True
    mutable: bool | Literal["up", "down"] = True
    protected: bool = False
    monotone: Literal["increasing", "decreasing"] | None = None
    about: str | None = None


class DataFiles(_Part, frozen=True, kw_only=True):
    """Which tables of stages are what. Only ``certify`` opens the hold-out; None says that no honest one is known."""

    train: str
    validation: str
    holdout: str | None = None


class Costs(_Part, frozen=True, kw_only=True):
    """What a decision to retrain weighs, in ``currency``.

    ``loss_unit`` is the worth of one unit of mean loss on one prediction; the parts of ``retrain`` are added up;
    ``horizon_predictions`` is how many predictions a new model is expected to serve.
    """

    currency: str = "USD"
    loss_unit: Annotated[float, Meta(gt=0)] = 1.0
    retrain: dict[str, Annotated[float, Meta(ge=0)]] = {}
    horizon_predictions: Annotated[int, Meta(ge=1)] = 1

    @property
    def per_prediction(self) -> float:
        """The gain in loss a prediction at which a retrain pays for itself."""
        return sum(self.retrain.values()) / (self.loss_unit * self.horizon_predictions)


class Retrain(_Part, frozen=True, kw_only=True):
    """How a retrain sets the pipeline's parameters: dotted key to a template.

    Templates know ``{train_until}`` (last day to train on), ``{labels_until}`` (last day with all labels) and
    ``{as_of}``, ISO dates.
    """

    params: dict[str, str] = {}


class Monitoring(_Part, frozen=True, kw_only=True):
    """What to watch: the loss, how late labels come, and how many false pages a year are acceptable."""

    loss: Literal["log_loss", "brier"] = "log_loss"
    label_delay_days: Annotated[int, Meta(ge=0)] = 0
    false_alarms_per_year: Annotated[float, Meta(gt=0)] = 1.0
    materiality: Annotated[float, Meta(ge=0)] = 0.02


class ModelSpec(_Part, frozen=True, kw_only=True):
    """The parsed model file. ``group_key`` names the column whose equal values are resampled together; ``impossible``
    are conditions of which none holds in any row that can occur."""

    model: str
    task: Literal["binary", "multiclass", "regression"]
    target: str | tuple[str, ...]
    purpose: str
    owner: str
    inputs: dict[str, InputSpec]
    data: DataFiles
    group_key: str | None = None
    time: str | None = None
    id: str | None = None
    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    limitations: tuple[str, ...] = ()
    costs: Costs | None = None
    monitor: Monitoring = Monitoring()
    retrain: Retrain = Retrain()
    impossible: Annotated[tuple[str, ...], Meta(max_length=100)] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """``impossible``, read; raises ConditionError for a file that was not checked."""
        columns = {name: Column(column.type, column.categories) for name, column in self.inputs.items()}
        return tuple(parse_condition(text, columns) for text in self.impossible)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns, one or several."""
        return (self.target,) if isinstance(self.target, str) else self.target


def parse_model_file(data: bytes, *, where: str) -> ModelSpec:
    """Parse and check a model file; raises FileMalformedError with file, line and column."""
    value, marks = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a model file", expected="keys model, task, target, inputs, data", where=where)
    spec = convert(value, ModelSpec, marks, hint="see docs/spec/model-file.md")
    if not spec.inputs:
        raise FileMalformedError("a model has no inputs", where=marks.at(("inputs",)))
    if not spec.targets or len(set(spec.targets)) != len(spec.targets):
        raise FileMalformedError("targets must be one or more different columns", where=marks.at(("target",)))
    for name, column in spec.inputs.items():
        if name in (*spec.targets, spec.group_key, spec.id):
            raise FileMalformedError(
                f"{name} cannot be an input: it is the target, the group key or the id",
                where=marks.at(("inputs", name)),
            )
        low, high = column.range or (None, None)
        if column.type == "string" and column.range is not None:
            raise FileMalformedError("a string has no range", where=marks.at(("inputs", name, "range")))
        if column.type == "string" and column.monotone is not None:
            raise FileMalformedError("a string does not grow", where=marks.at(("inputs", name, "monotone")))
        if column.type == "string" and isinstance(column.mutable, str):
            raise FileMalformedError(
                "a string changes neither up nor down",
                expected="mutable: true or false",
                where=marks.at(("inputs", name, "mutable")),
            )
        if low is not None and high is not None and low > high:
            raise FileMalformedError("a range ends before it begins", where=marks.at(("inputs", name, "range")))
    _check_conditions(spec, data, marks)
    return spec


def _check_conditions(spec: ModelSpec, data: bytes, marks: Marks) -> None:
    """Raise FileMalformedError for the first condition that is none."""
    columns = {name: Column(column.type, column.categories) for name, column in spec.inputs.items()}
    for number, text in enumerate(spec.impossible):
        try:
            parse_condition(text, columns)
        except ConditionError as error:
            raise FileMalformedError(
                "not a condition on a row",
                expected="as in `purpose == 'home' and term_months < 24`",
                found=error.message,
                where=_place(data, marks.at(("impossible", number)), text, error.at),
                hint="see docs/spec/model-file.md, impossible rows",
            ) from error


def _place(data: bytes, item: str, text: str, offset: int) -> str:
    """``file:line:column`` of a character of a text of one line; of its beginning where it is folded or escaped."""
    where, _, column = item.rpartition(":")
    line = data.decode().splitlines()[int(where.rpartition(":")[2]) - 1][int(column) - 1 :]
    quote = line[:1] in ("'", '"')
    return f"{where}:{int(column) + quote + offset}" if line[quote:].startswith(text) else item


def domain_digest(spec: ModelSpec) -> str:
    """SHA-256 of the declared domain (task, target, threshold, group key, inputs, impossible): what a policy pins."""
    inputs = msgspec.to_builtins(spec.inputs)
    for column in inputs.values():
        if column["monotone"] is None:
            del column["monotone"]  # a file that does not have the key has the digest that it had before there was one
    domain: dict[str, object] = {
        "task": spec.task,
        "target": spec.target,
        "threshold": spec.threshold,
        "group_key": spec.group_key,
        "inputs": inputs,
    }
    if spec.impossible:  # as with `monotone`
        domain["impossible"] = sorted(spec.impossible)
    return sha256_bytes(canonical_bytes(domain))
