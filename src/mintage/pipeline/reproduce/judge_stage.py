"""How near the outputs of one stage, or a built model, came to those that its lock recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mintage.pipeline.key import explain
from mintage.pipeline.reproduce.compare import Nearness, compare, worst
from mintage.pipeline.reproduce.sources import Sources
from mintage.pipeline.reproduce.verdict import OutputVerdict, StageVerdict
from mintage.repo.locks import Item, Lock

__all__ = ["judge_model", "judge_stage"]

_ANSWERS = ("model.onnx", "signature.json", "golden/inputs.json", "golden/expected.json")
_OURS = frozenset(["network", "builder"])  # parts that the rebuild itself may set


def judge_stage(
    old: Lock, new: Lock, *, recorded: Sources, made: Sources, tolerance: float, models: Mapping[str, Nearness]
) -> StageVerdict:
    """A stage's outputs; ``models`` says of the path of an estimator how near the model built from it came, which
    counts where the file itself, which nobody unpickles, came out otherwise."""
    found = {item.path: item for item in new.outputs}
    outputs = []
    for item in old.outputs:
        other = found.get(item.path)
        near = _near(item, other, recorded=recorded, made=made, tolerance=tolerance)
        model = models.get(item.path)
        if near.level == "different" and model is not None and model.level != "different":
            kind = "canonical" if model.level == "identical" else model.level
            near = Nearness(kind, "another file, of which the same model is built")
        digest = None if other is None else other.digest
        outputs.append(
            OutputVerdict(path=item.path, level=near.level, recorded=item.digest, found=digest, detail=near.detail)
        )
    return StageVerdict(name=old.name, outputs=tuple(outputs), changed=_changed(old, new))


def judge_model(old: Lock, new: Lock, *, recorded: Sources, made: Sources, tolerance: float) -> StageVerdict:
    """A model, by its root, else by its graph and the original's answers to the golden rows."""
    item, other = old.outputs[0], new.outputs[0]
    if old.root == new.root:
        near = Nearness("identical")
    else:
        near = _near(item, other, recorded=recorded, made=made, tolerance=tolerance, only=lambda path: path in _ANSWERS)
        detail = near.detail or "graph and answers are the same, what the card or the profile says is not"
        near = Nearness("canonical" if near.level == "identical" else near.level, detail)
    output = OutputVerdict(
        path=item.path, level=near.level, recorded=str(old.root), found=str(new.root), detail=near.detail
    )
    return StageVerdict(name=old.name, outputs=(output,), changed=_changed(old, new))


def _near(
    item: Item,
    other: Item | None,
    *,
    recorded: Sources,
    made: Sources,
    tolerance: float,
    only: Callable[[str], bool] = lambda _: True,
) -> Nearness:
    if other is None:
        return Nearness("different", "not made")
    if item.digest == other.digest:
        return Nearness("identical")
    before, after = recorded.files(item), made.files(other)
    if before is None or after is None:
        return Nearness("different", "the recorded bytes are in no store: only the digests could be compared")
    if item.folder != other.folder or before.keys() != after.keys():
        names = sorted(before.keys() ^ after.keys())
        return Nearness("different", f"only one of them has {', '.join(names[:3])}")
    found: list[Nearness] = []
    for path in filter(only, before):
        if before[path] != after[path]:
            name = f"{item.path}/{path}" if path else item.path
            near = _compared(name, recorded.read(before[path]), made.read(after[path]), tolerance)
            found.append(Nearness(near.level, f"{path}: {near.detail}" if path else near.detail))
    level = worst(near.level for near in found)
    return next((near for near in found if near.level == level), Nearness("identical"))


def _compared(path: str, old: bytes | None, new: bytes | None, tolerance: float) -> Nearness:
    if old is None or new is None:
        return Nearness("different", "the recorded bytes are in no store: only the digests could be compared")
    return compare(path, old, new, tolerance=tolerance)


def _changed(old: Lock, new: Lock) -> tuple[str, ...]:
    """What of the parts of the key is otherwise than recorded."""
    before, after = ({key: value for key, value in lock.parts.items() if key not in _OURS} for lock in (old, new))
    return tuple(explain(before, after))
