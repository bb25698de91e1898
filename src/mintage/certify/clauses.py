"""The clauses that a policy's ``controls`` may name: catalogues of laws and standards, shipped as dated data files.

A control is ``catalogue:clause``, as in ``aia:15.1``. A catalogue holds ids, titles in our own words, its source and
its date; it never holds the text itself, and says nothing on whether a clause applies. Rules of one's own house are
``own:`` and any word; nobody checks those.

>>> find_clause("aia:9.8").title
'testing against metrics and thresholds that were set before'
>>> find_clause("own:model-risk-4.2").catalogue
'own'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files

import msgspec

from mintage.errors import UnknownClauseError
from mintage.repo.nearest import nearest_hint
from mintage.repo.yamlfile import convert, load_yaml

__all__ = ["OWN", "Catalogue", "Clause", "find_catalogues", "find_clause"]

OWN = "own"
_OWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._()/-]{0,63}")


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One clause: ``control`` is how policies name it, ``version`` that of its catalogue."""

    control: str
    title: str
    catalogue: str
    version: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law or standard: the ``key`` that controls begin with, its date and source, and titles by clause id."""

    key: str
    name: str
    version: str
    date: date
    source: str
    clauses: dict[str, str]
    remark: str | None = None


@lru_cache(maxsize=1)
def find_catalogues() -> Mapping[str, Catalogue]:
    """All catalogues of this version of Mintage by key, sorted."""
    found = {}
    for file in files("mintage.certify").joinpath("catalogues").iterdir():
        if file.name.endswith(".yaml"):
            value, marks = load_yaml(file.read_bytes(), where=file.name)
            catalogue = convert(value, Catalogue, marks)
            found[catalogue.key] = catalogue
    return dict(sorted(found.items()))


def find_clause(control: str, *, where: str | None = None) -> Clause:
    """The clause that a control names; raises UnknownClauseError with the nearest one."""
    key, _, name = control.partition(":")
    if key == OWN:
        if not _OWN_ID.fullmatch(name):
            raise UnknownClauseError(
                "a rule of one's own has no name",
                expected="own: and letters, digits, dots, dashes",
                found=control,
                where=where,
            )
        return Clause(control=control, title="a rule of the house", catalogue=OWN, version="")
    catalogues = find_catalogues()
    catalogue = catalogues.get(key)
    if catalogue is None:
        known = [*catalogues, OWN]
        raise UnknownClauseError(
            f"there is no catalogue of clauses {key!r}",
            expected=", ".join(f"{each}:..." for each in known),
            found=control,
            where=where,
            hint=nearest_hint(key, known, otherwise="`mintage policy clauses` lists them; own rules are own:NAME"),
        )
    if name not in catalogue.clauses:
        raise UnknownClauseError(
            f"{catalogue.name} has no clause {name!r} in the catalogue of {catalogue.version}",
            expected=f"one of its {len(catalogue.clauses)} clauses",
            found=control,
            where=where,
            hint=nearest_hint(
                control,
                [f"{key}:{each}" for each in catalogue.clauses],
                otherwise=f"`mintage policy clauses {key}` lists them",
            ),
        )
    return Clause(control=control, title=catalogue.clauses[name], catalogue=key, version=catalogue.version)
