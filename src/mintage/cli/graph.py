"""``mintage graph``: the pipeline as text, Mermaid, DOT or a page."""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.pipeline.model_stage import model_stages
from mintage.pipeline.picture import as_dot, as_mermaid, as_text, picture
from mintage.pipeline.status import stage_states
from mintage.store.publish import publish_bytes
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "mermaid", "dot", "html"), default="text", help="(text)")
    parser.add_argument("--members", action="store_true", help="show each member of a matrix")
    parser.add_argument("--output", metavar="FILE", help="write it there")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    project = workspace.project(allow_unmade=True)
    workspace.prepare()
    with StatCache(workspace.cache_database) as cache:
        known = stage_states(workspace, cache, model_stages(workspace, signer=None))
    states = {state.name: "; ".join(state.reasons[:2]) for state in known}
    found = picture(project, states=states, members=arguments.members)
    if arguments.json:
        emit_json(
            {
                "nodes": [
                    {"name": node.name, "what": node.what, "members": node.count, "state": node.state}
                    for node in found.nodes
                ],
                "edges": [[need, node.name] for node in found.nodes for need in node.needs],
            }
        )
        return 0
    if arguments.format == "html":
        from mintage.report.graph_page import graph_page

        target = Path(arguments.output) if arguments.output else workspace.reports_dir / "pipeline.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        publish_bytes(target, graph_page(found, project.project).encode())
        say(f"Wrote {target}")
        return 0
    text = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}[arguments.format](found)
    if arguments.output:
        publish_bytes(Path(arguments.output), f"{text}\n".encode())
        say(f"Wrote {arguments.output}")
    else:
        emit(text or "no stages yet")
    return 0
