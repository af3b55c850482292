"""Fixtures that every test file shares: the real data, and stores."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.store import Store
from tests import lakes, real_parts
from tests.probe_server import ProbeServer, probe_server
from tests.real_parts import SHARED_CASES, SHARED_DATA

# What is started in a shell's background, or by nohup, ignores Ctrl+C or the end of the terminal, and so does all that
# it starts. Commands under test must not: a signal that is handled here is the usual one there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)


if lakes.wanted():
    Store.open = staticmethod(lakes.opened)  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if lakes.wanted():
        for item in items:
            for name, reason in lakes.LEFT_OUT.items():
                if item.nodeid.startswith(name):
                    item.add_marker(pytest.mark.skip(reason=f"not on a lake: {reason}"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real logs that nobody in this project wrote."""
    return real_parts.folder(SHARED_DATA)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small cases that were drawn wrong once."""
    return real_parts.folder(SHARED_CASES)


@pytest.fixture(scope="session")
def _probe_server() -> Iterator[ProbeServer]:
    with probe_server() as server:
        yield server


@pytest.fixture
def server(_probe_server: ProbeServer) -> ProbeServer:
    """The scripted server of models, with nothing said, and nothing noted."""
    _probe_server.begin_anew()
    return _probe_server
