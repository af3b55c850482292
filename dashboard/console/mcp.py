"""`driftline mcp`: a server for agents, on standard input and output."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.access.access_file import read_access_file
from dashboard.console.opening import check_there
from dashboard.places import access_file
from loaders.errors import DriftlineError


def mcp(given: argparse.Namespace) -> int:
    """Serve until the client goes; standard output is the protocol's alone."""
    # A store may come later; a folder that isn't there is a slip, which agents would hear of at their first question.
    check_there(given.path)
    hidden = hidden_from(given)
    from dashboard.console.tools import server

    server(given, hidden).run("stdio")
    return 0


def hidden_from(given: argparse.Namespace) -> tuple[str, ...]:
    """Patterns of the runs that stay hidden: those that whoever it is started for may not see; all private ones, where
    nobody is named.

    Raises:
        DriftlineError: The access file is wrong, or has no role for whoever is named.
    """
    named = Path(given.access).expanduser() if given.access else access_file()
    somebody = bool(given.email or given.group)
    if not given.access and not named.is_file():
        if somebody:
            raise DriftlineError(
                f"--email and --group need an access file (looked for {named}): name it with --access."
            )
        return ()
    policy = read_access_file(named)
    if not somebody:
        return tuple(dict.fromkeys(pattern for entry in policy.private for pattern in entry.runs))
    reader = policy.reader({"sub": "mcp", "email": given.email, policy.claim: given.group})
    if reader is None:
        raise DriftlineError(f"{named} has no role for {given.email or ', '.join(given.group)}.")
    return reader.hidden
