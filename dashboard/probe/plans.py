"""Deciding what to ask: the replies to ask for, in what order, with which prompt and seed, and what they may cost.

Pure: nothing is sent or saved in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from msgspec import Struct

from dashboard import numerals
from dashboard.probe.asked import (
    MOST_COLUMNS,
    MOST_SAMPLES,
    Column,
    Framing,
    Prompt,
    Request,
    Sampling,
    ToolCall,
    Turn,
)
from dashboard.probe.budget import CHARACTERS_A_TOKEN, added, most_tokens
from dashboard.probe.conversation import Exchange, prompt_for, system_merged
from dashboard.probe.endpoints import Allowance
from dashboard.probe.judge import Judge, judge_prompt
from dashboard.probe.saving import ColumnRow, ProbeRow, ReplyRow
from dashboard.queries.probes import SavedProbe, SavedReply
from loaders.errors import DriftlineError
from loaders.version import version

MOST_SWEPT = 200
"""Checkpoints of one sweep."""
LONGEST_TITLE = 120
LONGEST_PROMPT = 4_000_000
"""Bytes of one prompt, with its system prompt and tools."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of what is only reckoned."""

AGAIN = ("failed", "stopped", "interrupted")
"""What may be asked again."""
UNDER_WAY = ("waiting", "asking", "streaming")
ANSWERED = ("complete", "stopped")
"""What a conversation can go on from, if anything was said."""


class Planned(Struct, frozen=True):
    """One reply to ask for."""

    row: ReplyRow
    column: Column
    prompt: Prompt
    request: Request

    @property
    def saved(self) -> SavedReply:
        """The reply as it would be read back, nothing of it come yet."""
        values = {name: getattr(self.row, name) for name in self.row.__struct_fields__ if name != "probe_id"}
        return SavedReply(**values, status="waiting")


def check(columns: Sequence[Column], framings: Sequence[Framing], sampling: Sampling, kind: str) -> None:
    """Refuse what can't be asked.

    Raises:
        DriftlineError: What is wrong, and what is allowed.
    """
    most = MOST_SWEPT if kind == "sweep" else MOST_COLUMNS
    if not 1 <= len(columns) <= most:
        raise DriftlineError(f"{len(columns)} models are picked (allowed: 1 to {most}).")
    if not framings:
        raise DriftlineError("No framing is picked: pick at least one.")
    if len({framing.name for framing in framings}) < len(framings):
        raise DriftlineError("Two framings have the same name.")
    if not 1 <= sampling.samples <= MOST_SAMPLES:
        raise DriftlineError(f"{sampling.samples} samples are wanted (allowed: 1 to {MOST_SAMPLES}).")
    if sampling.max_tokens < 1:
        raise DriftlineError(f"At most {sampling.max_tokens} tokens are wanted (allowed: 1 or more).")
    for framing in framings:
        if not any(turn.text.strip() for turn in framing.prompt.turns):
            raise DriftlineError("The prompt is empty: write what the models are to answer.")
        if len(msgspec.json.encode(framing.prompt)) > LONGEST_PROMPT:
            raise DriftlineError(f"The prompt is too long (allowed: {numerals.count(LONGEST_PROMPT)} bytes).")


def first_turns(
    probe_id: str,
    columns: Sequence[Column],
    framings: Sequence[Framing],
    sampling: Sampling,
    first_id: int,
    now: datetime,
) -> list[Planned]:
    """Every framing put to every column, as often as there are samples.

    The first samples of all columns come before the second ones, so that an endpoint with few places serves all
    columns at once rather than one after the other.
    """
    planned: list[Planned] = []
    for sample in range(sampling.samples):
        for framing in framings:
            for position, column in enumerate(columns):
                planned.append(
                    _planned(probe_id, first_id + len(planned), position, column, framing, framing.prompt, sampling,
                             sample=sample, now=now)
                )  # fmt: skip
    return planned


def next_turns(
    probe: SavedProbe, text: str, positions: Iterable[int] | None, first_id: int, now: datetime
) -> list[Planned]:
    """The reader's next message, put to every conversation that has got a last word.

    Raises:
        DriftlineError: The message is empty, or no conversation can go on.
    """
    if not text.strip():
        raise DriftlineError("The message is empty: write what the models are to answer.")
    framings = {framing.name: framing for framing in framings_of(probe)}
    columns, sampling = columns_of(probe), sampling_of(probe)
    planned: list[Planned] = []
    for thread in threads(probe):
        last = thread[-1]
        if positions is not None and last.position not in set(positions):
            continue
        if last.status not in ANSWERED or not (last.text or last.calls):
            continue
        prompt = prompt_for(framings[last.framing].prompt, [*_exchanges(thread), _exchange(last, text)])
        planned.append(
            _planned(probe.probe_id, first_id + len(planned), last.position, columns[last.position],
                     framings[last.framing], prompt, sampling, sample=last.sample, now=now, turn=last.turn + 1,
                     follows=last.reply_id, user_text=text)
        )  # fmt: skip
    if not planned:
        raise DriftlineError("No conversation can go on: none of these replies is complete.")
    return planned


def again(probe: SavedProbe, positions: Iterable[int] | None, first_id: int, now: datetime) -> list[Planned]:
    """The last turns that failed, were stopped or interrupted, as they were asked for.

    Raises:
        DriftlineError: There is none.
    """
    framings = {framing.name: framing for framing in framings_of(probe)}
    columns, sampling = columns_of(probe), sampling_of(probe)
    planned: list[Planned] = []
    for thread in threads(probe):
        last = thread[-1]
        if last.status not in AGAIN or (positions is not None and last.position not in set(positions)):
            continue
        planned.append(
            _planned(probe.probe_id, first_id + len(planned), last.position, columns[last.position],
                     framings[last.framing], prompt_of(probe, last), sampling, sample=last.sample, now=now,
                     turn=last.turn, follows=last.follows, user_text=last.user_text, attempt=last.attempt + 1)
        )  # fmt: skip
    if not planned:
        raise DriftlineError("Nothing to ask again: no reply failed or was stopped.")
    return planned


def _planned(
    probe_id: str,
    reply_id: int,
    position: int,
    column: Column,
    framing: Framing,
    prompt: Prompt,
    sampling: Sampling,
    *,
    sample: int,
    now: datetime,
    turn: int = 0,
    follows: int | None = None,
    user_text: str | None = None,
    attempt: int = 0,
) -> Planned:
    seed = None if sampling.seed is None else sampling.seed + sample
    row = ReplyRow(
        reply_id=reply_id, probe_id=probe_id, position=position, framing=framing.name, sample=sample, turn=turn,
        attempt=attempt, follows=follows, user_text=user_text, seed=seed,
        reserved=most_tokens(prompt, sampling.max_tokens), asked_at=naive(now),
    )  # fmt: skip
    request = Request(column.model, sent(prompt, sampling), sampling.max_tokens, sampling.temperature, seed)
    return Planned(row, column, prompt, request)


def sent(prompt: Prompt, sampling: Sampling) -> Prompt:
    """A prompt as it goes to a server."""
    return system_merged(prompt) if sampling.merge_system else prompt


def threads(probe: SavedProbe) -> list[list[SavedReply]]:
    """The conversations of a probe: replies of one framing, column and sample, by turn."""
    found: dict[tuple[str, int, int], list[SavedReply]] = {}
    for reply in sorted(probe.replies, key=lambda reply: reply.turn):
        found.setdefault((reply.framing, reply.position, reply.sample), []).append(reply)
    return list(found.values())


def prompt_of(probe: SavedProbe, reply: SavedReply) -> Prompt:
    """What a model was given before it gave this reply."""
    framing = next(framing for framing in framings_of(probe) if framing.name == reply.framing)
    thread = next(
        thread
        for thread in threads(probe)
        if (thread[0].framing, thread[0].position, thread[0].sample) == (reply.framing, reply.position, reply.sample)
    )
    before = [one for one in thread if one.turn < reply.turn]
    if not before:
        return framing.prompt
    return prompt_for(framing.prompt, [*_exchanges(before), _exchange(before[-1], reply.user_text or "")])


def _exchanges(thread: Sequence[SavedReply]) -> list[Exchange]:
    """Replies with what the reader answered to each, but for the last one, which nobody has answered yet."""
    return [_exchange(reply, after.user_text or "") for reply, after in pairwise(thread)]


def _exchange(reply: SavedReply, user_text: str) -> Exchange:
    return Exchange(reply.text, calls_of(reply), user_text)


def calls_of(reply: SavedReply) -> tuple[ToolCall, ...]:
    """The tool calls of a reply."""
    return tuple(msgspec.json.decode(call, type=ToolCall) for call in reply.calls)


def assistant_turn(prompt: Prompt, reply: SavedReply) -> Turn:
    """A reply as the turn that it is: what it was given to begin with stands at its beginning."""
    return Turn("assistant", (prompt.prefill or "") + reply.text, calls_of(reply))


def framings_of(probe: SavedProbe) -> list[Framing]:
    """The prompts of a probe."""
    return msgspec.json.decode(probe.framings, type=list[Framing])


def sampling_of(probe: SavedProbe) -> Sampling:
    """How the replies of a probe were drawn."""
    return msgspec.json.decode(probe.sampling, type=Sampling)


def columns_of(probe: SavedProbe) -> list[Column]:
    """Whom a probe asks."""
    return [
        msgspec.convert({name: value for name, value in row.items() if name != "position"}, Column)
        for row in probe.columns
    ]


def probe_row(
    probe_id: str,
    kind: str,
    title: str,
    author: str | None,
    now: datetime,
    framings: Sequence[Framing],
    sampling: Sampling,
    repeats: str | None,
    origin: str | None,
) -> ProbeRow:
    """A probe as it is saved."""
    return ProbeRow(
        probe_id, kind, " ".join(title.split())[:LONGEST_TITLE] or "Untitled", author, naive(now), version(),
        msgspec.json.encode(list(framings)).decode(), msgspec.json.encode(sampling).decode(), repeats, origin,
    )  # fmt: skip


def column_rows(probe_id: str, columns: Sequence[Column]) -> list[ColumnRow]:
    """The columns of a probe as they are saved."""
    return [
        ColumnRow(**msgspec.structs.asdict(column), probe_id=probe_id, position=at) for at, column in enumerate(columns)
    ]


def judges_of(probe: SavedProbe) -> dict[str, Judge]:
    """Who judges the replies of a probe, those to come included."""
    return {
        row["judge_id"]: Judge(Column(row["endpoint"], row["protocol"], row["model"]), row["rubric"])
        for row in probe.judges
    }


def cost(planned: Sequence[Planned], judge: Judge | None) -> Allowance:
    """What asking would cost at the most, judging by `judge` included."""
    parts = [Allowance(1, one.row.reserved) for one in planned]
    if judge is not None:
        parts += [judging(judge, one.prompt, None, one.request.max_tokens) for one in planned]
    return added(parts)


def judging(judge: Judge, prompt: Prompt, reply: SavedReply | None, max_tokens: int) -> Allowance:
    """What judging one reply may cost at the most.

    Args:
        judge: Who judges.
        prompt: What was asked.
        reply: As it is; None while it is still to come.
        max_tokens: The most that it may be.
    """
    if reply is not None and reply.status not in UNDER_WAY:
        return Allowance(1, judge_reserve(judge, prompt, reply))
    empty = judge_prompt(judge.rubric, prompt, Turn("assistant", prompt.prefill or ""))
    return Allowance(1, most_tokens(empty, judge.max_tokens) + max_tokens)


def judge_reserve(judge: Judge, prompt: Prompt, reply: SavedReply) -> int:
    """Tokens that judging one reply may take at the most."""
    return most_tokens(judge_prompt(judge.rubric, prompt, assistant_turn(prompt, reply)), judge.max_tokens)


def measuring(prompt: Prompt, continuation: str) -> Allowance:
    """What measuring the likelihood of one continuation may cost: the server reads both, and writes one token."""
    return Allowance(1, most_tokens(prompt, len(continuation.encode()) // CHARACTERS_A_TOKEN + 2))


def plus(base: Allowance, more: Iterable[Allowance]) -> Allowance:
    """A sum of allowances."""
    return added([base, *more])


def naive(now: datetime) -> datetime:
    """A time as the store has it: UTC, without a timezone."""
    return now.astimezone(UTC).replace(tzinfo=None)
