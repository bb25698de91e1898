"""List the openings of a sealed hold-out: what everybody may know of them."""

from __future__ import annotations

from mintage.cli.console import emit, emit_json, table
from mintage.cli.context import Context
from mintage.cli.holdout_commit import lines_of
from mintage.cli.holdout_seal import read_seal
from mintage.record.digest import short

__all__ = ["list_openings"]


def list_openings(context: Context, model: str, *, as_json: bool) -> int:
    """Print the seal, and each opening with its number and whether the model passed."""
    context.workspace.model_entry(model)
    sealed, signed = read_seal(context, model)
    own = [line.opening for line in lines_of(context, model) if line.opening.seal == signed.digest]
    holder = context.trust.name_of(sealed.to) or sealed.to
    if as_json:
        openings = [{"number": item.number, "at": item.at, "root": item.root, "passed": item.passed} for item in own]
        said = {"seal": signed.digest, "holder": holder, "budget": sealed.budget, "rows": sealed.count}
        emit_json({**said, "sealed": sealed.at, "openings": openings})
        return 0
    emit(f"{sealed.path}: {sealed.count} labels, held by {holder} since {sealed.at}")
    emit(f"{len(own)} of {sealed.budget} openings")
    rows = [(str(item.number), item.at, short(item.root), "passed" if item.passed else "not passed") for item in own]
    if rows:
        emit(table(rows, head=("opening", "at", "model", "")))
    return 0
