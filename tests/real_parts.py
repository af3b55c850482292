"""Parts that not every computer has: real logs beside the repository, a browser, servers of models.

A test that wants one of them is skipped where it is missing. Where all are meant to be there, as in `.ci/run`,
DRIFTLINE_ALL_PARTS says so, and a missing one is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ALL_PARTS = "DRIFTLINE_ALL_PARTS"

_SHARED = Path(__file__).resolve().parents[2] / "shared"
SHARED_DATA = _SHARED / "data"
"""Logs that nobody in this project wrote."""
SHARED_CASES = _SHARED / "cases"
"""Small folders that were drawn wrong once."""

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def missing(part: str) -> NoReturn:
    """Skip the test for lack of a part; fail it where all parts are meant to be there."""
    if os.environ.get(ALL_PARTS):
        pytest.fail(f"{part} ({ALL_PARTS} is set)", pytrace=False)
    pytest.skip(part)


def folder(path: Path) -> Path:
    """A folder of real files."""
    return path if path.is_dir() else missing(f"real files are missing: {path}")


def program(*names: str, path: str | None = None) -> str:
    """A program under the first of its names that is on this computer.

    Args:
        names: What it may be called.
        path: Where to look, instead of PATH.
    """
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    return found or missing(f"no {names[0]} on this computer (looked for {', '.join(names)})")


def server(variable: str) -> str:
    """The server of models that a variable names: DRIFTLINE_VLLM (.ci/vllm makes one), DRIFTLINE_LLAMA (.ci/serve)."""
    return os.environ.get(variable) or missing(f"{variable} names no server of models (see .ci/vllm and .ci/serve)")
