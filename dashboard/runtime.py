"""What the pages of this process show and ask: set once by whoever starts the pages, read by the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders.errors import DriftlineError
from loaders.store import Store

if TYPE_CHECKING:
    from dashboard.probe.service import ProbeService

_store: Store | None = None
_probes: ProbeService | None = None


def use(store: Store | None, probes: ProbeService | None = None) -> None:
    """Make `store` the one that the pages show (None: no store any more), and `probes` what asks models for them."""
    global _store, _probes
    _store, _probes = store, probes


def store() -> Store:
    """The store that the pages show.

    Raises:
        DriftlineError: The pages were started without one.
    """
    if _store is None:
        raise DriftlineError("The pages have no store: start them with `driftline view [PATH]`.")
    return _store


def probes() -> ProbeService:
    """What asks models for the pages.

    Raises:
        DriftlineError: The pages were started without it.
    """
    if _probes is None:
        raise DriftlineError("These pages can't ask models: start them with `driftline view [PATH]`.")
    return _probes
