"""The messages that a judge's words are about: highlights of audits, and citations of scanners. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

CITED = ("scanner_references", "message_references")
"""What Inspect Scout keeps of the messages that a scanner cites, as a scorer (Petri 3) and in a scan.

Petri 3's highlights are a text, and say in each line what is to be seen in a message that is cited like this."""


class Reference(NamedTuple):
    """A place that a judge points to.

    Attributes:
        by: The scorer.
        said: What is said of it, and the words that are quoted; "" for neither.
        message: Its number in this conversation, from 1; None where it isn't in it: taken back, in another branch, or
            quoted otherwise than it was said.
    """

    by: str
    said: str
    message: int | None


def references_of(scores: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> list[Reference]:
    """The places that the scores of a sample point to, each once, in their order.

    Args:
        scores: `Transcript.scores`.
        messages: `Transcript.messages`.
    """
    by_id = {row["message_id"]: number for number, row in enumerate(messages, start=1) if row["message_id"]}
    found = [
        one
        for score in scores
        if isinstance(score["metadata"], Mapping)
        for one in _of_score(str(score["scorer"]), score["metadata"], by_id, messages)
    ]
    return list(dict.fromkeys(found))


def _of_score(
    by: str, metadata: Mapping[str, Any], by_id: Mapping[str, int], messages: Sequence[Mapping[str, Any]]
) -> Iterator[Reference]:
    for highlight in _objects(metadata.get("highlights")):
        description = _text(highlight.get("description"))
        for part in _objects(highlight.get("parts")) or [highlight]:
            quoted = _text(part.get("quoted_text"))
            message = by_id.get(_text(part.get("message_id"))) or _quoting(quoted, messages)
            yield Reference(by, "\n".join(told for told in (description, quoted and f"“{quoted}”") if told), message)
    lines = [line.strip() for line in _text(metadata.get("highlights")).splitlines()]
    for cited in (one for name in CITED for one in _objects(metadata.get(name))):
        if cited.get("type", "message") == "message":
            cite, message = _text(cited.get("cite")), by_id.get(_text(cited.get("id")))
            for said in [line for line in lines if cite and cite in line] or [cite]:
                yield Reference(by, said, message)


def _quoting(quoted: str, messages: Sequence[Mapping[str, Any]]) -> int | None:
    """The only message that holds some words."""
    holding = [number for number, row in enumerate(messages, start=1) if quoted and quoted in (row["text"] or "")]
    return holding[0] if len(holding) == 1 else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
