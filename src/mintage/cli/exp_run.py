"""``mintage exp run``: plan the variants, then run them beside the work tree."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import msgspec

from mintage.cli.console import emit, emit_json, plural, say
from mintage.cli.context import Context, now
from mintage.cli.exp_list import experiment_table
from mintage.errors import RefusedError, UnknownNameError, UsageError
from mintage.pipeline.experiment.collection import find, list_experiments
from mintage.pipeline.experiment.experiment import Experiment, Found
from mintage.pipeline.experiment.make import make
from mintage.pipeline.experiment.naming import check_experiment_name
from mintage.pipeline.experiment.run_all import run_all
from mintage.pipeline.experiment.sweep import Axis, draw, grid, parse_axis
from mintage.pipeline.select import Selection, select
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    if arguments.name is not None:
        check_experiment_name(arguments.name)
    axes = [parse_axis(setting) for setting in arguments.set]
    _check(arguments, axes)
    stages = () if arguments.go_on else _stages(workspace, arguments.names)
    with workspace.lock("run"):
        if workspace.tmp_dir.exists():
            workspace.clear_scratch()
        if arguments.go_on:
            refs = _go_on(workspace, arguments.jobs)
        elif arguments.optuna:
            refs = _search(workspace, arguments, axes, stages)
        else:
            settings = draw(axes, count=arguments.random, seed=arguments.seed) if arguments.random else grid(axes)
            if arguments.random and len(settings) < arguments.random:
                say(f"There are only {plural(len(settings), 'combination')}.")
            refs = _try(workspace, settings, stages, name=arguments.name, jobs=arguments.jobs)
    return _report(workspace, refs, as_json=arguments.json)


def _check(arguments: argparse.Namespace, axes: Sequence[Axis]) -> None:
    if len({axis.name for axis in axes}) < len(axes):
        raise UsageError("a parameter is set twice", hint="list its values, as in -S depth=2,4")
    if arguments.go_on and (axes or arguments.names or arguments.random or arguments.optuna):
        raise UsageError("--continue runs what was planned, and takes nothing else", hint="mintage exp run --continue")
    if (arguments.random or arguments.optuna) and not axes:
        raise UsageError("there is nothing to draw from", hint="name the values, as in -S lr=0.001..0.1:log")
    if arguments.random and arguments.optuna:
        raise UsageError("--random or --optuna, not both")
    if bool(arguments.optuna) != bool(arguments.minimize or arguments.maximize):
        raise UsageError("--optuna goes with --minimize METRIC or --maximize METRIC")
    if arguments.minimize and arguments.maximize:
        raise UsageError("--minimize or --maximize, not both")


def _stages(workspace: Workspace, names: Sequence[str]) -> tuple[str, ...]:
    """The stages asked for, checked; refuses a project whose stages were never recorded."""
    project = workspace.project()
    blank = [name for name, stage in project.stages.items() if stage.declares_nothing]
    if not project.stages or blank:
        raise RefusedError(
            f"stage {blank[0]} declares nothing yet" if blank else "the project has no stage",
            where="mintage.yaml",
            hint="`mintage run` once: it records what the stages read and write",
        )
    select(project, Selection(targets=tuple(names)))
    return tuple(names)


def _try(
    workspace: Workspace,
    settings: Sequence[Mapping[str, str]],
    stages: Sequence[str],
    *,
    name: str | None,
    jobs: int,
) -> list[str]:
    """Make and run the experiments; returns their refs, those of the ones done before too."""
    new, done = make(workspace, settings, stages=stages, name=name)
    for found in done:
        say(f"  {found.experiment.name}  done before, with the same files and values")
    _run(workspace, new, jobs)
    return [found.ref for found in (*done, *new)]


def _go_on(workspace: Workspace, jobs: int) -> list[str]:
    known = sorted(list_experiments(workspace), key=lambda found: found.at)
    planned = [found for found in known if found.experiment.state == "planned"]
    if not planned:
        say("Nothing is left to run.")
    _run(workspace, planned, jobs)
    return [found.ref for found in planned]


def _search(
    workspace: Workspace, arguments: argparse.Namespace, axes: Sequence[Axis], stages: Sequence[str]
) -> list[str]:
    """Ask Optuna for values, run them, tell it what they gave, until the count is reached."""
    from mintage.pipeline.experiment.search import Search

    metric = arguments.minimize or arguments.maximize
    search = Search(axes, maximize=bool(arguments.maximize), seed=arguments.seed)
    refs: dict[str, None] = {}
    left = arguments.optuna
    while left > 0:
        asked = [search.ask() for _ in range(min(arguments.jobs, left))]
        left -= len(asked)
        refs |= dict.fromkeys(_try(workspace, asked, stages, name=arguments.name, jobs=arguments.jobs))
        known = list_experiments(workspace)
        results = [find(known, ref).experiment for ref in refs]
        _check_metric(metric, results)
        for settings in asked:
            search.tell(settings, next((one.metrics.get(metric) for one in results if one.set == settings), None))
    return list(refs)


def _check_metric(name: str, results: Sequence[Experiment]) -> None:
    """Refuse to search for a metric that nothing measures."""
    names = list(dict.fromkeys(key for one in results for key in one.metrics))
    if names and name not in names:
        raise UnknownNameError(
            f"no experiment measured {name!r}",
            expected=", ".join(names[:8]),
            hint=nearest_hint(name, names, otherwise="name one of these"),
        )


def _run(workspace: Workspace, planned: Sequence[Found], jobs: int) -> None:
    if len(planned) > 1:
        say(f"{plural(len(planned), 'experiment')} to run, {min(jobs, len(planned))} at once")
    run_all(workspace, planned, jobs=jobs, opened=lambda: Context(workspace), clock=now, on_end=_tell)


def _tell(one: Experiment) -> None:
    if one.error is not None:
        first, *rest = one.error.splitlines()
        say(f"  {one.name}  failed in {one.duration_s:.1f} s: {first}" + (f": {rest[-1].strip()}" if rest else ""))
        return
    measured = ", ".join(f"{key} {value:.6g}" for key, value in list(one.metrics.items())[:4])
    say(f"  {one.name}  done in {one.duration_s:.1f} s{measured and ': ' + measured}")


def _report(workspace: Workspace, refs: Sequence[str], *, as_json: bool) -> int:
    known = list_experiments(workspace)
    found = [find(known, ref) for ref in refs]
    failed = [each for each in found if each.experiment.state == "failed"]
    if as_json:
        emit_json([{"commit": each.commit, **msgspec.to_builtins(each.experiment)} for each in found])
    elif found:
        emit(experiment_table(found))
        done = [each for each in found if each.experiment.state == "done"]
        if failed:
            say(
                f"{plural(len(failed), 'experiment')} failed: `mintage logs STAGE` shows what the last said; "
                "the same command tries them again."
            )
        if done:
            names = [each.experiment.name for each in done[:2]]
            say(f"Next: mintage exp compare {' '.join(names if len(names) > 1 else ['HEAD', *names])}")
    return 6 if failed else 0
