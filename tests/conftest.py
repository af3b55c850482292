"""Fixtures that every test file shares: the real data, and stores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
