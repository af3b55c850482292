"""Audits by Petri 3, and by Bloom and Dish, which are built on it: the target's conversation, and what was left of it.

An audit keeps a timeline for each of the two who talk, `target` and `auditor` (with a name before them where a sample
holds several audits). Whenever the auditor rolls back or restarts, the target goes on in a new branch, a span named
`trajectory`; all branches but the last were left. Since Petri 3.1.1 the messages of the sample are those of the last
branch. Before, they are the auditor's own; and of an audit that was cut short they are its brief alone. What the target
saw is then read from its last model call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from loaders.inspect.decode import ANY, decode
from loaders.inspect.documents import NULL, EventDoc, MessageDoc, SampleDoc, SpanDoc, TimelineDoc
from loaders.inspect.recorded import Recorded, answered, asked
from loaders.records import AUDITOR_VIEW, branch_view

TARGET, AUDITOR = "target", "auditor"
"""Roles of the models, and names of the timelines."""

TRAJECTORY = "trajectory"
EDITS, ROLLBACK, RESET = "edits", "rollback", "reset"
"""Where a sample's metadata say how often its conversation was left, in the words of Petri's older transcripts."""

TIMELINES = msgspec.json.Decoder(list[TimelineDoc] | None)


def show_target(sample: SampleDoc, recorded: Recorded) -> dict[str, list[MessageDoc]]:
    """Make the messages of an audit the target's, and let its metadata say how often the auditor left a branch.

    A sample that is no audit stays as it is.

    Returns:
        What else was seen: by the auditor, and by the target in each branch that was left, counted from 1.

    Raises:
        Unreadable: Its timelines or events are damaged.
    """
    branches = _branches(sample)
    if branches is None:
        return {}
    events = recorded.events()
    if not _are_the_targets(sample.messages, events):
        _put_target(sample, events, branches, recorded)
    if branches:
        edits = Counter(RESET if branch.branched_from == "" else ROLLBACK for branch in branches)
        told = decode(ANY, sample.metadata, "metadata") or {}
        sample.metadata = Raw(msgspec.json.encode({EDITS: edits} | told))
    return _others(events, recorded)


def _others(events: Sequence[EventDoc], recorded: Recorded) -> dict[str, list[MessageDoc]]:
    """The conversations of the auditor's last call, and of the target's last one in each branch but the last."""
    auditors = None
    ends: list[EventDoc | None] = [None]
    for event in events:
        if event.event == "span_begin" and event.name == TRAJECTORY:
            ends.append(None)
        elif _is_call(event, TARGET):
            ends[-1] = event
        elif _is_call(event, AUDITOR):
            auditors = event
    # Before the first branch there is a call only where no span says that it began.
    left = [end for at, end in enumerate(ends[:-1]) if at or end is not None]
    found = {} if auditors is None else {AUDITOR_VIEW: _conversation(auditors, recorded)}
    return found | {
        branch_view(number): _conversation(end, recorded) for number, end in enumerate(left, start=1) if end is not None
    }


def _branches(sample: SampleDoc) -> list[SpanDoc] | None:
    """The target's branches after the first one; None where the sample is no audit."""
    if bytes(sample.timelines) == NULL:
        return None
    timelines = decode(TIMELINES, sample.timelines, "timelines") or []
    names = {timeline.name for timeline in timelines}
    audits = [
        timeline.root
        for timeline in timelines
        if _is_of(timeline.name, TARGET) and timeline.name.removesuffix(TARGET) + AUDITOR in names
    ]
    return [branch for root in audits for branch in _below(root)] if audits else None


def _is_of(name: str, role: str) -> bool:
    return name == role or name.endswith(f"-{role}")


def _below(span: SpanDoc) -> Iterator[SpanDoc]:
    for branch in span.branches:
        yield branch
        yield from _below(branch)
    for inner in span.content:
        yield from _below(inner)


def _are_the_targets(messages: Sequence[MessageDoc], events: Sequence[EventDoc]) -> bool:
    """Whether the messages are the target's. Where an audit was cut short, they are nobody's: the auditor's brief."""
    said = {message.id for message in messages if message.role == "assistant" and message.id}
    if said & _answers(events, TARGET):
        return True
    return not any(_is_call(event, TARGET) for event in events) and not said & _answers(events, AUDITOR)


def _answers(events: Sequence[EventDoc], role: str) -> set[str | None]:
    """The ids of what a model said."""
    answers = (answered(event)[1] for event in events if _is_call(event, role))
    return {answer.id for answer in answers if answer is not None}


def _is_call(event: EventDoc, role: str) -> bool:
    return event.event == "model" and event.role == role


def _put_target(sample: SampleDoc, events: Sequence[EventDoc], branches: Sequence[SpanDoc], recorded: Recorded) -> None:
    """Put what the target saw in the end, and its last answer, in the place of what is there."""
    begun, calls, last = None, list[EventDoc](), None
    for event in events:
        if event.event == "span_begin" and event.name == TRAJECTORY:
            begun, last = event.id, None
        elif _is_call(event, TARGET):
            last = event
            calls.append(event)
    if last is not None:
        sample.messages = _conversation(last, recorded)
        sample.output = answered(last)[0]
        return
    # The auditor ended the audit where it had rolled back to.
    anchor = next((branch.branched_from for branch in branches if branch.id == begun), None)
    conversations = (_conversation(call, recorded) for call in reversed(calls))
    sample.messages = next(filter(None, (_up_to(anchor, messages) for messages in conversations)), []) if anchor else []
    sample.output = None


def _conversation(call: EventDoc, recorded: Recorded) -> list[MessageDoc]:
    answer = answered(call)[1]
    return [*asked(call, recorded), *([answer] if answer is not None else [])]


def _up_to(anchor: str, messages: list[MessageDoc]) -> list[MessageDoc]:
    """Messages up to the one with an id; none where it isn't among them."""
    ids = [message.id for message in messages]
    return messages[: ids.index(anchor) + 1] if anchor in ids else []
