"""A gate that many threads go through at once, until one closes it to be alone behind it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Open at first. Whoever is through already goes through again, so that nobody waits for himself."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[int] = Counter()
        self._open = True

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Go through, as soon as the gate is open."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._open or self._inside[me])
            self._inside[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[me] -= 1
                if not self._inside[me]:
                    del self._inside[me]
                self._changed.notify_all()

    def is_inside(self) -> bool:
        """Whether this thread is through."""
        with self._changed:
            return self._inside[threading.get_ident()] > 0

    @contextmanager
    def closed(self, patience: float) -> Iterator[bool]:
        """Close the gate until the end, one thread at a time.

        Yields:
            Whether all who were inside have left within `patience` seconds; the gate is open again where not.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._open)
            self._open = False
            alone = self._changed.wait_for(lambda: not +self._inside, patience)
        try:
            if not alone:
                self._reopen()
            yield alone
        finally:
            if alone:
                self._reopen()

    def _reopen(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()
