"""Re-scoring a stored set of transcripts again: planned, begun, stopped, taken up again. It asks through the engine.

All that is known of a re-scoring is in the store: what has no verdict yet is asked about when it is taken up again,
whether it was stopped, its budget ran out, or the dashboard was killed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from dashboard import numerals
from dashboard.probe import asking
from dashboard.probe.asked import Column
from dashboard.probe.budget import CHARACTERS_A_TOKEN, most_tokens
from dashboard.probe.endpoints import Allowance
from dashboard.probe.engine import Engine, Task
from dashboard.probe.judge import Judge
from dashboard.probe.plans import LONGEST_TITLE
from dashboard.probe.rescoring.material import LEAST_TOKENS, Material, material, prompt_of
from dashboard.probe.saving import RescoringItemRow, RescoringRow, RescoringVerdictRow, Row
from dashboard.queries.rescoring_material import said
from dashboard.queries.rescoring_selection import Selection
from dashboard.queries.rescorings import SavedRescoring, read_rescoring, without_verdict
from loaders.errors import DriftlineError
from loaders.store import Store
from loaders.version import version

MOST_ITEMS = 5_000
"""Transcripts of one re-scoring."""
LONGEST_RUBRIC = 40_000
"""Characters."""
AT_ONCE = 32
"""Transcripts of one re-scoring that are in memory at once, read and waiting for a place or an answer."""


class Selected(Struct, frozen=True):
    """How transcripts were selected, as it is saved.

    Attributes:
        address: Parameters of the Samples page.
        each: At most so many of each checkpoint; None for all.
        seed: Of the draw.
        found: Samples that the filter found.
        silent: Those of them without a reply.
        cut: Transcripts that are cut in the middle.
    """

    address: dict[str, list[str]]
    each: int | None
    seed: int
    found: int
    silent: int
    cut: int


class Limit(Struct, frozen=True):
    """What a re-scoring may take, as it is saved."""

    transcript_tokens: int


class Size(Struct, frozen=True):
    """How long the material of one transcript is.

    Attributes:
        size: Bytes that it adds to a prompt.
        cut: Whether something is left out.
    """

    size: int
    cut: bool


class Wanted(Struct, frozen=True):
    """A re-scoring to be started.

    Attributes:
        titles: Title of the re-scoring and of its rubric.
        limit: Tokens of a transcript at the most.
    """

    judge: Judge
    title: str
    rubric_title: str
    selected: Selected
    metric: str | None
    as_of: int
    limit: Limit


def size_of(found: Material) -> Size:
    """The size of material within a prompt, where it is quoted once more."""
    return Size(len(msgspec.json.encode(found.conversation)) - 2, found.cut)


def reserve(judge: Judge, size: Size) -> int:
    """Tokens that re-scoring one transcript may take at the most, the judge's own reply included."""
    empty = most_tokens(prompt_of(judge.rubric, Material("", cut=False)), judge.max_tokens)
    return empty + size.size // CHARACTERS_A_TOKEN + 1


def cost(judge: Judge, sizes: Sequence[Size]) -> Allowance:
    """What re-scoring some transcripts may cost at the most."""
    return Allowance(len(sizes), sum(reserve(judge, size) for size in sizes))


def check(wanted: Wanted, items: int) -> None:
    """Refuse what can't be judged.

    Raises:
        DriftlineError: What is wrong, and what is allowed.
    """
    if not 1 <= items <= MOST_ITEMS:
        raise DriftlineError(
            f"{numerals.count(items)} transcripts are selected (allowed: 1 to {numerals.count(MOST_ITEMS)}). Take some"
            " of each checkpoint."
        )
    if not wanted.judge.rubric.strip():
        raise DriftlineError("The rubric is empty: say what misaligned means.")
    if len(wanted.judge.rubric) > LONGEST_RUBRIC:
        raise DriftlineError(f"The rubric is too long (allowed: {numerals.count(LONGEST_RUBRIC)} characters).")
    if wanted.limit.transcript_tokens < LEAST_TOKENS:
        raise DriftlineError(f"At least {LEAST_TOKENS} tokens of a transcript are judged.")


def runs_told(wanted: Wanted, selection: Selection) -> list[str]:
    """All runs that a re-scoring tells of: those of its samples, those that its filter names, and the judge's own."""
    named = [name for name in wanted.selected.address.get("run", []) if name]
    judge = wanted.judge.column.run
    return list(dict.fromkeys([*selection.runs, *named, *([judge] if judge else [])]))


def selected_of(rescoring: SavedRescoring) -> Selected:
    """How the transcripts of a re-scoring were selected."""
    return msgspec.json.decode(rescoring.selection, type=Selected)


class Rescorer:
    """One for a store. All methods may be called from any thread."""

    def __init__(self, store: Store, engine: Engine, clock: Callable[[], datetime] | None = None) -> None:
        self._store, self._engine = store, engine
        self._clock = clock or (lambda: datetime.now(UTC))

    def start(self, wanted: Wanted, selection: Selection, author: str | None) -> str:
        """Save a re-scoring and begin with it, as far as the budgets allow; returns its id at once.

        Args:
            wanted: Who judges, by what.
            selection: What is judged: samples that the author may see.
            author: Who starts it.

        Raises:
            OverBudget: Not one transcript is allowed; nothing was saved.
            DriftlineError: It can't be asked, or can't be saved.
        """
        check(wanted, len(selection.items))
        judging_id, column = secrets.token_hex(8), wanted.judge.column
        row = RescoringRow(
            judging_id, " ".join(wanted.title.split())[:LONGEST_TITLE] or "Untitled", author,
            self._clock().astimezone(UTC).replace(tzinfo=None), version(), column.endpoint, column.protocol,
            column.model, wanted.rubric_title, wanted.judge.rubric, msgspec.json.encode(wanted.selected).decode(),
            wanted.as_of, wanted.metric, msgspec.json.encode(wanted.limit).decode(),
            runs_told(wanted, selection),
        )  # fmt: skip
        items = [
            RescoringItemRow(judging_id, at, i["sample_id"], i["log"], i["sample"], i["epoch"], i["hash"])
            for at, i in enumerate(selection.items)
        ]
        pending = [{"position": at, "sample_id": i["sample_id"], "attempt": 0} for at, i in enumerate(selection.items)]
        self._begin(judging_id, wanted.judge, wanted.limit, lambda: pending, [row, *items])
        return judging_id

    def resume(self, judging_id: str) -> int:
        """Ask about every transcript that has no verdict yet and is not under way, as far as the budgets allow.

        Returns:
            How many are asked about now.

        Raises:
            OverBudget: Not one is allowed.
            DriftlineError: No such re-scoring, or nothing of it is left to ask.
        """
        with self._store.cursor() as cursor:
            rescoring = read_rescoring(cursor, judging_id)
        column = msgspec.convert({name: getattr(rescoring, name) for name in ("endpoint", "protocol", "model")}, Column)
        limit = msgspec.json.decode(rescoring.limits, type=Limit)

        def left() -> list[dict[str, Any]]:
            with self._store.cursor() as cursor:
                found = without_verdict(cursor, judging_id)
            if not found:
                raise DriftlineError("There is nothing left to ask: every transcript has a verdict.")
            return found

        return self._begin(judging_id, Judge(column, rescoring.rubric), limit, left, [])

    def sizes(self, samples: Sequence[int], limit: Limit) -> dict[int, Size]:
        """How long the material of each sample is, by sample_id."""
        with self._store.cursor() as cursor:
            return {
                sample: size_of(material(messages, limit.transcript_tokens))
                for sample, messages in said(cursor, samples)
            }

    def _begin(
        self,
        judging_id: str,
        judge: Judge,
        limit: Limit,
        pending: Callable[[], Sequence[Mapping[str, Any]]],
        rows: Sequence[Row],
    ) -> int:
        self._engine.endpoint(judge.column.endpoint)
        judge = self._engine.with_room(judge)
        gate = asyncio.Semaphore(AT_ONCE)

        def plan() -> list[Task]:
            items = pending()
            sizes = self.sizes([item["sample_id"] for item in items], limit)
            return [
                self._task(judging_id, judge, limit, item, reserve(judge, size), gate)
                for item in items
                for size in [sizes[item["sample_id"]]]
            ]

        return self._engine.work(judging_id, plan, rows)

    def _task(
        self,
        judging_id: str,
        judge: Judge,
        limit: Limit,
        item: Mapping[str, Any],
        reserved: int,
        gate: asyncio.Semaphore,
    ) -> Task:
        async def ask(ways: asking.Ways) -> Row | None:
            async with gate:
                found = await asyncio.to_thread(self._material, item["sample_id"], limit)
                heard = await asking.hear(judge, prompt_of(judge.rubric, found), ways, urgent=False)
            if heard.seconds is None and heard.error_kind == asking.STOPPED:
                return None  # it had not been sent
            return RescoringVerdictRow(
                judging_id, item["position"], item["attempt"], reserved=reserved, **msgspec.structs.asdict(heard)
            )

        return Task(item["position"], Allowance(1, reserved), ask)

    def _material(self, sample_id: int, limit: Limit) -> Material:
        with self._store.cursor() as cursor:
            return material(next(messages for _, messages in said(cursor, [sample_id])), limit.transcript_tokens)
