"""The engine: asks several models at once on a loop of its own, saves what comes as it comes, and tells who looks on.

Pages call its methods from their threads and read what has come so far; what is asked goes on when a page is closed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

import duckdb
import msgspec

from dashboard.probe import asking, plans
from dashboard.probe.asked import Column, Framing, Prompt, Request, Sampling
from dashboard.probe.budget import added, affordable, check, day
from dashboard.probe.clients.client import Client
from dashboard.probe.endpoints import Allowance, Declared, Endpoint
from dashboard.probe.jobs import ENDING, Job, Jobs, Work
from dashboard.probe.judge import Judge
from dashboard.probe.live import Changes, LiveReply
from dashboard.probe.places import Places
from dashboard.probe.plans import Planned
from dashboard.probe.replies import ClientError, Status
from dashboard.probe.saver import Saver
from dashboard.probe.saving import EndRow, JudgeRow, MarkRow, Row, save
from dashboard.queries.probes import SavedProbe, SavedReply, read_probe, spent
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.store.sql import unwritten

logger = logging.getLogger(__name__)

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


class Task(NamedTuple):
    """One request among many.

    Attributes:
        name: Of no other task of the same.
        cost: At the most.
        ask: Asks, and gives the row to be saved; None where nothing was asked.
    """

    name: Hashable
    cost: Allowance
    ask: Callable[[asking.Ways], Coroutine[Any, Any, Row | None]]


LAST_MARK = "SELECT max(marked_at) FROM seen_probe_marks() WHERE reply_id = ? AND author = ?"


@contextmanager
def _told_if_unsaved() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise DriftlineError(f"It can't be saved, and so it was not done: {unwritten(error)}.") from error


class Engine:
    """One for a store. All methods may be called from any thread."""

    def __init__(self, store: Store, endpoints: Endpoints, clock: Callable[[], datetime] | None = None) -> None:
        self._store, self._endpoints = store, endpoints
        self._clock = clock or (lambda: datetime.now(UTC))
        self.changes = Changes()
        self._live: dict[str, dict[int, LiveReply]] = {}
        self._judges: dict[str, dict[str, Judge]] = {}
        self._owed: dict[Any, tuple[str, Allowance]] = {}
        """What is promised and not in the store yet: verdicts to come, likelihoods under way."""
        self._places: dict[tuple[str, int], Places] = {}
        self._ways = asking.Ways(self.endpoint, self._places_of, endpoints, self._naive)
        self._saver = Saver(store, self._fresh)
        self._planning = threading.Lock()
        self._reply_ids = range(0)
        """Those that this process was given, and has not used yet."""
        self._jobs = Jobs(self._ended)
        self._saving = self._jobs.in_loop(self._saver.keep_saving())

    @property
    def trouble(self) -> str:
        """Why saving fails, while it does; else empty."""
        return self._saver.trouble

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
            DriftlineError: Nothing to ask, too much of it, an endpoint that isn't declared, or it can't be saved.
        """
        plans.check(columns, framings, sampling, kind)
        judge = None if judge is None else self.with_room(judge)
        for column in [*columns, *([judge.column] if judge else [])]:
            self.endpoint(column.endpoint)
        probe_id = secrets.token_hex(8)
        now = self._clock()
        with self._planning:
            planned = self._numbered(partial(plans.first_turns, probe_id, columns, framings, sampling, now=now))
            row = plans.probe_row(probe_id, kind, title, author, now, framings, sampling, repeats, origin)
            rows: list[Row] = [row, *plans.column_rows(probe_id, columns)]
            judges = {} if judge is None else {secrets.token_hex(4): judge}
            rows += [self._judge_row(probe_id, judge_id, judge, author) for judge_id, judge in judges.items()]
            self._go(probe_id, planned, judges, rows)
        return probe_id

    def follow_up(self, probe_id: str, text: str, positions: Iterable[int] | None = None) -> int:
        """Continue the conversation with all columns, or some; returns how many replies are asked for.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: There is nothing to continue, no such probe, or it can't be saved.
        """
        return self._plan_more(probe_id, lambda probe, first, now: plans.next_turns(probe, text, positions, first, now))

    def retry(self, probe_id: str, positions: Iterable[int] | None = None) -> int:
        """Ask again for the replies that failed, were stopped or interrupted; what had come of them stays saved.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: No such probe, nothing to retry, or it can't be saved.
        """
        return self._plan_more(probe_id, lambda probe, first, now: plans.again(probe, positions, first, now))

    def stop(self, probe_id: str, positions: Iterable[int] | None = None) -> None:
        """End what is under way, or what is of some columns; what has come of it is kept, marked as partial."""
        wanted = None if positions is None else set(positions)
        self._jobs.cancel(
            lambda job: (
                job.probe_id == probe_id
                and (wanted is None or (job.live is not None and job.live.saved.position in wanted))
            )
        )

    def judge(self, probe_id: str, judge: Judge, author: str | None = None) -> str:
        """Have a model judge every reply of a probe, those to come included; returns the judge's id.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: No such probe or endpoint, or it can't be saved.
        """
        self.endpoint(judge.column.endpoint)
        judge = self.with_room(judge)
        judge_id = secrets.token_hex(4)
        with self._planning:
            probe = self._now(probe_id)
            tokens = plans.sampling_of(probe).max_tokens
            prompts = {reply.reply_id: plans.prompt_of(probe, reply) for reply in probe.replies}
            owed = {
                (judge_id, reply.reply_id): (probe_id, plans.judging(judge, prompts[reply.reply_id], reply, tokens))
                for reply in probe.replies
                if reply.status in ("complete", *plans.UNDER_WAY)
            }
            self._afford(probe_id, [cost for _, cost in owed.values()])
            self._save_now([self._judge_row(probe_id, judge_id, judge, author)])

            async def attach() -> None:
                # In one go on the loop: a reply that ends meanwhile is judged either here or by its own end.
                self._owed |= owed
                self._judges.setdefault(probe_id, {})[judge_id] = judge
                for reply in self.replies(probe):
                    if reply.status == "complete":
                        work = self._judge_one(judge_id, judge, reply, prompts[reply.reply_id])
                        self._jobs.begin([Job(probe_id, work, owes=(judge_id, reply.reply_id))])
                    elif reply.status not in plans.UNDER_WAY:
                        self._owed.pop((judge_id, reply.reply_id), None)

            self._jobs.in_loop(attach()).result()
        return judge_id

    def mark(self, reply_id: int, author: str, verdict: str | None, note: str | None = None) -> None:
        """A person's verdict on a reply; None takes it back.

        Raises:
            DriftlineError: It can't be saved.
        """
        with self._store.cursor() as cursor:
            (before,) = cursor.execute(LAST_MARK, [reply_id, author]).fetchall()[0]
        # The last one counts, also where the clock was set back.
        at = self._naive() if before is None else max(self._naive(), before + timedelta(microseconds=1))
        self._save_now([MarkRow(reply_id, author, verdict, note, at)])

    def measure(self, probe_id: str, continuations: Sequence[str]) -> None:
        """Have every column say how likely each continuation of each framing is.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: No such probe, or nothing to measure.
        """
        if not continuations:
            raise DriftlineError("No continuation is given: write at least one, a line each.")
        probe = self._saved(probe_id)
        columns, framings = plans.columns_of(probe), plans.framings_of(probe)
        with self._planning:
            costs = [plans.measuring(framing.prompt, text) for framing in framings for text in continuations]
            self._afford(probe_id, costs * len(columns))
            jobs = []
            for position, column in enumerate(columns):
                for framing in framings:
                    work = self._measure(probe_id, position, column, framing, list(continuations))
                    jobs.append(Job(probe_id, work, owes=object()))
                    owed = added(plans.measuring(framing.prompt, text) for text in continuations)
                    self._owed[jobs[-1].owes] = probe_id, owed
            self._jobs.begin(jobs)

    def work(self, of: str, plan: Callable[[], Sequence[Task]], rows: Sequence[Row] = ()) -> int:
        """Do as many tasks, in their order, as the budgets allow; returns how many, at once.

        Args:
            of: What they belong to, as probes' replies do to a probe: its budget, its stop.
            plan: Gives the tasks; called where nobody else can plan the same. Those under way are passed over.
            rows: Saved first.

        Raises:
            OverBudget: Not one of them is allowed; nothing was saved.
            DriftlineError: It can't be saved.
        """
        with self._planning:
            if self._jobs.closing:
                raise DriftlineError(ENDING)
            if self.trouble:
                raise DriftlineError(self.trouble)
            # Before they are planned: a task that ends meanwhile has saved its row by then.
            busy = set(self._owed)
            tasks = [task for task in plan() if (of, task.name) not in busy]
            begun = affordable([task.cost for task in tasks], *self.spent(of), self._endpoints.declared.limits)
            self._save_now(rows)
            chosen = tasks[:begun]
            self._owed |= {(of, task.name): (of, task.cost) for task in chosen}
            self._jobs.begin([Job(of, self._do(of, task), owes=(of, task.name)) for task in chosen])
        self.changes.tell(of)
        return begun

    async def _do(self, of: str, task: Task) -> None:
        row = await task.ask(self._ways)
        if row is not None:
            self._saver.add(row)
            await self._saver.flush()
        self.changes.tell(of)

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
        return any(job.probe_id == probe_id for job in self._jobs.under_way())

    def spent(self, probe_id: str | None) -> tuple[Allowance, Allowance]:
        """Spent on a probe so far (nothing for None), and today on all; what is promised counts as spent."""
        owed = list(self._owed.values())
        with self._store.cursor() as cursor:
            of_probe = spent(cursor, probe=probe_id) if probe_id else (0, 0)
            of_day = spent(cursor, since=day(self._clock()))
        mine = [cost for probe, cost in owed if probe == probe_id]
        return plans.plus(Allowance(*of_probe), mine), plans.plus(Allowance(*of_day), [cost for _, cost in owed])

    def endpoint(self, name: str) -> Endpoint:
        """The declared endpoint of that name.

        Raises:
            DriftlineError: There is none.
        """
        for endpoint in self._endpoints.declared.endpoints:
            if endpoint.name == name:
                return endpoint
        there = ", ".join(e.name for e in self._endpoints.declared.endpoints) or "none"
        raise DriftlineError(f'The endpoint "{name}" is not declared (declared: {there}).')

    def with_room(self, judge: Judge) -> Judge:
        """A judge with as many tokens as its endpoint declares for judges."""
        for endpoint in self._endpoints.declared.endpoints:
            if endpoint.name == judge.column.endpoint:
                return msgspec.structs.replace(judge, max_tokens=endpoint.judge_tokens)
        return judge

    def run(self, work: Coroutine[Any, Any, Any]) -> Work:
        """Let something else run on the loop: what uses the same clients must."""
        return Work(self._jobs.in_loop(work))

    def close(self, last: Coroutine[Any, Any, Any] | None = None) -> None:
        """End everything; what has come is saved, and what was under way counts as interrupted.

        Args:
            last: Runs on the loop after that, as letting go of its clients must.
        """
        with self._planning:
            if self._jobs.closing:
                if last is not None:
                    last.close()
                return
            self._saving.cancel()
            self._jobs.close([self._saver.flush(), *([last] if last is not None else [])])

    # Within.

    def _naive(self) -> datetime:
        return self._clock().astimezone(UTC).replace(tzinfo=None)

    def _saved(self, probe_id: str) -> SavedProbe:
        with self._store.cursor() as cursor:
            return read_probe(cursor, probe_id)

    def _now(self, probe_id: str) -> SavedProbe:
        probe = self._saved(probe_id)
        return replace(probe, replies=self.replies(probe))

    def _afford(self, probe_id: str | None, costs: Iterable[Allowance]) -> None:
        of_probe, of_day = self.spent(probe_id)
        check(added(costs), of_probe, of_day, self._endpoints.declared.limits)

    def _save_now(self, rows: Sequence[Row]) -> None:
        with _told_if_unsaved():
            save(self._store, rows)

    def _judge_row(self, probe_id: str, judge_id: str, judge: Judge, author: str | None) -> JudgeRow:
        column = judge.column
        return JudgeRow(
            judge_id, probe_id, column.endpoint, column.protocol, column.model, judge.rubric, author, self._naive()
        )

    def _plan_more(self, probe_id: str, plan: Callable[[SavedProbe, int, datetime], list[Planned]]) -> int:
        # Read under the lock: of two who ask for the same at once, the second one finds it under way.
        with self._planning:
            probe = self._now(probe_id)
            now = self._clock()
            planned = self._numbered(lambda first: plan(probe, first, now))
            judges = {name: self.with_room(judge) for name, judge in plans.judges_of(probe).items()}
            self._go(probe_id, planned, judges, [])
        return len(planned)

    def _numbered(self, plan: Callable[[int], list[Planned]]) -> list[Planned]:
        """What is planned, with ids that the store gives out; under the lock of planning."""
        planned = plan(self._reply_ids.start)
        if len(planned) > len(self._reply_ids):
            with _told_if_unsaved():
                first = self._store.ids("probe_replies", len(planned))
            self._reply_ids = range(first, first + len(planned))
            planned = plan(first)
        return planned

    def _go(self, probe_id: str, planned: Sequence[Planned], judges: Mapping[str, Judge], rows: list[Row]) -> None:
        """Save what is planned, and begin; under the lock of planning.

        Raises:
            OverBudget: It could cost more than is allowed.
            DriftlineError: It can't be saved.
        """
        if self._jobs.closing:
            raise DriftlineError(ENDING)
        owed = {
            (judge_id, one.row.reply_id): (probe_id, plans.judging(judge, one.prompt, None, one.request.max_tokens))
            for judge_id, judge in judges.items()
            for one in planned
        }
        asked = [Allowance(1, one.row.reserved) for one in planned]
        self._afford(probe_id, [*asked, *(cost for _, cost in owed.values())])
        fresh = {
            one.row.reply_id: LiveReply(one.saved, probe_id, one.column.endpoint, one.column.model, one.prompt)
            for one in planned
        }
        live = self._live.setdefault(probe_id, {})
        live |= fresh  # before they are saved: else whoever looks just then would find them interrupted
        try:
            self._save_now([*rows, *(one.row for one in planned)])
        except BaseException:
            for reply_id in fresh:
                del live[reply_id]
            raise
        self._reply_ids = self._reply_ids[len(planned) :]
        self._judges.setdefault(probe_id, {}).update(judges)
        self._owed |= owed
        self._forget()
        self._jobs.begin(
            [Job(probe_id, self._ask(fresh[p.row.reply_id], p.request), fresh[p.row.reply_id]) for p in planned]
        )
        self.changes.tell(probe_id)

    def _forget(self) -> None:
        """Let go of the oldest probes of which nothing is under way or unsaved: the store has them."""
        if self.trouble:
            return
        busy = {job.probe_id for job in self._jobs.under_way()}
        done = [probe for probe in self._live if probe not in busy]
        for probe in done[: max(0, len(done) - MOST_KEPT)]:
            if all(live.end is not None and not live.unsaved for live in self._live[probe].values()):
                del self._live[probe]

    def _ended(self, job: Job, error: BaseException | None) -> None:
        self._owed.pop(job.owes, None)
        stopped = isinstance(error, asyncio.CancelledError)
        if error is not None and not stopped:
            logger.error("A probe's task failed: %s", self._endpoints.redact(repr(error)))
        if error is not None and job.live is not None and job.live.end is None:
            # Stopped before it began, so that no line of it has run; or an error of our own.
            failure = None if stopped else ClientError("server_error", f"Asking failed: {error!r}.")
            status = "stopped" if stopped else "failed"
            self._end(job.live, asking.end_of(job.live, status, None, failure, self._endpoints, self._naive()))
        self.changes.tell(job.probe_id)

    def _places_of(self, endpoint: Endpoint) -> Places:
        return self._places.setdefault((endpoint.name, endpoint.in_flight), Places(endpoint.in_flight))

    async def _ask(self, live: LiveReply, request: Request) -> None:
        end = await asking.ask(live, request, self._ways, lambda: self.changes.tell(live.probe_id))
        self._end(live, end)
        if end.status == "complete" and not self._jobs.closing:
            for judge_id, judge in list(self._judges.get(live.probe_id, {}).items()):
                work = self._judge_one(judge_id, judge, live.now(), live.prompt)
                self._jobs.begin([Job(live.probe_id, work, owes=(judge_id, end.reply_id))])
        await self._saver.flush()

    def _end(self, live: LiveReply, end: EndRow) -> None:
        if self._jobs.closing and end.status == "stopped":
            return  # nobody stopped it: a reply without an end was interrupted
        live.end, live.status = end, cast("Status", end.status)
        self._saver.add(end)
        if end.status != "complete":
            for judge_id in self._judges.get(live.probe_id, {}):
                self._owed.pop((judge_id, end.reply_id), None)
        self.changes.tell(live.probe_id)

    def _fresh(self) -> list[Row]:
        rows: list[Row] = []
        for of_probe in list(self._live.values()):
            for live in list(of_probe.values()):
                if live.unsaved:
                    rows += live.unsaved
                    live.unsaved = []
        return rows

    async def _judge_one(self, judge_id: str, judge: Judge, reply: SavedReply, prompt: Prompt) -> None:
        reserved = plans.judge_reserve(judge, prompt, reply)
        self._saver.add(await asking.judge(judge_id, judge, prompt, reply, reserved, self._ways))
        await self._saver.flush()

    async def _measure(
        self, probe_id: str, position: int, column: Column, framing: Framing, continuations: Sequence[str]
    ) -> None:
        for text in continuations:
            reserved = plans.measuring(framing.prompt, text).tokens
            row = await asking.likelihood(probe_id, position, column, framing, text, reserved, self._ways)
            self._saver.add(row)
            await self._saver.flush()
            self.changes.tell(probe_id)
