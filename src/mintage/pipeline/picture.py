"""The graph of a pipeline as something to look at: data, stages and models, and what goes from one to the other. Pure.

Members of a matrix are one node unless they are asked for. ``as_text`` is for a terminal, ``as_mermaid`` for Markdown,
``as_dot`` for Graphviz.

>>> from mintage.repo.project import parse_project
>>> project = parse_project(b'''
... project: p
... stages:
...   clean: {run: x, in: [raw.csv], out: [clean.csv]}
...   fit: {run: x, in: [clean.csv], out: [m.bin]}
... models: {m: {from: m.bin, target: y}}
... ''', where="mintage.yaml")
>>> print(as_text(picture(project)))
raw.csv
  clean        <- raw.csv
    fit        <- clean
      model:m  <- fit
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mintage.pipeline.graph import Makers, order
from mintage.repo.project import Project

__all__ = ["Node", "Picture", "as_dot", "as_mermaid", "as_text", "picture"]

_MOST_FILES = 200


@dataclass(frozen=True, kw_only=True)
class Node:
    """One box: what it needs by name; ``count`` members in one; ``state`` says why it is out of date ("": it is not),
    None where that was not asked."""

    name: str
    what: Literal["data", "stage", "model"]
    needs: tuple[str, ...] = ()
    count: int = 1
    state: str | None = None

    @property
    def label(self) -> str:
        """Its name, and how many members it stands for."""
        return self.name if self.count == 1 else f"{self.name} ({self.count} members)"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The boxes, each after those that it needs; ``depth`` is the length of the longest way to it."""

    nodes: tuple[Node, ...]

    @property
    def depth(self) -> dict[str, int]:
        """By name."""
        found: dict[str, int] = {}
        for node in self.nodes:
            found[node.name] = max((found[need] + 1 for need in node.needs if need in found), default=0)
        return found


def picture(project: Project, *, states: Mapping[str, str] | None = None, members: bool = False) -> Picture:
    """The picture of a project; ``states`` has why each stage is out of date, "" if it is not."""
    makers = Makers(project.stages)
    shown = {} if members else {name: family for family, made in project.families.items() for name in made}
    data: dict[str, None] = {}
    needs: dict[str, dict[str, None]] = {}
    for name in order(project.stages):
        mine = needs.setdefault(shown.get(name, name), {})
        for path in project.stages[name].inputs:
            made_by = sorted({shown.get(maker, maker) for maker in makers.all_of(path.rstrip("/"))})
            mine |= dict.fromkeys(made_by or [path])
            if not made_by:
                data[path] = None
    nodes = [Node(name=path, what="data") for path in list(data)[:_MOST_FILES]]
    left = set(list(data)[_MOST_FILES:])
    for name, mine in needs.items():
        made = project.families.get(name, (name,)) if not members else (name,)
        nodes.append(
            Node(
                name=name,
                what="stage",
                needs=tuple(need for need in mine if need not in left and need != name),
                count=len(made),
                state=_state(made, states),
            )
        )
    for name, model in project.models.items():
        maker = makers.of(model.source)
        source = (shown.get(maker, maker),) if maker is not None else ()
        nodes.append(Node(name=f"model:{name}", what="model", needs=source, state=_state((f"model:{name}",), states)))
    return Picture(nodes=_ordered(nodes))


def _ordered(nodes: list[Node]) -> tuple[Node, ...]:
    """Each after what it needs: a family stands where its last member could."""
    left = {node.name: node for node in nodes}
    found: dict[str, Node] = {}
    while left:
        ready = [node for node in left.values() if all(need in found or need not in left for need in node.needs)]
        for node in ready or list(left.values())[:1]:
            found[node.name] = left.pop(node.name)
    return tuple(found.values())


def _state(names: tuple[str, ...], states: Mapping[str, str] | None) -> str | None:
    if states is None:
        return None
    stale = [name for name in names if states.get(name)]
    if not stale:
        return ""
    return states[stale[0]] if len(names) == 1 else f"{len(stale)} of {len(names)} members are out of date"


def as_text(found: Picture) -> str:
    """Lines for a terminal, each indented by its depth."""
    depth = found.depth
    width = max((2 * depth[node.name] + len(node.label) for node in found.nodes), default=0)
    lines = []
    for node in _walk(found):
        head = f"{'  ' * depth[node.name]}{node.label}"
        needs = f"  <- {', '.join(node.needs)}" if node.needs else ""
        state = "" if node.state is None else "  ok" if node.state == "" else f"  ! {node.state}"
        lines.append((head.ljust(min(width, 60)) + needs + (state if node.what != "data" else "")).rstrip())
    return "\n".join(lines)


def _walk(found: Picture) -> list[Node]:
    """A node as near as possible behind the first that it needs, so that what belongs together stands together."""
    users: dict[str, list[Node]] = {}
    for node in found.nodes:
        for need in node.needs:
            users.setdefault(need, []).append(node)
    done: dict[str, Node] = {}
    waiting = [node for node in reversed(found.nodes) if not node.needs]
    while waiting:
        node = waiting.pop()
        if node.name in done or any(need not in done for need in node.needs):
            continue
        done[node.name] = node
        waiting += reversed(users.get(node.name, []))
    return [*done.values(), *(node for node in found.nodes if node.name not in done)]


def as_mermaid(found: Picture) -> str:
    """A flow chart that GitHub and GitLab draw in Markdown."""
    ids = {node.name: f"n{index}" for index, node in enumerate(found.nodes)}
    shapes = {"data": '[("{}")]', "stage": '["{}"]', "model": '(["{}"])'}
    lines = ["flowchart TD"]
    for node in found.nodes:
        text = node.label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        lines.append(f"  {ids[node.name]}{shapes[node.what].format(text)}")
    lines += [f"  {ids[need]} --> {ids[node.name]}" for node in found.nodes for need in node.needs]
    stale = [ids[node.name] for node in found.nodes if node.state]
    if stale:
        lines += ["  classDef stale stroke-dasharray: 4 3", f"  class {','.join(stale)} stale"]
    return "\n".join(lines)


def as_dot(found: Picture) -> str:
    """A digraph for Graphviz."""
    shapes = {"data": "cylinder", "stage": "box", "model": "component"}
    lines = ["digraph pipeline {", "  rankdir=TB;"]
    for node in found.nodes:
        style = ", style=dashed" if node.state else ""
        lines.append(f"  {json.dumps(node.name)} [shape={shapes[node.what]}, label={json.dumps(node.label)}{style}];")
    lines += [f"  {json.dumps(need)} -> {json.dumps(node.name)};" for node in found.nodes for need in node.needs]
    return "\n".join([*lines, "}"])
