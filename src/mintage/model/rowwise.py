"""Each node of a graph works on every row by itself, so that a run needs memory for its rows and nothing more.

Broadcasting is how a small graph becomes a bomb: a constant of a million rows added to a batch of one gives a million
rows. So a constant may stand only where it has one row, or where an operator takes a table (the right side of a matrix
product, a look-up), and no operator may put rows under each other or make its own shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mintage.errors import GraphTooLargeError
from mintage.model.program import WIDTHS

__all__ = ["Dims", "check_rowwise"]

Dims = Sequence[int]


def check_rowwise(
    operator: str, domain: str, attributes: Mapping[str, Any], inputs: Sequence[Dims | str]
) -> Dims | str:
    """Raise GraphTooLargeError unless the node works row by row.

    ``inputs`` has, for each input, the shape of a constant, or the operator that makes the tensor (empty: an input).
    Returns the same of the output: constants of one row that are added, say, give one of one row.
    """
    constants = [part for part in inputs if not isinstance(part, str)]
    _expect(operator, "Shape" not in inputs or operator == "Expand", "computes with a shape")
    if domain == "" and WIDTHS[""].get(operator) in ("compare", "broadcast", "same"):
        _expect(operator, all(_rows(part) <= 1 for part in constants), "takes a constant of several rows")
        alone = len(constants) == len(inputs)
        return (1, max(part[-1] if part else 1 for part in constants)) if alone else operator
    _expect(operator, len(constants) < len(inputs), "computes with constants alone")
    _check_own(operator, attributes, inputs, constants=bool(constants))
    return operator


def _check_own(operator: str, attributes: Mapping[str, Any], inputs: Sequence[Dims | str], *, constants: bool) -> None:
    """The operators whose shape is their own."""
    match operator:
        case "Concat":
            _expect(operator, not constants, "puts constants beside rows")
            _expect(operator, attributes.get("axis") in (1, -1), "puts rows under each other")
        case "Expand":
            fits = len(inputs) == 2 and not isinstance(inputs[0], str) and _rows(inputs[0]) == 1
            _expect(operator, fits and inputs[1] == "Shape", "makes another shape than its rows have")
        case "MatMul":
            fits = len(inputs) == 2 and isinstance(inputs[0], str) and not isinstance(inputs[1], str)
            _expect(operator, fits and len(inputs[1]) == 2, "does not multiply rows by a constant matrix")
        case "Gather":
            _check_gather(attributes, inputs)
        case "ReduceMax" | "ReduceMin" | "ReduceSum" | "ArgMax" | "Squeeze":
            _check_axes(operator, attributes, inputs)
        case _:
            _expect(operator, not constants, "takes a constant")


def _check_gather(attributes: Mapping[str, Any], inputs: Sequence[Dims | str]) -> None:
    """Columns of rows by constant places; or rows' places looked up in a constant table."""
    axis = attributes.get("axis", 0)
    if axis == 1:
        fits = isinstance(inputs[0], str) and not isinstance(inputs[1], str) and len(inputs[1]) == 1
    else:
        fits = axis == 0 and not isinstance(inputs[0], str) and len(inputs[0]) == 1 and isinstance(inputs[1], str)
    _expect("Gather", fits, "is neither a choice of columns nor a look-up in a list")


def _check_axes(operator: str, attributes: Mapping[str, Any], inputs: Sequence[Dims | str]) -> None:
    """The axis is an attribute of ArgMax, else a constant of one number; that it is 1 the runtime's shapes show."""
    if operator == "ArgMax":
        _expect(operator, len(inputs) == 1 and attributes.get("axis") in (1, -1), "is not along a row")
        return
    fits = len(inputs) == 2 and isinstance(inputs[0], str) and not isinstance(inputs[1], str)
    _expect(operator, fits and tuple(inputs[1]) in ((), (1,)), "is not along a row")


def _rows(dims: Dims | str) -> int:
    """How many rows a constant has: all its extents but the last."""
    size = 1
    for extent in dims[:-1]:
        assert isinstance(extent, int)
        size *= extent
    return size


def _expect(operator: str, fits: bool, why: str) -> None:
    if not fits:
        raise _refused(operator, why)


def _refused(operator: str, why: str) -> GraphTooLargeError:
    return GraphTooLargeError(
        f"a node that does not work row by row: {operator} {why}",
        hint="the model was not built by this tool; do not use it",
    )
