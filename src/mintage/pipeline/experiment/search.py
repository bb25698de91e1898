"""Let Optuna choose the values of the next experiment: it is asked, and told what came out.

The sampler is seeded, so the same search over the same results asks for the same values: one that was interrupted goes
on through the experiments that are done. This is the one file that imports Optuna.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from mintage.errors import ExtraMissingError
from mintage.pipeline.experiment.sweep import Axis, number_text

__all__ = ["Search"]


class Search:
    """A study in memory; raises ExtraMissingError without Optuna."""

    def __init__(self, axes: Sequence[Axis], *, maximize: bool, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            raise ExtraMissingError(
                "--optuna needs Optuna, which is not installed", hint="pip install 'mintage[optuna]', or use --random N"
            ) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._axes = axes
        self._failed = optuna.trial.TrialState.FAIL
        sampler = optuna.samplers.TPESampler(seed=seed)
        self._study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
        self._open: list[tuple[Mapping[str, str], Any]] = []

    def ask(self) -> dict[str, str]:
        """Values to try next."""
        trial = self._study.ask()
        settings = {axis.name: _suggested(trial, axis) for axis in self._axes}
        self._open.append((settings, trial))
        return settings

    def tell(self, settings: Mapping[str, str], value: float | None) -> None:
        """What came out of values that were asked for; None if they failed, or did not give the metric."""
        for index, (asked, trial) in enumerate(self._open):
            if asked == settings:
                del self._open[index]
                self._study.tell(trial, value, state=self._failed if value is None else None)
                return


def _suggested(trial: Any, axis: Axis) -> str:
    span = axis.span
    if span is None:
        return str(trial.suggest_categorical(axis.name, axis.choices))
    if span.whole:
        step = round(span.step or 1)
        found = trial.suggest_int(axis.name, round(span.low), round(span.high), step=step, log=span.log)
        return number_text(int(found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the last step does not meet the end of the range
        return number_text(trial.suggest_float(axis.name, span.low, span.high, step=span.step, log=span.log))
