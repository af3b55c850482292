"""The commands in a terminal: open a store or find who owns it, do the work, print what came of it.

Each module imports what its commands need and no more: importing takes longer than most of them.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

MODULES = {
    "view": "viewing",
    "ingest": "ingesting",
    "rates": "asking",
    "compare": "asking",
    "export": "asking",
    "compact": "asking",
    "backup": "keeping",
    "restore": "keeping",
    "migrate": "migrating",
    "serve": "serving",
    "docs": "reading",
    "map": "mapping",
    "formats": "formats",
    "samples": "finding",
    "search": "finding",
    "transcript": "finding",
    "query": "finding",
    "mcp": "mcp",
    "plan": "planning",
}
"""The module of each command, which has a function of the command's name."""

BRIEF = ("asking", "finding", "planning", "formats")
"""Modules of commands that answer and end."""


def run(given: argparse.Namespace) -> int:
    """Run one command.

    Raises:
        DriftlineError: Whatever a user can put right.
    """
    name = MODULES[given.command]
    with uncollected():
        module = import_module(f"dashboard.console.{name}")
        if name in BRIEF:
            return int(getattr(module, given.command)(given))
    return int(getattr(module, given.command)(given))


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in circles meanwhile.

    Imports make hundreds of thousands of objects that stay, and each search goes through them anew: a seventh of what
    a command takes. A brief one's own garbage is freed by its end.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
