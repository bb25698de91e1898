"""What differs between two trees that were run: by part over all stages, and within the data of one path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from mintage.pipeline.change.parts import CODE, ENVIRONMENT, package_differences, part_differences
from mintage.pipeline.change.side import Side
from mintage.pipeline.change.trial import Trial
from mintage.repo.locks import Item
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["content_at", "data_differences", "differences_of"]

_LARGEST = 64 << 20
_SHOWN = 3
_WIDTH = 80


def differences_of(sides: tuple[Side, Side], first: Trial, last: Trial) -> dict[str, list[str]]:
    """What differs, by part, over all stages; a stage that only one has is a difference of code."""
    made = {path for side, trial in zip(sides, (first, last), strict=True) for path in side.made(trial.parts)}
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys([*first.parts, *last.parts]):
        if name not in first.parts or name not in last.parts:
            own: dict[str, list[str]] = {CODE: [f"stage {name} {'is new' if name in last.parts else 'is gone'}"]}
        else:
            same = sides[0].project.stages[name].run == sides[1].project.stages[name].run
            own = part_differences(first.parts[name], last.parts[name], made=made, same_line=same)
            if ENVIRONMENT in own:
                own[ENVIRONMENT] = package_differences(first.frozen[name], last.frozen[name])
        for part, texts in own.items():
            found[part] = list(dict.fromkeys([*found.get(part, []), *texts]))
    return found


def data_differences(workspace: Workspace, path: str, old: Item | str | None, new: Item | str | None) -> list[str]:
    """What differs between two contents of ``path``: its files, or its lines; of Parquet its rows as CSV."""
    if isinstance(old, Item) and isinstance(new, Item) and old.folder and new.folder:
        return _files(Store(workspace.store_dir), old, new)
    pair = _lines(workspace, path, old), _lines(workspace, path, new)
    if pair[0] is None or pair[1] is None:
        return [f"{path}: {_size(old)} -> {_size(new)}"]
    then, now = Counter(pair[0]), Counter(pair[1])
    said = [*_said(now - then, pair[1], "new"), *_said(then - now, pair[0], "gone")]
    return said or ["the same lines in another order"]


def content_at(store: Store, data: Mapping[str, Item | str], path: str) -> Item | str | None:
    """What ``path`` holds by itself, or within the one folder of ``data`` that it lies in; None if it is neither."""
    if path in data:
        return data[path]
    for folder, item in data.items():
        if isinstance(item, Item) and item.folder and path.startswith(f"{folder}/"):
            entries = store.get_tree(item.digest).entries if store.has(item.digest) else ()
            found = [entry for entry in entries if f"{folder}/{entry.path}" == path]
            return Item(path=path, digest=found[0].digest, size=found[0].size) if found else None
    return None


def _files(store: Store, old: Item, new: Item) -> list[str]:
    then = {entry.path: entry.digest for entry in store.get_tree(old.digest).entries}
    now = {entry.path: entry.digest for entry in store.get_tree(new.digest).entries}
    words = [
        *(f"{name} is new" for name in sorted(set(now) - set(then))),
        *(f"{name} is gone" for name in sorted(set(then) - set(now))),
        *(f"{name} changed" for name in sorted(set(then) & set(now)) if then[name] != now[name]),
    ]
    return [*words[:_SHOWN], *([f"and {len(words) - _SHOWN} more files"] if len(words) > _SHOWN else [])]


def _lines(workspace: Workspace, path: str, content: Item | str | None) -> list[bytes] | None:
    """The lines; None if they are too many, or no text."""
    if content is None or (isinstance(content, Item) and (content.folder or content.size > _LARGEST)):
        return None
    if isinstance(content, str):
        data = workspace.git.blobs([content])[content]
    else:
        data = Store(workspace.store_dir).get_bytes(content.digest)
    if path.endswith(".parquet"):
        data = _as_csv(data)
    return None if b"\0" in data[:8192] else data.splitlines()


def _as_csv(data: bytes) -> bytes:
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    sink = pa.BufferOutputStream()
    try:
        csv.write_csv(pq.read_table(pa.BufferReader(data)), sink)
    except pa.ArrowException:  # nested columns, which CSV cannot hold, or no Parquet
        return b"\0"
    return bytes(sink.getvalue())


def _said(lines: Counter[bytes], order: Iterable[bytes], what: str) -> list[str]:
    if not lines:
        return []
    shown = [line for line in dict.fromkeys(order) if line in lines][:_SHOWN]
    count = lines.total()
    texts = [line.decode(errors="replace")[:_WIDTH] for line in shown]
    more = ", …" if len(lines) > len(shown) else ""
    return [f"{count} {'line is' if count == 1 else 'lines are'} {what}: {' | '.join(texts)}{more}"]


def _size(content: Item | str | None) -> str:
    return f"{content.size} bytes ({content.digest[:11]})" if isinstance(content, Item) else str(content)[:12]
