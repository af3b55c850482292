"""What a process found out of a store and will be asked again: kept beside the store, for as long as there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from typing import Any, TypeVar

T = TypeVar("T", bound=Sized)

MOST_ENTRIES = 16
MOST_ROWS = 150_000
"""Rows kept of all entries together, some 2 kB each. The newest entry is kept however large it is."""


class Memory:
    """Answers by key. A key must hold all that decides the answer: nothing here is ever brought up to date."""

    def __init__(self, entries: int = MOST_ENTRIES, rows: int = MOST_ROWS) -> None:
        self._entries, self._rows = entries, rows
        self._lock = threading.Lock()
        self.forgotten = 0
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under a key; made where nothing is. What was asked for longest ago goes first.

        Args:
            key: All that decides the answer.
            make: Makes it, at once: what takes time is for the answer itself to find out, when it is asked for.
        """
        with self._lock:
            found: T = self._kept[key] if key in self._kept else make()
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and (
                len(self._kept) > self._entries or sum(map(len, self._kept.values())) > self._rows
            ):
                self._kept.popitem(last=False)
            return found

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self.forgotten += 1
            self._kept.clear()
