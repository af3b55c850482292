"""A probe's replies as conversations of a review: the prompt, what came back, who judged it how. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from dashboard.exports.review import Conversation
from dashboard.kit.text.replies import message_of_reply, messages_of_prompt
from dashboard.probe.plans import framings_of
from dashboard.queries.probes import SavedProbe, SavedReply
from dashboard.queries.rows import checkpoint_name
from dashboard.texts.messages import Message, Part


def conversations_of(probe: SavedProbe) -> Iterator[tuple[Conversation, list[SavedReply]]]:
    """A conversation for each framing, column and sample of a probe, with the replies that it is made of."""
    prompts = {framing.name: framing.prompt for framing in framings_of(probe)}
    together: dict[tuple[str, int, int], list[SavedReply]] = {}
    for reply in probe.replies:
        together.setdefault((reply.framing, reply.position, reply.sample), []).append(reply)
    for (framing, position, sample), replies in together.items():
        column = probe.columns[position]
        run = column["run"]
        name = str(column["model"]) if run is None else checkpoint_name(column)
        told = [probe.title, name, *([framing] if len(prompts) > 1 else []), f"reply {sample + 1}"]
        messages = messages_of_prompt(prompts[framing])
        for reply in replies:
            if reply.user_text is not None:
                messages.append(Message("user", (Part("text", reply.user_text),)))
            messages.append(_judged_reply(reply, probe.judges))
        yield (
            Conversation(
                title=" · ".join(told),
                runs=() if run is None else (str(run),),
                about=(("Model", f"{column['model']} at {column['endpoint']}"), ("Probe", probe.probe_id)),
                messages=tuple(messages),
            ),
            replies,
        )


def _judged_reply(reply: SavedReply, judges: list[dict[str, Any]]) -> Message:
    """A reply with what became of it and what judges and people say of it."""
    message = message_of_reply(reply)
    told = []
    if reply.status != "complete":
        told.append(Part("text", f"({reply.status}: {reply.error or 'no error was given'})"))
    for judge in judges:
        verdict = reply.verdicts.get(judge["judge_id"])
        if verdict:
            told.append(_verdict(f"the judge, {judge['model']}", verdict))
    told += [_verdict(author, mark) for author, mark in reply.marks.items()]
    return replace(message, parts=(*message.parts, *told))


def _verdict(by: str, verdict: Mapping[str, Any]) -> Part:
    """A verdict of a judge or a person: what, by whom, and why."""
    why = verdict.get("reason") or verdict.get("note") or verdict.get("error") or ""
    return Part("verdict", str(why), f"{verdict['verdict'] or 'No verdict'}, by {by}")
