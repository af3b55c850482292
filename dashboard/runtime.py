"""What the pages of this process show and ask, and to whom: set once by whoever starts the pages, read by the pages."""

from __future__ import annotations

# Python's own, before Streamlit runs a page and puts this folder, with its `statistics`, before all others.
import statistics  # noqa: F401
from typing import TYPE_CHECKING

from loaders.errors import DriftlineError
from loaders.store import Store

if TYPE_CHECKING:
    from dashboard.access import Policy
    from dashboard.probe.service import ProbeService

_store: Store | None = None
_probes: ProbeService | None = None
_access: Policy | None = None
_ended: set[str] = set()
_seen: set[str] = set()


def use(store: Store | None, probes: ProbeService | None = None, access: Policy | None = None) -> None:
    """Make `store` the one that the pages show (None: no store any more).

    Args:
        store: What is shown.
        probes: What asks models for the pages.
        access: Who may see what; None where nobody signs in.
    """
    global _store, _probes, _access
    _store, _probes, _access = store, probes, access
    _ended.clear()
    _seen.clear()


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


def access() -> Policy | None:
    """Who may see what, as the access file says it now; None where nobody signs in."""
    global _access
    if _access is not None:
        from dashboard.access.access_file import followed

        _access = followed(_access)
    return _access


def end(sign_in: str) -> None:
    """Let a sign-in count no more, in none of the pages that are open by it."""
    _ended.add(sign_in)


def has_ended(sign_in: str) -> bool:
    """Whether a sign-in counts no more."""
    return sign_in in _ended


def is_new(sign_in: str) -> bool:
    """Whether a sign-in was never asked for before."""
    new = sign_in not in _seen
    _seen.add(sign_in)
    return new
