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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, tests of one file stay together, which share what they ingested; so do the browser's."""
    for item in items:
        name = "browser" if item.get_closest_marker("browser") else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(name))
