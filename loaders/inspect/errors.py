"""The error inside this package; `log.read` adds the path and raises it as `RejectedFile`."""

from __future__ import annotations


class Unreadable(Exception):
    """A log, or a part of one, that can't be read; the message says which part and why."""
