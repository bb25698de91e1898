"""``mintage retrain MODEL``: start the run that a decision asks for, on a new branch, and certify the challenger."""

from __future__ import annotations

import argparse

from mintage.cli.certification import run_certify
from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context, now
from mintage.cli.decisions import last_decision
from mintage.cli.run_lock import run_lock
from mintage.database.connection import transaction
from mintage.errors import RefusedError
from mintage.monitor.candidate import run_plan, set_window
from mintage.monitor.result import MonitorResult, decode_decision
from mintage.pipeline.run import Event
from mintage.pipeline.worktree import worktree
from mintage.record.digest import short
from mintage.repo.locks import LOCK_FOLDER, read_lock
from mintage.store.local import Store

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model of mintage.yaml")
    parser.add_argument("--decision", metavar="DIGEST", help="the decision to follow (default: the last one)")
    parser.add_argument("--branch", help="the new branch (default: retrain/MODEL-DATE)")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace, model = context.workspace, arguments.model
    workspace.model_entry(model)
    digest, result = _decision(context, arguments)
    assert result.gain is not None
    branch = arguments.branch or f"retrain/{model}-{result.as_of[:10]}"
    if workspace.git.run("for-each-ref", f"refs/heads/{branch}"):
        raise RefusedError(
            f"the branch {branch} is there already", hint=f"merge it, or delete it with `git branch -D {branch}`"
        )
    plan = result.gain.plan
    say(f"On the new branch {branch}: trained to {plan.train_until}, labels to {plan.labels_until}")
    with run_lock(workspace, f"mintage retrain {model}"), worktree(workspace, revision="HEAD", branch=branch) as tree:
        inner = Context(tree)
        try:
            spec = tree.model_spec(model)
            set_window(tree, spec, plan, as_of=result.as_of)
            run_plan(
                tree,
                runs=lambda: context.runs,
                clock=now,
                actor=lambda: context.actor,
                signer=lambda: context.signer,
                on_event=_tell,
            )
            trailers = {"Mintage-Decision": digest}
            # Parameters, locks, and metrics files where the project keeps them in Git.
            tree.git.commit(tree.git.dirty_paths(), f"retrain: {model} to {plan.train_until}", trailers=trailers)
            outcome, certificate, _ = run_certify(inner, model, against=None)
            subject = f"certify: challenger of {model}, {outcome.verdict}"
            commit = tree.git.commit([LOCK_FOLDER], subject, trailers=trailers)
            lock = read_lock(tree.root, f"model:{model}")
        finally:
            inner.close()
    root = lock.root if lock and lock.root else ""
    with transaction(context.connection):
        details = {"branch": branch, "commit": commit, "decision": digest, "root": root, "verdict": outcome.verdict}
        context.record_access("monitor.retrain", model, details)
    if arguments.json:
        emit_json({"branch": branch, "commit": commit, "root": root, "verdict": outcome.verdict})
    else:
        emit(f"{outcome.verdict}: {outcome.sentence}")
        say(f"Challenger {short(root)}, certificate {short(certificate)}, on branch {branch} at {commit[:10]}.")
        say(f"Take it with `git merge {branch}`, then release it with --canary.")
    return 0 if outcome.verdict == "PASS" else 1


def _decision(context: Context, arguments: argparse.Namespace) -> tuple[str, MonitorResult]:
    digest = arguments.decision
    if digest is None:
        last = last_decision(context.workspace)
        if last is None:
            raise RefusedError("there is no decision yet", hint=f"make one with `mintage monitor {arguments.model}`")
        digest = last[0]
    result = decode_decision(Store(context.workspace.store_dir).get_bytes(digest))
    if result.model != arguments.model:
        raise RefusedError("the decision is about another model", expected=arguments.model, found=result.model)
    if result.decision.action != "retrain" or result.gain is None:
        raise RefusedError(
            f"the decision is not to retrain but: {result.decision.action}",
            expected="a decision to retrain",
            found=result.decision.sentence,
            hint="change params.yaml and run `mintage run` to train by your own judgement",
        )
    return digest, result


def _tell(event: Event) -> None:
    if event.what in ("end", "restore"):
        how = "restored" if event.what == "restore" else f"done in {event.duration_s:.1f} s"
        say(f"  {event.stage:<12} {how}")
