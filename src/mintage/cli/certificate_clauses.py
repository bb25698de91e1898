"""The part of a certificate page that tells of clauses: titles and editions of catalogues, states from results."""

from __future__ import annotations

from typing import Any

from mintage.certify.certify import Outcome
from mintage.certify.clause_table import ClauseState, clause_states
from mintage.certify.clauses import OWN, find_catalogues, find_clause
from mintage.report import certificate_view as view

__all__ = ["clauses_of"]


def clauses_of(outcome: Outcome) -> dict[str, Any]:
    """``clauses`` and ``catalogues`` of a ``CertificateView``."""
    states = clause_states(outcome.results)
    return {"clauses": tuple(map(_clause, states)), "catalogues": _catalogues(states)}


def _clause(state: ClauseState) -> view.Clause:
    title = find_clause(state.control).title
    return view.Clause(control=state.control, title=title, state=state.state, requirements=state.requirements)


def _catalogues(states: tuple[ClauseState, ...]) -> tuple[str, ...]:
    lines = []
    keys = [state.control.partition(":")[0] for state in states]
    for key in sorted(set(keys) - {OWN}):
        found = find_catalogues()[key]
        others = len(found.clauses) - keys.count(key)
        lines.append(
            f"`{key}`: {found.name}, as of {found.date} (catalogue {found.version}), {found.source}. The policy names "
            f"none of its other {others} clauses that the catalogue has, so they are not covered."
        )
    return tuple(lines)
