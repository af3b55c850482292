"""While a dashboard runs: new and changed files come in by themselves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from loaders.errors import DriftlineError
from loaders.ingest import ingest
from loaders.store import Store

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
SETTLE_SECONDS = 1.0
"""A file that was written to less than this ago is left for the next look."""
FORGET_SECONDS = 120.0
"""States of logs that are being written stay readable for so long, longer than anything takes that is asked of one."""
BREATH = 10
"""A look at a large folder is followed by a pause of so many times its own length, so that watching costs little."""


class Watcher:
    """Looks at folders again and again, in a thread of its own, and ingests what differs.

    It lists and compares sizes and times, rather than ask the system for events: those don't cross network drives.
    """

    def __init__(self, paths: Sequence[Path], store: Store) -> None:
        self._paths = list(paths)
        self._store = store
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="driftline-watch", daemon=True)
        self._last_error = ""

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = INTERVAL_SECONDS
        while not self._stop.wait(pause):
            started = time.monotonic()
            self._look()
            pause = max(INTERVAL_SECONDS, BREATH * (time.monotonic() - started))

    def _look(self) -> None:
        try:
            ingest(self._paths, self._store, settle_seconds=SETTLE_SECONDS, forget_seconds=FORGET_SECONDS)
        except DriftlineError as error:  # the folder is away for the moment, a study file was broken
            self._complain(str(error))
        except Exception:  # watching goes on whatever one look met
            logger.exception("Looking for new logs failed; trying again.")
        else:
            self._last_error = ""

    def _complain(self, message: str) -> None:
        if message != self._last_error:
            logger.warning("Looking for new logs: %s", message)
            self._last_error = message
