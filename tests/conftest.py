"""Fixtures that every test file shares: the real data, and stores."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# What is started in a shell's background, or by nohup, ignores Ctrl+C or the end of the terminal, and so does all that
# it starts. Commands under test must not: a signal that is handled here is the usual one there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs that nobody in this project wrote; in CI its absence is a failure."""
    if not SHARED_DATA.is_dir():
        message = f"real logs are missing: {SHARED_DATA} (see ../shared/data/README.md)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return SHARED_DATA
