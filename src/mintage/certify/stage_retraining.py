"""Retrain a model by the project's own stages, for checks that ask what the pipeline makes of another input.

The stages run as ``pipeline.repeat`` has it; the fitted estimator answers for itself in its process, closed off like
any other, so nothing is lowered or signed. Each change is tried once: a second check, or a second look of the same one,
gets the answers of the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from mintage.certify.answers import Answers
from mintage.certify.evidence import Split
from mintage.certify.gather import of_task, read_labels
from mintage.certify.retrained_metric import skill_metric
from mintage.certify.retraining import Change, Remade, Retrained, Retrainings
from mintage.errors import EvidenceInvalidError, MintageError, NotRepeatableError
from mintage.lower.description import Description
from mintage.lower.extraction import Native
from mintage.model.prove import Columns, answer
from mintage.model.signature import Signature
from mintage.pipeline.confinement import Limits
from mintage.pipeline.edit_table import exchange, halve
from mintage.pipeline.extract import open_extractor
from mintage.pipeline.repeat import Edit, Repeated, Repeater, open_repeater
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.table import input_columns, plain_column, read_table
from mintage.repo.locks import Item
from mintage.repo.modelfile import ModelSpec
from mintage.repo.workspace import Workspace

__all__ = ["StageRetraining"]

_TEXT = 300


class StageRetraining:
    """Retrains the model of ``spec``, made at ``commit`` as ``estimator``; ``stack`` closes what it opens.

    ``holdout`` is the recorded one with its answers; ``tell`` gets a line for each retraining that is done.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        spec: ModelSpec,
        commit: str,
        estimator: Item,
        signature: Signature,
        holdout: Split,
        holdout_path: str,
        stack: ExitStack,
        tell: Callable[[str], None],
    ) -> None:
        self._workspace, self._spec, self._commit, self._estimator = workspace, spec, commit, estimator
        self._signature, self._holdout, self._holdout_path = signature, holdout, holdout_path
        self._stack, self._tell = stack, tell
        self._repeater: Repeater | None = None
        self._done: dict[tuple[Change, int], Retrained] = {}
        self._not_done: dict[tuple[Change, int, float], tuple[str, str | None]] = {}

    def retrain(self, changes: Sequence[Change], *, seed: int, budget_s: float) -> Retrainings:
        """See Retraining."""
        ends = time.monotonic() + budget_s
        done: list[Retrained] = []
        for change in changes:
            found = self._done.get((change, seed))
            refused = self._not_done.get((change, seed, budget_s))
            if found is None and refused is None:
                place = f"{len(done) + 1} of {len(changes)}"
                found, refused = self._try(change, seed=seed, ends=ends, place=place, budget_s=budget_s)
            if found is None:
                why, hint = refused or ("", None)
                return Retrainings(done=tuple(done), why=why, hint=hint)
            done.append(found)
        return Retrainings(done=tuple(done))

    def _try(
        self, change: Change, *, seed: int, ends: float, place: str, budget_s: float
    ) -> tuple[Retrained | None, tuple[str, str | None] | None]:
        """One retraining, or why it was not done and what to do about it."""
        began = time.monotonic()
        late = (f"the {budget_s:g} s of `budget_s` were over", "raise `budget_s`, or ask for fewer retrainings")
        why: tuple[str, str | None]
        try:
            found = self._retrained(change, seed=seed, left_s=lambda: ends - time.monotonic())
        except TimeoutError:
            why = late
        except MintageError as error:  # what is asked of the estimator ends with the time too
            why = late if time.monotonic() >= ends else (_said(error), error.hint)
        else:
            self._tell(f"  retrained {change.words}, {place}: {self._skill(found)}, {time.monotonic() - began:.1f} s")
            self._done[change, seed] = found
            return found, None
        self._tell(f"  not retrained {change.words}, {place}: {why[0]}")
        self._not_done[change, seed, budget_s] = why
        return None, why

    def _skill(self, found: Retrained) -> str:
        """How well it does on the hold-out that judges it."""
        metric, made = skill_metric(self._holdout.task), found.remade
        labels, answers = (self._holdout.labels, found.recorded) if made is None else (made.labels, made.answers)
        return f"{metric.label} {metric.value(labels, answers):.3f}"

    def _retrained(self, change: Change, *, seed: int, left_s: Callable[[], float]) -> Retrained:
        if left_s() <= 0:
            raise TimeoutError
        if self._repeater is None:
            self._repeater = self._stack.enter_context(
                open_repeater(
                    self._workspace, commit=self._commit, estimator=self._estimator, wanted=[self._holdout_path]
                )
            )
        repeated = self._repeater(
            edit=self._edit(change, seed, self._repeater),
            seed=change.number if change.kind == "seed" else None,
            left_s=left_s,
        )
        if repeated is None:
            raise NotRepeatableError(
                f"no table that the stages read has the column {change.column}",
                expected="a CSV or Parquet file with it, read by a stage from which the model is made",
                hint="let a stage write such a table, or read one, before the model is fitted",
            )
        return self._asked(repeated, left_s=left_s)

    def _edit(self, change: Change, seed: int, repeater: Repeater) -> Edit | None:
        """What is done to each file; its draws depend on seed, change and path alone."""
        if change.kind not in ("exchange", "half") or change.column is None:
            return None
        column, group, train = change.column, self._spec.group_key, self._spec.data.train
        only_train = repeater.reads(train)

        def apply(file: Path, path: str) -> bool:
            rng = np.random.default_rng([seed, change.number, *column.encode(), *path.encode()])
            if change.kind == "exchange":
                return exchange(file, column, rng)
            wanted = path == train if only_train else path != self._holdout_path
            return wanted and halve(file, column, rng, group=group)

        return Edit(name=f"{change.kind} {column}", apply=apply)

    def _asked(self, repeated: Repeated, *, left_s: Callable[[], float]) -> Retrained:
        """What the retrained estimator answers."""
        limits = Limits.of_this_machine()
        limits = replace(limits, timeout_s=min(limits.timeout_s, max(1.0, left_s())))
        with (
            open_extractor(repeated.workspace, repeated.estimator, limits=limits) as extract,
            Scratch(repeated.workspace.tmp_dir) as scratch,
        ):

            def asked(columns: Columns) -> Answers:
                if left_s() <= 0:
                    raise TimeoutError
                rows, description = answer("rows", columns, extract, scratch.private / "rows")
                self._check_answers(rows.native, description)
                return self._holdout.answers.of(of_task(rows.native.values, self._holdout.task))

            is_remade = repeated.has_changed(self._holdout_path)
            remade = self._remade(repeated.workspace.root / self._holdout_path, asked) if is_remade else None
            return Retrained(recorded=asked(self._holdout.columns), remade=remade, is_same=repeated.is_same)

    def _check_answers(self, native: Native, description: Description) -> None:
        classes = tuple(description.classes[0]) if description.classes else ()
        if classes == tuple(self._signature.classes) and not native.failed.any():
            return
        raise EvidenceInvalidError(
            "the retrained estimator does not answer as the model does",
            expected=f"{', '.join(map(str, self._signature.classes)) or 'a number'} for each row",
            found=f"{', '.join(map(str, classes)) or 'numbers'}; {int(native.failed.sum())} rows refused",
        )

    def _remade(self, file: Path, asked: Callable[[Columns], Answers]) -> Remade:
        """The hold-out that the repeated stages made."""
        spec, where = self._spec, self._holdout_path
        table = read_table(file, spec=spec, where=where)
        if table.num_rows == 0:
            raise EvidenceInvalidError(
                "the hold-out that the changed pipeline made has no rows",
                where=where,
                hint="let the pipeline split by shares, or by values of a column, and not by how many rows there are",
            )
        return Remade(
            labels=read_labels(table, spec, self._signature, where=where),
            answers=asked(input_columns(table, spec, where=where)),
            groups=plain_column(table, spec.group_key, where=where) if spec.group_key else None,
        )


def _said(error: MintageError) -> str:
    """The message and its last line, which of a stage is what its command said last."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    text = lines[0] if len(lines) < 2 else f"{lines[0]}: {lines[-1]}"
    return text[:_TEXT]
