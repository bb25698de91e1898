"""One line on what a certificate asked and what is open in it, for the demo's story, from what ``certify`` printed."""

from __future__ import annotations

import re

__all__ = ["sum_up"]

_ROW = re.compile(r"^(PASS|FAIL|INCONCLUSIVE|NOT APPLICABLE) {2,}(\S+)", re.MULTILINE)


def sum_up(output: str) -> str:
    """How many requirements are met, and which are not though the certificate passes.

    >>> sum_up("PASS: late may be released\\nverdict  requirement\\nPASS     auc\\nFAIL     data.coverage\\n")
    '2 requirements, 1 met; wished for only, so they do not block: data.coverage FAIL'
    """
    rows = _ROW.findall(output)
    met = sum(verdict == "PASS" for verdict, _ in rows)
    open_ = [f"{name} {verdict}" for verdict, name in rows if verdict in ("FAIL", "INCONCLUSIVE")]
    others = f"; wished for only, so they do not block: {', '.join(open_)}" if open_ else ""
    return f"{len(rows)} requirements, {met} met{others}"
