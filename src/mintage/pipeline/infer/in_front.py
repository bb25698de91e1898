"""Whether something that changes columns may stand in front of an estimator, in a file of its own.

A scaler saved beside a model was most likely fitted before it, and then the model does not take the table as it is,
though names and number of columns may fit. Nothing in the files says so: it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from mintage.lower.extraction import Glance
from mintage.pipeline.estimator_file import names_an_estimator
from mintage.pipeline.facts import Inspector
from mintage.pipeline.graph import maker_of
from mintage.pipeline.infer.finding import question
from mintage.pipeline.infer.glance_at import look_at
from mintage.pipeline.stage_data import files_of
from mintage.repo.locks import Item

__all__ = ["check_in_front"]

_PIPELINE = "sklearn.pipeline.Pipeline"
_OF_LABELS = ("LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer")


def check_in_front(inspector: Inspector, model: str, estimator: Item, glance: Glance) -> None:
    """Raise ModelNotInferredError if the stage that wrote ``estimator`` wrote or read a fitted transformer too.

    A Pipeline has what stands in front of it inside; encoders of labels stand behind.
    """
    if glance.estimator == _PIPELINE:
        return
    for item in _beside(inspector, estimator):
        seen = look_at(inspector, item)
        kind = seen.type.rpartition(".")[2] if seen is not None else ""
        if seen is None or seen.role != "transformer" or kind in _OF_LABELS:
            continue
        raise question(
            model,
            "the inputs",
            expected="an estimator that takes the table as it is",
            found=f"{item.path} ({kind}) beside {estimator.path}, which may be fitted on what it gives",
            answer=f"save both as one, `make_pipeline({kind}(...), ...)` of scikit-learn, fitted on the table; if "
            f"nothing is in front of it, write models/{model}.yaml",
        )


def _beside(inspector: Inspector, estimator: Item) -> Iterator[Item]:
    """Files of estimators that its stage wrote or read."""
    lock = inspector.locks.get(maker_of(inspector.project.stages, estimator.path) or "")
    for item in (*lock.outputs, *lock.inputs) if lock is not None else ():
        for file in files_of(item, inspector.store) if inspector.store.has(item.digest) else ():
            if file.path != estimator.path and names_an_estimator(file.path) and inspector.store.has(file.digest):
                yield file
