"""The commands in a terminal: open a store or find who owns it, do the work, print what came of it.

Each module imports what its commands need and no more: importing takes longer than most of them.
"""

from __future__ import annotations

import argparse
from importlib import import_module

MODULES = {
    "view": "viewing",
    "ingest": "ingesting",
    "rates": "asking",
    "compare": "asking",
    "export": "asking",
    "compact": "asking",
    "serve": "serving",
}
"""The module of each command, which has a function of the command's name."""


def run(given: argparse.Namespace) -> int:
    """Run one command.

    Raises:
        DriftlineError: Whatever a user can put right.
    """
    module = import_module(f"dashboard.console.{MODULES[given.command]}")
    return int(getattr(module, given.command)(given))
