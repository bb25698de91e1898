"""What ``mintage.verify`` and ``mintage.certificate`` return: values for a program that show themselves to a person.

In a notebook they are a short HTML view, elsewhere the text that the command prints. Nothing is judged or verified
here.

>>> from mintage.lineage.chain import Link
>>> Verification(Link(kind="model", title="late", ok=True, detail="signed"))
ok  model late: signed
"""

from __future__ import annotations

from dataclasses import dataclass

from mintage.certify.certificate import Certificate
from mintage.certify.check import CheckResult
from mintage.certify.judge import Verdict
from mintage.lineage.chain import Link, render_chain
from mintage.model.html_view import State, html_view
from mintage.record.digest import short

__all__ = ["Certified", "Verification"]

_STATES: dict[Verdict, State] = {
    "PASS": ("PASS", "good"),
    "FAIL": ("FAIL", "bad"),
    "INCONCLUSIVE": ("INCONCLUSIVE", "open"),
}


@dataclass(frozen=True, repr=False)
class Verification:
    """The chain of proof behind something; true if every link of it holds."""

    chain: Link

    def __bool__(self) -> bool:
        return self.chain.whole

    def __repr__(self) -> str:
        return render_chain(self.chain)

    def _repr_html_(self) -> str:
        state: State = ("verified", "good") if self else ("NOT VERIFIED", "bad")
        rows = list(_links(self.chain, 0))
        head = ("link", "", "what was checked")
        return html_view(f"{self.chain.kind} {self.chain.title}", state=state, head=head, rows=rows)


def _links(link: Link, depth: int) -> list[tuple[str | State, ...]]:
    mark: State = ("ok", "good") if link.ok else ("broken", "bad")
    indent = "\N{NO-BREAK SPACE}" * 4 * depth
    rows: list[tuple[str | State, ...]] = [(f"{indent}{link.kind} {link.title}", mark, link.detail)]
    for child in link.children:
        rows += _links(child, depth + 1)
    return rows


@dataclass(frozen=True, repr=False)
class Certified:
    """A model's certificate, its signature proven; ``current`` if it is of the model as it is built now.

    ``digest`` is the certificate's own; ``certificate`` has all that it says.
    """

    certificate: Certificate
    digest: str
    current: bool

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE."""
        return self.certificate.verdict

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """The result of each requirement, those that rest on wall times last."""
        return (*self.certificate.results, *self.certificate.measured)

    def __repr__(self) -> str:
        lines = [f"{self.certificate.model}: {self.verdict}: {self.certificate.sentence}", *self._notes()]
        lines += [f"  {item.verdict:<12} {item.requirement}: {self._why(item)}" for item in self.results]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [(item.requirement, _STATES[item.verdict], item.title, self._why(item)) for item in self.results]
        lines = [self.certificate.sentence, *self._notes()]
        head = ("requirement", "", "what is demanded", "why")
        return html_view(self.certificate.model, state=_STATES[self.verdict], lines=lines, head=head, rows=rows)

    def _why(self, item: CheckResult) -> str:
        until = self.certificate.waived_until(item.requirement)
        return item.reason if until is None else f"waived until {until}; {item.reason}"

    def _notes(self) -> list[str]:
        facts = self.certificate
        notes = [f"model {short(facts.root)}, issued {facts.issued}, expires {facts.expires}"]
        if not self.current:
            notes.append("The model was built anew since: this certificate is for another one. Run `mintage certify`.")
        return notes
