"""``mintage certify [MODEL]``: judge a model against its policy, sign the certificate, write the report."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from mintage.certify.certify import Outcome
from mintage.certify.check import CheckResult
from mintage.certify.clause_table import clause_states
from mintage.certify.holdout_use import use_sentence
from mintage.certify.result_words import gate_words, measured_words, verdict_words
from mintage.certify.sealed import committed_path
from mintage.certify.waiver import Waiver
from mintage.cli.certification import run_certify
from mintage.cli.console import emit, emit_json, plural, say, table
from mintage.cli.context import Context
from mintage.cli.holdout_commit import commit_answers
from mintage.cli.holdout_seal import is_sealed
from mintage.errors import HoldoutUnknownError
from mintage.record.digest import short

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", help="a model of mintage.yaml (default: the only one)")
    parser.add_argument(
        "--against", metavar="ENVIRONMENT", help="compare with its champion (default: any environment's)"
    )
    parser.add_argument(
        "--tier",
        choices=("pull-request", "release"),
        default="release",
        help="ask for less of a pull request, which releases nothing (default: release, the whole policy)",
    )
    parser.add_argument("--fresh", action="store_true", help="run every check, whatever is known from before")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    try:
        model = arguments.model or context.workspace.only_model()
        if is_sealed(context, model):
            return _commit(context, model, against=arguments.against, as_json=arguments.json)
        outcome, certificate, report = run_certify(
            context, model, against=arguments.against, tier=arguments.tier, fresh=arguments.fresh
        )
    except HoldoutUnknownError as error:
        return _undecided(error, as_json=arguments.json)
    if arguments.json:
        emit_json(
            {
                "verdict": outcome.verdict,
                "sentence": outcome.sentence,
                "root": outcome.root,
                "certificate": certificate,
                "report": str(report),
                "tier": outcome.tier,
                "not_asked": list(outcome.not_asked),
                "kept": sorted(outcome.kept),
                "results": msgspec.to_builtins(list(outcome.results)),
                "findings": msgspec.to_builtins(list(outcome.findings)),
                "waivers": msgspec.to_builtins(list(outcome.waivers)),
                "waivers_that_do_not_hold": msgspec.to_builtins(list(outcome.unheld)),
                "clauses": msgspec.to_builtins(clause_states(outcome.results)),
                "holdout": msgspec.to_builtins(outcome.use),
                "policy": {"digest": outcome.policy.digest, "builtin": outcome.policy.builtin},
            }
        )
        return 0 if outcome.verdict == "PASS" else 1
    emit(f"{outcome.verdict}: {outcome.sentence}")
    waived = {waiver.requirement: waiver for waiver in outcome.waivers}
    rows = [_row(result, waived.get(result.requirement)) for result in outcome.results]
    emit(table(rows, head=("verdict", "requirement", "measured", "gate")))
    for result in outcome.results:
        if result.verdict != "PASS":
            emit(f"  {result.requirement}: {result.reason}")
    _show_tier(outcome)
    _show_use(outcome)
    _show_waivers(outcome)
    _show_findings(outcome)
    _show_clauses(outcome)
    _offer_waiver(outcome)
    shown = report.relative_to(Path.cwd()) if report.is_relative_to(Path.cwd()) else report
    say(f"Certificate {short(certificate)}, page {shown}")
    if outcome.tier != "release":
        say(f"It is not named in mintage.lock. For a release, the whole policy: mintage certify {model}")
    elif outcome.policy.builtin is None:
        say("Commit it to release: git add mintage.lock && git commit")
    else:
        say(f"A release needs a policy that people have agreed on, in Git: mintage policy init {model}")
    return 0 if outcome.verdict == "PASS" else 1


def _show_tier(outcome: Outcome) -> None:
    if outcome.not_asked:
        emit(f"  not asked of a pull request: {', '.join(outcome.not_asked)}")
    if outcome.kept:
        count = len(outcome.kept)
        say(f"{count} of {plural(len(outcome.results), 'result')} known from before: nothing changed; --fresh runs all")


def _commit(context: Context, model: str, *, against: str | None, as_json: bool) -> int:
    """Whoever made the model has no labels: there is a commitment, and no verdict until the holder opens them."""
    made, sealed, holder = commit_answers(context, model, against=against)
    sentence = (
        f"{model} is not decided: its answers to {sealed.count} rows are committed, and {holder} holds the labels."
    )
    if as_json:
        emit_json({"verdict": "INCONCLUSIVE", "sentence": sentence, "certificate": None, "root": made.root})
        return 1
    emit(f"INCONCLUSIVE: {sentence}")
    say(f"Share it: git add {committed_path(model)} && git commit && mintage push")
    say(f"Then {holder} judges: mintage holdout open {model}")
    return 1


def _show_clauses(outcome: Outcome) -> None:
    states = clause_states(outcome.results)
    if states:
        rows = [(item.control, item.state, ", ".join(item.requirements)) for item in states]
        emit(table(rows, head=("clause", "state", "by")))


def _show_use(outcome: Outcome) -> None:
    use = outcome.use
    if use is None or use.models == 1:
        return
    most = use.rules.max_models
    emit(f"  hold-out: {use_sentence(use)}" + (f"; the policy lets {most} be" if most else ""))
    if most is None and use.sealed is None:
        say(
            "  Each look fits models to these rows: judge on rows nobody has seen, or seal them: mintage holdout --help"
        )


def _show_waivers(outcome: Outcome) -> None:
    for waiver in outcome.waivers:
        emit(f"  {waiver.requirement}: waived by {waiver.approver} until {waiver.expires}: {waiver.reason}")
    for other in outcome.unheld:
        emit(f"  the waiver of {other.waiver.requirement} does not hold: {other.reason}")


def _offer_waiver(outcome: Outcome) -> None:
    settled = {waiver.requirement for waiver in outcome.waivers} | outcome.measured
    failed = [item for item in outcome.results if item.verdict == "FAIL" and item.severity == "must"]
    name = next((item.requirement for item in failed if item.requirement not in settled), None)
    if name is not None:
        say(f"Who is not the model's author may let it stand for a time: mintage waiver propose {outcome.model} {name}")


def _show_findings(outcome: Outcome) -> None:
    for item in outcome.findings:
        if item.is_open:
            state = "met now" if item.met else "not met"
            emit(f"  open finding {item.finding} by {item.author}, {state}: expects {item.expect}; {item.answer}")


def _undecided(error: HoldoutUnknownError, *, as_json: bool) -> int:
    """Without a hold-out there is a verdict, but nothing to sign."""
    if as_json:
        value = {"verdict": "INCONCLUSIVE", "sentence": error.message, "hint": error.hint, "where": error.where}
        emit_json({**value, "certificate": None})
    else:
        emit(f"INCONCLUSIVE: {error.message}")
        say(f"  at {error.where}")
        say(f"hint: {error.hint}")
    return 1


def _row(result: CheckResult, waiver: Waiver | None) -> tuple[str, str, str, str]:
    verdict = verdict_words(result, waived_until=waiver and waiver.expires)
    return (verdict, result.requirement, measured_words(result), gate_words(result.gate))
