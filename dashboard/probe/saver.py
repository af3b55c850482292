"""Saves what comes soon after it came, in its order; where that fails, nothing is lost while the process lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import duckdb

from dashboard.probe.saving import Row, save
from loaders.store import Store
from loaders.store.sql import unwritten

logger = logging.getLogger(__name__)

SAVE_SECONDS = 0.25
"""What has come is saved this often: so much of a reply can be lost if the machine dies."""


class Saver:
    """Used on the engine's loop alone.

    Args:
        store: What is saved in.
        fresh: Gives what has come of replies since it was last called, once.

    Attributes:
        trouble: Why saving fails, while it does.
    """

    def __init__(self, store: Store, fresh: Callable[[], list[Row]]) -> None:
        self._store, self._fresh = store, fresh
        self._kept: list[Row] = []
        self._one_at_a_time = asyncio.Lock()
        self.trouble = ""

    def add(self, row: Row) -> None:
        """Have a row saved with the next ones."""
        self._kept.append(row)

    async def keep_saving(self) -> None:
        """Save ever again, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Save what there is. Whoever waits may be cancelled; the saving itself goes on to its end."""
        await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        async with self._one_at_a_time:
            rows = [*self._kept, *self._fresh()]
            self._kept = []
            if not rows:
                return
            try:
                await asyncio.to_thread(save, self._store, rows)
            except Exception as error:  # whatever it is, what has come must not be lost by it
                self._kept = rows + self._kept
                why = unwritten(error) if isinstance(error, duckdb.Error | OSError) else error
                told = f"Replies can't be saved: {why}. They are kept in memory, and saving is tried again."
                if not self.trouble:
                    logger.exception("Saving a probe failed; trying again.")
                self.trouble = told
            else:
                self.trouble = ""
