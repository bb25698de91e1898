"""Offer to commit the files that a command wrote, and only those: never a file that its user was editing.

On a terminal it asks; with ``--yes`` it commits; else it prints the one command that does it. Nothing need be committed
to go on.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence

from mintage.cli.ask import ask_yes, can_ask
from mintage.cli.console import say
from mintage.errors import GitError
from mintage.repo.git import Git

__all__ = ["listed", "offer_commit"]


def offer_commit(
    git: Git, paths: Sequence[str], message: str, *, yes: bool, ask: bool, theirs: Collection[str] = ()
) -> str | None:
    """Commit ``paths`` without ``theirs``, which held changes of the user's own; returns the commit, if one was made.

    With ``ask`` a person at a terminal is asked first. A refusal by Git (a merge under way, nobody's name is known) is
    told with the command to type later.
    """
    own = [path for path in paths if path not in theirs]
    if mixed := [path for path in paths if path in theirs]:
        say(f"{', '.join(mixed)}: has changes of yours too, so committing it is left to you.")
    if not own:
        return None
    command = f"git add {_words(own)} && git commit -m {shlex.quote(message)}"
    if not git.has_identity():
        say("Not committed, for Git does not know your name; nothing need be to go on. To keep it in Git:")
        say("  git config user.name NAME && git config user.email ADDRESS")
        say(f"  {command}")
        return None
    if not yes and not (ask and can_ask() and ask_yes(f"Commit {listed(own)}?")):
        say("Not committed; nothing need be to go on. To keep it in Git:")
        say(f"  {command}")
        return None
    try:
        commit = git.commit(own, message)
    except GitError as error:
        say(f"not committed: {error.found or error.message}")
        say(f"  later: {command}")
        return None
    say(f"Committed {listed(own)} as {commit[:10]}: {message}")
    return commit


def _words(paths: Sequence[str]) -> str:
    """The paths as words for a shell, a folder for its files."""
    return " ".join(shlex.quote(path) for path in _gathered(paths))


def listed(paths: Sequence[str]) -> str:
    """The paths in few words, the locks by their folder.

    >>> listed(["mintage.yaml", "mintage.lock/train.json", "mintage.lock/model%3Achurn.json"])
    'mintage.yaml, mintage.lock'
    """
    return ", ".join(_gathered(paths))


def _gathered(paths: Sequence[str]) -> list[str]:
    """Locks by their folder, other paths as they are."""
    return list(dict.fromkeys("mintage.lock" if path.startswith("mintage.lock/") else path for path in paths))
