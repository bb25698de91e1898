"""``mintage run [STAGE]``: run what is not up to date, build the models, record everything.

A stage that declares neither inputs nor outputs is watched, and what it did is written into mintage.yaml.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.cli.console import emit, emit_json, plural, say
from mintage.cli.context import Context, now
from mintage.cli.heartbeat import Heartbeat
from mintage.cli.run_lock import run_lock
from mintage.errors import ProjectError, RefusedError, UsageError
from mintage.pipeline.dispatch.names import EXECUTORS, ExecutorName
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.run import Event, RunOutcome, Selection, run_pipeline
from mintage.repo.locks import LOCK_FOLDER, read_lock
from mintage.repo.workspace import Workspace

if TYPE_CHECKING:
    from mintage.pipeline.executor import Executor
    from mintage.pipeline.first_run import Learned
    from mintage.pipeline.infer.find_models import FoundModels
    from mintage.pipeline.shared.sharing import Sharing

__all__ = ["configure", "run"]

_SHOWN = 8


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE", help="run only these (stages, model:NAME) and what they need"
    )
    parser.add_argument("--only", action="store_true", help="run the named stages and nothing that they need")
    parser.add_argument("--from", dest="start", metavar="STAGE", help="run this stage and what comes after it")
    parser.add_argument("--changed-since", metavar="REV", help="run what differs from a revision, and what comes after")
    parser.add_argument("--dry", action="store_true", help="say what would run and why, and run nothing")
    parser.add_argument("--keep-going", action="store_true", help="after a failure, run what does not need that stage")
    parser.add_argument("-j", "--jobs", type=_jobs, default=1, metavar="N", help="run up to N stages at once (1)")
    parser.add_argument(
        "-S",
        "--set",
        action="append",
        default=[],
        metavar="PARAM=VALUE",
        help="write a parameter into its file first; may be repeated",
    )
    parser.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        help="close off what a stage does not declare; on by itself where the variable CI is set",
    )
    parser.add_argument(
        "--executor",
        choices=EXECUTORS,
        default="local",
        help="run commands here (local), by workers that have the remote alone (worker), or on a cluster (ray)",
    )
    parser.add_argument("--force", action="store_true", help="run even what is up to date")
    parser.add_argument(
        "--update-uses", action="store_true", help="fetch what stages use of other repositories, and pin it anew"
    )
    shared = parser.add_mutually_exclusive_group()
    shared.add_argument(
        "--share", action="store_true", help="sign each finished stage's result and copy it to the project's remote"
    )
    shared.add_argument(
        "--no-shared", action="store_true", help="run what others have made a result of, and share nothing"
    )
    parser.add_argument(
        "--record", action="store_true", help="record again what the stage reads and writes, and compare"
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="commit the files that it writes, without asking; with --record, write what differs too",
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    selection = _selection(arguments)
    if arguments.set or arguments.dry:
        from mintage.cli.run_plan import set_parameter, show_plan
    for setting in arguments.set:
        say(f"  {set_parameter(context.workspace, setting)}")
    if arguments.dry:
        shared = not arguments.no_shared
        return show_plan(context, selection, force=arguments.force, shared=shared, as_json=arguments.json)
    heartbeat = Heartbeat(context.workspace.root)
    with run_lock(context.workspace, shlex.join(["mintage", "run", *arguments.stages])), contextlib.closing(heartbeat):
        if context.workspace.tmp_dir.exists():
            context.workspace.clear_scratch()
        outcome = _run(context, arguments, selection, heartbeat)
    if any(action == "run" and name.startswith("model:") for name, action in outcome.actions.items()):
        _warn_of_untrusted_key(context)
    if arguments.json:
        learned = {name: learned.summary() for name, learned in outcome.learned.items()}
        commit = _offer_commit(context, outcome, yes=True) if arguments.yes else None
        done = {"actions": outcome.actions, "run": outcome.run_id, "record": outcome.record, "recorded": learned}
        found = outcome.found.summary() if outcome.found else None
        emit_json({**done, "models": found, "remarks": outcome.remarks, "commit": commit})
        return 0
    _summary(outcome)
    if "run" in outcome.actions.values() and _shares(context, arguments):
        from mintage.cli.sharing import trust_lines

        for line in trust_lines(context):
            say(line)
    _offer_commit(context, outcome, yes=arguments.yes)
    _say_next(context.workspace, outcome)
    return 0


def _run(context: Context, arguments: argparse.Namespace, selection: Selection, heartbeat: Heartbeat) -> RunOutcome:
    try:
        return run_pipeline(
            context.workspace,
            runs=lambda: context.runs,
            clock=now,
            actor=lambda: context.actor,
            implicit=lambda: model_stages(context.workspace, signer=lambda: context.signer),
            selection=selection,
            force=arguments.force,
            update_uses=arguments.update_uses,
            sandbox=arguments.sandbox,
            sharing=_sharing(context, arguments),
            record=arguments.record,
            amend=arguments.record and arguments.yes,
            executor=_executor(context.workspace, arguments.executor),
            on_event=lambda event: _show(context, event, heartbeat),
        )
    except KeyboardInterrupt:
        heartbeat.interrupt()
        raise


def _sharing(context: Context, arguments: argparse.Namespace) -> Sharing | None:
    from mintage.cli.sharing import sharing_of  # a run with nothing to do shares nothing

    return None if arguments.no_shared else sharing_of(context, publishes=_shares(context, arguments))


def _shares(context: Context, arguments: argparse.Namespace) -> bool:
    """Whether what runs is shared too."""
    return not arguments.no_shared and (arguments.share or context.workspace.project(allow_unmade=True).share)


def _executor(workspace: Workspace, name: ExecutorName) -> Executor | None:
    """Who runs the commands, if not this machine; an engine is not imported before it is needed."""
    if name == "local":
        return None
    from mintage.pipeline.dispatch.open_executor import open_executor

    return open_executor(name, workspace, home=Path.home())


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 1024:
        raise ValueError(text)
    return jobs


def _selection(arguments: argparse.Namespace) -> Selection:
    if arguments.only and not arguments.stages:
        raise UsageError("--only needs the name of a stage", hint="as in `mintage run train --only`")
    return Selection(
        targets=tuple(arguments.stages),
        start=arguments.start,
        only=arguments.only,
        since=arguments.changed_since,
        jobs=arguments.jobs,
        keep_going=arguments.keep_going,
    )


def _offer_commit(context: Context, outcome: RunOutcome, *, yes: bool) -> str | None:
    """Offer to commit what was written; only lines that are there to be read first are a reason to ask."""
    if not outcome.wrote:
        return None
    from mintage.cli.commit_offer import listed, offer_commit

    say(f"Wrote {listed(outcome.wrote)}.")
    made = [name for name, action in outcome.actions.items() if action != "keep"]
    edited = context.workspace.git.edited(outcome.before) if outcome.before else set()
    return offer_commit(
        context.workspace.git,
        outcome.wrote,
        f"Run {_some(made)}" if made else "Pin what is used of other repositories",
        yes=yes,
        ask=any(not path.startswith(f"{LOCK_FOLDER}/") for path in outcome.wrote),
        theirs={path for path in edited if not path.startswith(f"{LOCK_FOLDER}/")},
    )


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more: a subject line of Git is short."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _say_next(workspace: Workspace, outcome: RunOutcome) -> None:
    """What comes after the first build of a model that ``mintage certify`` can judge."""
    made = [name for name, action in outcome.actions.items() if name.startswith("model:") and action != "keep"]
    for name in made:
        model = name.removeprefix("model:")
        if read_lock(workspace.root, name) is None or read_lock(workspace.root, f"certificate:{model}") is not None:
            continue
        spec = workspace.model_spec(model)
        if spec.task == "binary" and len(spec.targets) == 1:
            say("Next: mintage certify" + (f" {model}" if len(workspace.project().models) > 1 else ""))


def _warn_of_untrusted_key(context: Context) -> None:
    """In a clone the models are built and signed all the same, but by a key that the project does not know yet."""
    if not context.workspace.project().models:
        return
    try:
        context.signer_for("model")
    except (RefusedError, ProjectError) as error:
        say(f"note: what was built cannot be certified or released here: {error.message}")
        say(f"hint: {error.hint}")


def _show(context: Context, event: Event, heartbeat: Heartbeat) -> None:
    heartbeat.close()
    if event.what == "restore":
        say(f"  {event.stage:<12} restored, {event.detail or 'the same was made before'}")
    elif event.what == "download":
        say(f"  {event.stage:<12} downloaded ({event.detail})")
    elif event.what == "start":
        say(f"  {event.stage:<12} running ({event.detail})" if event.detail else f"  {event.stage:<12} running")
        if event.log is not None:
            heartbeat.begin(event.stage, event.log)
    elif event.what == "skip":
        say(f"  {event.stage:<12} skipped, because {event.detail} failed")
    elif event.what == "note":
        say(f"    note: it {event.detail}")
    elif event.what == "learn" and event.learned is not None:
        _show_learned(event.stage, event.learned)
    elif event.what == "find" and event.found is not None:
        _show_found(event.found)
    elif event.what == "fail":
        say(f"  {event.stage:<12} not built: {event.detail}")
    elif event.what == "end":
        say(f"  {event.stage:<12} done in {event.duration_s:.1f} s{event.detail and ': ' + event.detail}")
    elif event.what == "tell":
        say(f"  {event.stage:<12} {event.detail}")
    elif event.what == "write":
        from mintage.cli.new_file import show_new_file

        say(f"  {event.stage:<12} inferred from what the stages read and wrote; please look at it:")
        show_new_file(event.detail, (context.workspace.root / event.detail).read_text(), out=say)
        if context.workspace.git.ignored([event.detail]):
            say(f"    note: a .gitignore keeps it out of Git; `git add -f {event.detail}` takes it in")


def _show_learned(stage: str, learned: Learned) -> None:
    """What was written into mintage.yaml, as a diff, and what it was taken from."""
    if learned.suggested:
        say(f"  {stage:<12} differs from what mintage.yaml says; `mintage run --record {stage} --yes` writes:")
        for line in learned.suggested:
            say(f"    {line}")
    if learned.diff:
        say(f"  {stage:<12} written into mintage.yaml, from what it did:")
    elif not learned.suggested and not learned.facts.stage.declares_nothing:
        say(f"  {stage:<12} does what mintage.yaml says")
    elif not learned.suggested:
        say(f"  {stage:<12} reads and writes no file of the project: nothing to declare")
    for line in learned.diff:
        say(f"    {line}")
    for title, values in (("parameters", learned.proposal.parameters), ("seeds", learned.proposal.seeds)):
        shown = [f"{value.name} = {value.value} ({value.where})" for value in values[:_SHOWN]]
        if shown:
            more = f", and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
            say(f"    {title} in its code and files: {', '.join(shown)}{more}")
    told = tuple(f"({value.where})" for value in learned.proposal.seeds[:_SHOWN])
    if others := [seed for seed in learned.outcome.seeds if not seed.endswith(told)]:
        say(f"    seeds set: {', '.join(others)}")
    for remark in learned.proposal.remarks:
        say(f"    note: it {remark}")


def _show_found(found: FoundModels) -> None:
    """Models among what the stages wrote, as lines of mintage.yaml, and what is none."""
    if found.diff:
        say(f"  {'models':<12} found in what the stages wrote; written into mintage.yaml:")
    for line in found.diff:
        say(f"    {line}")
    for remark in found.remarks:
        say(f"    note: {remark}")


def _summary(outcome: RunOutcome) -> None:
    done = [name for name, action in outcome.actions.items() if action != "keep"]
    if not done:
        emit(f"up to date: {plural(len(outcome.actions), 'stage')}")
        return
    kept = len(outcome.actions) - len(done)
    emit(f"run {outcome.run_id}: {', '.join(done)}" + (f"; {kept} up to date" if kept else ""))
