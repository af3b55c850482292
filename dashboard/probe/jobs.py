"""What is under way: a loop on a thread of its own, and the jobs on it, each listed until it ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from dashboard.probe.live import LiveReply
from loaders.errors import DriftlineError

logger = logging.getLogger(__name__)

END_SECONDS = 10.0
"""Seconds that each step of the end may take."""

ENDING = "This dashboard is shutting down: no more requests."


class Work:
    """Something that runs on the loop."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, but not longer than some seconds; returns whether it has."""
        done, _ = wait([self._future], timeout=seconds)
        return bool(done)


@dataclass(frozen=True)
class Job:
    """Something under way for a probe.

    Attributes:
        live: The reply that it asks for; None where it asks for a verdict or likelihoods.
        owes: Its name among what the engine owes; None for nothing.
    """

    probe_id: str
    work: Coroutine[Any, Any, None]
    live: LiveReply | None = None
    owes: Any = None


class Jobs:
    """All methods may be called from any thread.

    Args:
        ended: Called on the loop with each job that has ended, and the error that ended it; None where there was
            none, and `CancelledError` where it was cancelled.
    """

    def __init__(self, ended: Callable[[Job, BaseException | None], None]) -> None:
        self._told = ended
        self._under_way: dict[asyncio.Task[None], Job] = {}
        self.closing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="driftline-probe", daemon=True)
        self._thread.start()

    def under_way(self) -> list[Job]:
        """All that has not ended."""
        return list(self._under_way.values())

    def begin(self, jobs: Sequence[Job]) -> None:
        """Let jobs run. They are under way when this returns; an error of one ends no other.

        Raises:
            DriftlineError: The end has begun.
        """

        def begin() -> None:
            for job in jobs:
                task = self._loop.create_task(job.work)
                self._under_way[task] = job
                task.add_done_callback(self._ended)

        if self.closing:
            for job in jobs:
                job.work.close()
            raise DriftlineError(ENDING)
        if threading.current_thread() is self._thread:
            begin()
            return
        begun = threading.Event()
        self._loop.call_soon_threadsafe(begin)
        self._loop.call_soon_threadsafe(begun.set)
        begun.wait(END_SECONDS)

    def in_loop(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Let something run on the loop that is no job.

        Raises:
            DriftlineError: The end has begun.
        """
        if self.closing:
            work.close()
            raise DriftlineError(ENDING)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def cancel(self, which: Callable[[Job], bool]) -> None:
        """Cancel some jobs; they end soon after."""

        async def cancel() -> None:
            for task, job in list(self._under_way.items()):
                if which(job):
                    task.cancel()

        if not self.closing:
            self.in_loop(cancel()).result()

    def close(self, steps: Sequence[Coroutine[Any, Any, Any]]) -> None:
        """Cancel every job, then take some steps on the loop, one after the other, and end the loop."""

        async def cancel() -> None:
            tasks = list(self._under_way)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.closing = True
        for step in [cancel(), *steps]:
            if not Work(asyncio.run_coroutine_threadsafe(step, self._loop)).wait(END_SECONDS):
                logger.error("Ending the probes takes longer than %g s; going on.", END_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=END_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        job = self._under_way.pop(task)
        self._told(job, asyncio.CancelledError() if task.cancelled() else task.exception())
