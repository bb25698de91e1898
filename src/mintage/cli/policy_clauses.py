"""``mintage policy clauses [CATALOGUE]``: list the catalogues, or the clauses of one, that controls may name."""

from __future__ import annotations

import msgspec

from mintage.certify.clauses import Catalogue, find_catalogues
from mintage.cli.console import emit, emit_json, table
from mintage.errors import UnknownNameError
from mintage.repo.nearest import nearest_hint

__all__ = ["show_clauses"]


def show_clauses(key: str | None, *, as_json: bool) -> int:
    """Print all catalogues, or one with its clauses; raises UnknownNameError."""
    catalogues = find_catalogues()
    if key is not None and key not in catalogues:
        raise UnknownNameError(
            f"there is no catalogue of clauses {key!r}",
            expected=", ".join(catalogues),
            hint=nearest_hint(key, catalogues, otherwise="`mintage policy clauses` lists them"),
        )
    if as_json:
        emit_json(msgspec.to_builtins(catalogues if key is None else catalogues[key]))
        return 0
    if key is not None:
        emit(_head(catalogues[key]))
        emit(table([(f"{key}:{name}", title) for name, title in catalogues[key].clauses.items()], indent="  "))
        return 0
    rows = [(each.key, len(each.clauses), str(each.date), each.name) for each in catalogues.values()]
    emit(table(rows, head=("catalogue", "clauses", "dated", "of")))
    emit("own:NAME in a policy is a rule of your own house, which no catalogue checks")
    return 0


def _head(catalogue: Catalogue) -> str:
    lines = [f"{catalogue.name}, as of {catalogue.date} ({catalogue.version})", f"  {catalogue.source}"]
    return "\n".join([*lines, f"  {catalogue.remark}"] if catalogue.remark else lines)
