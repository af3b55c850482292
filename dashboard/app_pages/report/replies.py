"""A probe's replies as conversations of a review: the prompt, what came back, who judged it how. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.exports.review import Block, Conversation, Turn
from dashboard.probe.asked import Prompt
from dashboard.probe.plans import framings_of
from dashboard.queries.probes import SavedProbe, SavedReply
from dashboard.queries.rows import checkpoint_name


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
        turns = _prompt(prompts[framing])
        for reply in replies:
            if reply.user_text is not None:
                turns.append(Turn("user", (Block("", reply.user_text),)))
            turns.append(_reply(reply, probe.judges))
        yield (
            Conversation(
                title=" · ".join(told),
                runs=() if run is None else (str(run),),
                about=(("Model", f"{column['model']} at {column['endpoint']}"), ("Probe", probe.probe_id)),
                turns=tuple(turns),
            ),
            replies,
        )


def _prompt(prompt: Prompt) -> list[Turn]:
    said = [("system", prompt.system or ""), *((turn.role, turn.text) for turn in prompt.turns)]
    said += [("assistant, begun with", prompt.prefill or "")]
    return [Turn(role, (Block("", text),)) for role, text in said if text]


def _reply(reply: SavedReply, judges: list[dict[str, Any]]) -> Turn:
    blocks = [Block("Reasoning", reply.reasoning), Block("", reply.text)]
    blocks += [Block("Calls a tool", call) for call in reply.calls]
    shown = [block for block in blocks if block.text]
    if reply.status != "complete":
        shown.append(Block("", f"({reply.status}: {reply.error or 'no error was given'})"))
    for judge in judges:
        verdict = reply.verdicts.get(judge["judge_id"])
        if verdict:
            shown.append(_judged(f"the judge, {judge['model']}", verdict))
    shown += [_judged(author, mark) for author, mark in reply.marks.items()]
    return Turn(f"assistant · {reply.served_model}" if reply.served_model else "assistant", tuple(shown))


def _judged(by: str, verdict: Mapping[str, Any]) -> Block:
    """A verdict of a judge or a person: what, by whom, and why."""
    why = verdict.get("reason") or verdict.get("note") or verdict.get("error") or ""
    return Block(f"{verdict['verdict'] or 'No verdict'}, by {by}", str(why))
