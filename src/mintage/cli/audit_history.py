"""Hold the project's files against this clone's audit log: the openings that it entered, and what it witnessed."""

from __future__ import annotations

from mintage.certify.openings import check_entered, entered_openings
from mintage.certify.sealed import openings_path
from mintage.certify.witnessed import Witnessed, check_history
from mintage.cli.context import Context
from mintage.cli.holdout_commit import check_known, lines_of

__all__ = ["check_openings"]


def check_openings(context: Context) -> int:
    """How many openings of sealed hold-outs the log has, all of which are in the project; raises HoldoutHistoryError
    for one that is gone, and where Git no longer has a policy's commit that this clone witnessed."""
    events = [event for _, event in context.audit_log.events()]
    seals = {(event.resource, str(event.details["seal"])) for event in events if "seal" in event.details}
    count = 0
    for model, seal in sorted(seals):
        lines, where = lines_of(context, model), openings_path(model)
        entered = entered_openings(events, seal)
        check_entered(lines, entered, where=where)
        check_known(context, lines, seal, where)
        count += sum(item.line is not None for item in entered)
    for event in events:
        if event.action == "policy.witness":
            said = event.details
            word = Witnessed(by="this clone", policy=said["policy"], commit=said["commit"], at=event.at)
            check_history(context.workspace.git, word, event.resource)
    return count
