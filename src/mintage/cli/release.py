"""``mintage release MODEL --to ENVIRONMENT``: write and commit which model an environment runs."""

from __future__ import annotations

import argparse

import msgspec

from mintage.cli.binary_only import check_two_outcomes
from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context, now
from mintage.database.connection import transaction
from mintage.errors import IntegrityError, RefusedError, ReleaseRefusedError, UsageError
from mintage.record.digest import is_digest, short
from mintage.release.history import history
from mintage.release.judge import CanaryVerdict, judge
from mintage.release.manifest import Challenger, Manifest
from mintage.release.reconcile import environment_dir
from mintage.release.write import commit_manifest, current_manifest, propose

__all__ = ["configure", "run"]

ALPHA = 0.05


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model of mintage.yaml")
    parser.add_argument("--to", required=True, dest="environment", metavar="ENVIRONMENT", help="such as production")
    parser.add_argument("--why", default="", help="one line for the history, kept in the manifest")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--canary", type=float, metavar="PERCENT", help="make it the challenger, with this share of the traffic"
    )
    what.add_argument(
        "--promote", action="store_true", help="make the challenger champion, if its outcomes show that it is no worse"
    )
    what.add_argument("--end-canary", action="store_true", help="take the challenger out")
    parser.add_argument(
        "--margin", type=float, default=0.01, help="with --promote: how much more often it may be wrong (default 0.01)"
    )
    parser.add_argument("--as-of", metavar="TIME", help="with --promote: use only outcomes known then (default: now)")
    parser.add_argument(
        "--decision", metavar="DIGEST", help="the record of the decision that asked for it, kept in the manifest"
    )
    parser.add_argument("--policy", metavar="PATH", help="what it must be certified by (default: policies/MODEL.yaml)")


def run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    context = Context.here()
    environment_dir(context.workspace, arguments.environment)
    context.open_audit_log()
    with context.workspace.lock("release"):
        try:
            return _release(context, arguments)
        except (RefusedError, IntegrityError) as error:
            with transaction(context.connection):
                context.record_access(
                    "release.write",
                    f"{arguments.environment}/{arguments.model}",
                    {"code": error.code, "reason": error.message},
                    decision="deny",
                    rule="certificate-required",
                )
            raise


def _check(arguments: argparse.Namespace) -> None:
    if arguments.canary is not None and not 0 < arguments.canary < 100:
        raise UsageError(
            "the canary's share is a percentage", expected="over 0, under 100", found=str(arguments.canary)
        )
    if arguments.decision is not None and not is_digest(arguments.decision):
        raise UsageError("not the digest of a decision", found=arguments.decision, hint="see `mintage show decision`")
    if not 0 < arguments.margin < 1:
        raise UsageError("the margin is a rate", expected="over 0, under 1", found=str(arguments.margin))


def _release(context: Context, arguments: argparse.Namespace) -> int:
    workspace, model, environment = context.workspace, arguments.model, arguments.environment
    before = current_manifest(workspace, environment, model)
    verdict: CanaryVerdict | None = None
    if arguments.promote or arguments.end_canary:
        if before is None or before.challenger is None:
            raise ReleaseRefusedError(
                f"no challenger of {model} runs in {environment}", hint="start one with `mintage release --canary`"
            )
        rival = before.challenger
        if arguments.end_canary:
            after = msgspec.structs.replace(before, challenger=None, why=arguments.why or "the canary was ended")
            word = "canary ended"
        else:
            verdict = _judge(context, before, margin=arguments.margin, as_of=arguments.as_of or now())
            if verdict.action != "promote":
                _tell(arguments, before, None, verdict, f"{verdict.action}: {verdict.sentence}")
                return 1
            champion = msgspec.convert(
                {key: value for key, value in msgspec.to_builtins(rival).items() if key != "share"},
                type(before.champion),
            )
            why = arguments.why or verdict.sentence
            after = msgspec.structs.replace(before, champion=champion, challenger=None, why=why)
            word = "promoted"
    else:
        after, word = _new(context, arguments, before)
    if before == after:
        _tell(arguments, after, None, None, f"{environment}/{model}: the manifest says this already")
        return 0
    commit = commit_manifest(workspace, after, subject=f"release: {model} in {environment}, {word}")
    with transaction(context.connection):
        details = {"commit": commit, "champion": after.champion.root, "what": word}
        context.record_access("release.write", f"{environment}/{model}", details)
    context.checkpoint()
    _tell(arguments, after, commit, verdict, f"{word}: {verdict.sentence}" if verdict else word)
    return 0


def _new(context: Context, arguments: argparse.Namespace, before: Manifest | None) -> tuple[Manifest, str]:
    model, environment = arguments.model, arguments.environment
    policy = arguments.policy or f"policies/{model}.yaml"
    if arguments.canary is not None:
        hint = "release it to all traffic, without --canary; `mintage certify` compares it with the champion"
        check_two_outcomes(context.workspace.model_spec(model), what="a canary", hint=hint)
    released = propose(context.workspace, model, trust=context.trust, policy=policy, now=now())
    salt = _salt(context, environment, model, released.root, before)
    why = arguments.why or "released by hand"
    if arguments.canary is None or before is None or before.champion.root == released.root:
        if arguments.canary is not None:
            raise ReleaseRefusedError(
                "a canary needs a champion beside it",
                expected=f"another model in {environment}",
                found="none" if before is None else short(before.champion.root),
                hint="release without --canary first",
            )
        after = Manifest(
            model=model,
            environment=environment,
            champion=released,
            policy=policy,
            salt=salt,
            why=why,
            decision=arguments.decision,
        )
        return after, "replaced" if before and before.champion.root != released.root else "released"
    after = msgspec.structs.replace(
        before,
        challenger=Challenger(**msgspec.to_builtins(released), share=arguments.canary / 100),
        salt=salt,
        why=why,
        decision=arguments.decision,
        policy=policy,
    )
    return after, f"canary of {arguments.canary:g} %"


def _salt(context: Context, environment: str, model: str, root: str, before: Manifest | None) -> str:
    """The salt stays while a model does, so that its requests stay its own as the share grows; a new model gets another
    one, so that it is not the same requests every time."""
    if before is not None:
        rival = before.challenger
        if root == before.champion.root or (rival is not None and root == rival.root):
            return before.salt
    return f"{model}-{environment}-{len(history(context.workspace.git, environment, model))}"


def _judge(context: Context, manifest: Manifest, *, margin: float, as_of: str) -> CanaryVerdict:
    """The verdict of the outcomes so far."""
    from mintage.monitor.canary import canary_blocks
    from mintage.monitor.labels import parse_time, read_labels
    from mintage.serve.predictionlog import read_predictions

    assert manifest.challenger is not None
    envdir = environment_dir(context.workspace, manifest.environment)
    blocks = canary_blocks(
        read_predictions(envdir, manifest.model),
        read_labels(envdir, manifest.model),
        champion=manifest.champion.root,
        challenger=manifest.challenger.root,
        as_of=parse_time(as_of),
    )
    return judge(blocks, alpha=ALPHA, margin=margin)


def _tell(
    arguments: argparse.Namespace, manifest: Manifest, commit: str | None, verdict: CanaryVerdict | None, text: str
) -> None:
    if arguments.json:
        value = {"commit": commit, "manifest": msgspec.to_builtins(manifest)}
        emit_json(value | ({"canary": verdict.__dict__} if verdict else {}))
        return
    emit(text)
    if verdict is not None and verdict.rows:
        say(f"  {verdict.rows} predictions of the challenger have outcomes")
        say(
            f"  evidence (e-value, {1 / ALPHA:.0f} is enough): no worse {verdict.evidence_noninferior:.3g}, "
            f"worse {verdict.evidence_harm:.3g}"
        )
    if commit is not None:
        say(f"  champion {short(manifest.champion.root)}; commit {commit[:10]}")
        say(f"Make it so with `mintage reconcile {manifest.environment}`.")
