"""The engine: asks several models at once on a loop of its own, saves what comes as it comes, and tells who looks on.

Pages call its methods from their threads and read what has come so far; what is asked goes on when a page is closed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import duckdb

from dashboard.probe import asking, plans
from dashboard.probe.asked import Column, Framing, Prompt, Sampling
from dashboard.probe.budget import check, day
from dashboard.probe.clients.client import Client
from dashboard.probe.endpoints import Allowance, Declared, Endpoint
from dashboard.probe.judge import Judge
from dashboard.probe.live import Changes, LiveReply
from dashboard.probe.plans import Planned
from dashboard.probe.replies import Status
from dashboard.probe.saving import EndRow, JudgeRow, MarkRow, Row, last_reply, save
from dashboard.queries.probes import SavedProbe, SavedReply, read_probe, spent
from loaders.errors import DriftlineError
from loaders.store import Store

logger = logging.getLogger(__name__)

SAVE_SECONDS = 0.25
"""What has come is saved this often: so much of a reply can be lost if the machine dies."""
MOST_KEPT = 20
"""Probes that are kept in memory after their end."""


class Endpoints(Protocol):
    """Where clients come from: the directory of what is declared."""

    @property
    def declared(self) -> Declared:
        """What is declared now."""
        ...

    def client(self, name: str) -> Client:
        """The client of a declared endpoint."""
        ...

    def redact(self, text: str) -> str:
        """A text without any key in it."""
        ...


class Work:
    """Something that runs on the engine's loop."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, but not longer than some seconds; returns whether it has."""
        done, _ = wait([self._future], timeout=seconds)
        return bool(done)


class Engine:
    """One for a store. All methods may be called from any thread."""

    def __init__(self, store: Store, endpoints: Endpoints, clock: Callable[[], datetime] | None = None) -> None:
        self._store, self._endpoints = store, endpoints
        self._clock = clock or (lambda: datetime.now(UTC))
        self.changes = Changes()
        self.trouble = ""
        """Why saving fails, while it does."""
        self._live: dict[str, dict[int, LiveReply]] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._judges: dict[str, dict[str, Judge]] = {}
        self._judging: dict[str, Allowance] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._closing = False
        self._judged: set[tuple[str, int]] = set()
        self._unsaved: list[Row] = []
        self._flushing = asyncio.Lock()
        self._planning = threading.Lock()
        self._next_reply = last_reply(store) + 1
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="driftline-probe", daemon=True)
        self._thread.start()
        self._saver = self._in_loop(self._keep_saving())

    # Asking.

    def start(
        self,
        columns: Sequence[Column],
        framings: Sequence[Framing],
        sampling: Sampling,
        *,
        title: str,
        author: str | None = None,
        kind: str = "probe",
        repeats: str | None = None,
        origin: str | None = None,
        judge: Judge | None = None,
    ) -> str:
        """Ask every column every framing, `sampling.samples` times each; returns the probe's id at once.

        Raises:
            OverBudget: It could cost more than is allowed; nothing was sent.
            DriftlineError: Nothing to ask, too much of it, or an endpoint that isn't declared.
        """
        plans.check(columns, framings, sampling, kind)
        for column in columns:
            self._endpoint(column.endpoint)
        probe_id = secrets.token_hex(8)
        now = self._clock()
        with self._planning:
            planned = plans.first_turns(probe_id, columns, framings, sampling, self._next_reply, now)
            self._afford(None, planned, judge)
            self._next_reply += len(planned)
            row = plans.probe_row(probe_id, kind, title, author, now, framings, sampling, repeats, origin)
            save(self._store, [row, *plans.column_rows(probe_id, columns), *(p.row for p in planned)])
        if judge is not None:
            self._attach(probe_id, judge, author)
        self._go(probe_id, planned)
        return probe_id

    def follow_up(self, probe_id: str, text: str, positions: Iterable[int] | None = None) -> int:
        """Continue the conversation with all columns, or some; returns how many replies are asked for.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: There is nothing to continue, or no such probe.
        """
        return self._plan_more(probe_id, lambda probe, first, now: plans.next_turns(probe, text, positions, first, now))

    def retry(self, probe_id: str, positions: Iterable[int] | None = None) -> int:
        """Ask again for the replies that failed, were stopped or interrupted; what had come of them stays saved.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: No such probe, or nothing to retry.
        """
        return self._plan_more(probe_id, lambda probe, first, now: plans.again(probe, positions, first, now))

    def stop(self, probe_id: str, positions: Iterable[int] | None = None) -> None:
        """End what is under way; what has come of it is kept, marked as partial."""
        wanted = None if positions is None else set(positions)

        async def cancel() -> None:
            for (probe, reply_id), task in list(self._tasks.items()):
                live = self._live.get(probe_id, {}).get(reply_id)
                if probe == probe_id and (wanted is None or (live and live.saved.position in wanted)):
                    task.cancel()

        self._in_loop(cancel()).result()

    def judge(self, probe_id: str, judge: Judge, author: str | None = None) -> str:
        """Have a model judge every reply of a probe, those to come included; returns the judge's id.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: No such probe or endpoint.
        """
        self._endpoint(judge.column.endpoint)
        probe = self._saved(probe_id)
        waiting = [reply for reply in self.replies(probe) if reply.status == "complete"]
        with self._planning:
            self._afford(probe_id, [], judge, replies=len(waiting), prompts=plans.prompts_of(probe))
        judge_id = self._attach(probe_id, judge, author)
        # Looked at again: what has ended since is judged too, whether it saw the judge or not.
        for reply in [reply for reply in self.replies(probe) if reply.status == "complete"]:
            self._spawn(probe_id, -reply.reply_id, self._judge_one(probe_id, judge_id, judge, reply, probe))
        return judge_id

    def mark(self, reply_id: int, author: str, verdict: str | None, note: str | None = None) -> None:
        """A person's verdict on a reply; None takes it back."""
        save(self._store, [MarkRow(reply_id, author, verdict, note, self._naive())])

    def measure(self, probe_id: str, continuations: Sequence[str]) -> None:
        """Have every column say how likely each continuation of each framing is.

        Raises:
            DriftlineError: No such probe.
        """
        probe = self._saved(probe_id)
        columns, framings = plans.columns_of(probe), plans.framings_of(probe)
        for position, column in enumerate(columns):
            for at, framing in enumerate(framings):
                key = -(2**62) - position * 1000 - at
                self._spawn(probe_id, key, self._measure(probe_id, position, column, framing, list(continuations)))

    # Looking on.

    def replies(self, probe: SavedProbe) -> list[SavedReply]:
        """A probe's replies with what has come of those under way, up to this moment."""
        live = self._live.get(probe.probe_id, {})
        # What is said of a reply is in the store alone.
        return [
            replace(live[r.reply_id].now(), verdicts=r.verdicts, marks=r.marks) if r.reply_id in live else r
            for r in probe.replies
        ]

    def active(self, probe_id: str) -> bool:
        """Whether anything of a probe is under way: replies, verdicts, likelihoods."""
        return any(probe == probe_id for probe, _ in list(self._tasks))

    def spent(self, probe_id: str | None) -> tuple[Allowance, Allowance]:
        """Spent on a probe so far (nothing for None), and today on all."""
        with self._store.cursor() as cursor:
            of_probe = spent(cursor, probe=probe_id) if probe_id else (0, 0)
            of_day = spent(cursor, since=day(self._clock()))
        judging = list(self._judging.items())
        mine = [reserved for probe, reserved in judging if probe == probe_id]
        total = [reserved for _, reserved in judging]
        return plans.plus(Allowance(*of_probe), mine), plans.plus(Allowance(*of_day), total)

    def run(self, work: Coroutine[Any, Any, Any]) -> Work:
        """Let something else run on the loop: what uses the same clients must."""
        return Work(self._in_loop(work))

    def close(self) -> None:
        """End everything; what has come is saved, and what was under way counts as interrupted."""

        self._closing = True

        async def cancel() -> None:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._in_loop(cancel()).result(timeout=10)
        self._saver.cancel()
        self._in_loop(self._flush()).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    # Within.

    def _naive(self) -> datetime:
        return self._clock().astimezone(UTC).replace(tzinfo=None)

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self._endpoints.declared.endpoints:
            if endpoint.name == name:
                return endpoint
        there = ", ".join(e.name for e in self._endpoints.declared.endpoints) or "none"
        raise DriftlineError(f'The endpoint "{name}" is not declared (declared: {there}).')

    def _saved(self, probe_id: str) -> SavedProbe:
        with self._store.cursor() as cursor:
            return read_probe(cursor, probe_id)

    def _afford(
        self,
        probe_id: str | None,
        planned: Sequence[Planned],
        judge: Judge | None,
        *,
        replies: int | None = None,
        prompts: Sequence[Prompt] = (),
    ) -> None:
        cost = plans.cost(planned, judge, replies=replies, prompts=prompts)
        of_probe, of_day = self.spent(probe_id)
        check(cost, of_probe, of_day, self._endpoints.declared.limits)

    def _plan_more(self, probe_id: str, plan: Callable[[SavedProbe, int, datetime], list[Planned]]) -> int:
        probe = self._saved(probe_id)
        probe = replace(probe, replies=self.replies(probe))
        with self._planning:
            planned = plan(probe, self._next_reply, self._clock())
            judge = next(iter(self._judges.get(probe_id, {}).values()), None)
            self._afford(probe_id, planned, judge)
            self._next_reply += len(planned)
            save(self._store, [p.row for p in planned])
        self._go(probe_id, planned)
        return len(planned)

    def _attach(self, probe_id: str, judge: Judge, author: str | None) -> str:
        judge_id = secrets.token_hex(4)
        column = judge.column
        save(
            self._store,
            [
                JudgeRow(
                    judge_id, probe_id, column.endpoint, column.protocol, column.model, judge.rubric, author,
                    self._naive(),
                )
            ],
        )  # fmt: skip
        self._judges.setdefault(probe_id, {})[judge_id] = judge
        return judge_id

    def _go(self, probe_id: str, planned: Sequence[Planned]) -> None:
        live = self._live.setdefault(probe_id, {})
        self._forget()
        for one in planned:
            reply = LiveReply(one.saved, probe_id, one.column.endpoint, one.column.model, one.prompt)
            live[one.saved.reply_id] = reply
            self._spawn(probe_id, one.saved.reply_id, self._ask(reply, one))
        self.changes.tell(probe_id)

    def _forget(self) -> None:
        """Let go of the oldest probes of which nothing is under way: the store has them."""
        busy = {probe for probe, _ in list(self._tasks)}
        done = [probe for probe in self._live if probe not in busy]
        for probe in done[: max(0, len(done) - MOST_KEPT)]:
            del self._live[probe]

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _spawn(self, probe_id: str, key: int, work: Coroutine[Any, Any, None]) -> None:
        """Let a task run; it is listed until it ends, and an error of our own ends nothing else."""

        def begin() -> None:
            task = self._loop.create_task(work)
            self._tasks[probe_id, key] = task

            def ended(done: asyncio.Task[None]) -> None:
                if self._tasks.get((probe_id, key)) is done:
                    del self._tasks[probe_id, key]
                live = self._live.get(probe_id, {}).get(key)
                if live is not None and live.end is None and done.cancelled():
                    # It was stopped before it began: no line of it has run.
                    self._end(live, asking.end_of(live, "stopped", None, None, self._endpoints, self._naive()))
                if not done.cancelled() and done.exception() is not None:
                    text = self._endpoints.redact(repr(done.exception()))
                    logger.error("A probe's task failed: %s", text)
                self.changes.tell(probe_id)

            task.add_done_callback(ended)

        started = threading.Event()
        self._loop.call_soon_threadsafe(begin)
        self._loop.call_soon_threadsafe(started.set)
        # Whoever asks whether anything is under way right after this must hear of it.
        if threading.current_thread() is not self._thread:
            started.wait()

    def _slot(self, endpoint: str) -> asyncio.Semaphore:
        if endpoint not in self._slots:
            self._slots[endpoint] = asyncio.Semaphore(self._endpoint(endpoint).in_flight)
        return self._slots[endpoint]

    async def _ask(self, live: LiveReply, planned: Planned) -> None:
        def changed() -> None:
            self.changes.tell(live.probe_id)

        endpoint = self._endpoint(live.endpoint)
        end = await asking.ask(
            live, planned.request, endpoint, self._slot(live.endpoint), self._endpoints, changed, self._naive
        )
        self._end(live, end)
        await self._flush()
        if end.status == "complete":
            for judge_id, judge in self._judges.get(live.probe_id, {}).items():
                probe = await asyncio.to_thread(self._saved, live.probe_id)
                work = self._judge_one(live.probe_id, judge_id, judge, live.now(), probe)
                self._spawn(live.probe_id, -live.saved.reply_id, work)

    def _end(self, live: LiveReply, end: EndRow) -> None:
        if self._closing and end.status == "stopped":
            return  # nobody stopped it: a reply without an end was interrupted
        live.end, live.status = end, cast("Status", end.status)
        self._unsaved.append(end)
        self.changes.tell(live.probe_id)

    async def _judge_one(
        self, probe_id: str, judge_id: str, judge: Judge, reply: SavedReply, probe: SavedProbe
    ) -> None:
        if (judge_id, reply.reply_id) in self._judged:
            return
        self._judged.add((judge_id, reply.reply_id))
        prompt = plans.prompt_of(probe, reply)
        reserved = plans.judge_reserve(judge, prompt, reply)
        self._reserve(probe_id, 1, reserved)
        try:
            verdict = await asking.judge(
                judge_id, judge, prompt, reply, reserved, self._endpoint(judge.column.endpoint),
                self._slot(judge.column.endpoint), self._endpoints, self._naive,
            )  # fmt: skip
        finally:
            self._reserve(probe_id, -1, -reserved)
        self._unsaved.append(verdict)
        await self._flush()
        self.changes.tell(probe_id)

    def _reserve(self, probe_id: str, requests: int, tokens: int) -> None:
        before = self._judging.get(probe_id, Allowance(0, 0))
        self._judging[probe_id] = Allowance(before.requests + requests, before.tokens + tokens)

    async def _measure(
        self, probe_id: str, position: int, column: Column, framing: Framing, continuations: list[str]
    ) -> None:
        for continuation in continuations:
            row = await asking.likelihood(
                probe_id, position, column, framing, continuation, self._endpoint(column.endpoint),
                self._slot(column.endpoint), self._endpoints, self._naive,
            )  # fmt: skip
            self._unsaved.append(row)
            await self._flush()
            self.changes.tell(probe_id)

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        """Save what has come, in its order. Where that fails, it is kept in memory and tried again."""
        async with self._flushing:
            await self._save()

    async def _save(self) -> None:
        rows: list[Row] = []
        for of_probe in list(self._live.values()):
            for live in list(of_probe.values()):
                if live.unsaved:
                    rows += live.unsaved
                    live.unsaved = []
        rows += self._unsaved
        self._unsaved = []
        if not rows:
            return
        try:
            await asyncio.to_thread(save, self._store, rows)
        except (duckdb.Error, OSError) as error:
            self._unsaved = rows + self._unsaved
            self.trouble = f"Replies can't be saved: {error}. They are kept in memory, and saving is tried again."
            logger.exception("Saving a probe failed; trying again.")
        else:
            self.trouble = ""
