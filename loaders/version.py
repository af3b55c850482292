"""Which Driftline this is: what stores, exports and probes are marked with."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version that is installed; "0" for a source tree that is not."""
    # Reading a distribution's metadata takes longer to import than most commands, and few of them ask.
    from importlib import metadata

    try:
        return metadata.version("driftline")
    except metadata.PackageNotFoundError:
        return "0"
