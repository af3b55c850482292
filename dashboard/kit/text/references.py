"""The messages that a judge's words are about: highlights of audits, and citations of scanners. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from loaders.records import COMBINED_VIEW, TARGET_VIEW

CITED = ("scanner_references", "message_references")
"""What Inspect Scout keeps of the messages that a scanner cites, as a scorer (Petri 3) and in a scan.

Petri 3's highlights are a text, and say in each line what is to be seen in a message that is cited like this."""


class Reference(NamedTuple):
    """A place that a judge points to.

    Attributes:
        by: The scorer.
        said: What is said of it, and the words that are quoted; "" for neither.
        message: Its number in the view, from 1; None where it is in none: taken back, in another branch, or quoted
            otherwise than it was said.
        view: Whose messages it is among, of an audit.
    """

    by: str
    said: str
    message: int | None
    view: str = TARGET_VIEW


Place = tuple[int | None, str]
"""The number of a message, and its view."""


class _View:
    """The messages of one view, to be found."""

    def __init__(self, name: str, messages: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self._messages = messages
        self._by_id = {row["message_id"]: number for number, row in enumerate(messages, start=1) if row["message_id"]}

    def find(self, message_id: str, quoted: str) -> int | None:
        return self._by_id.get(message_id) or _quoting(quoted, self._messages)


def references_of(
    scores: Sequence[Mapping[str, Any]],
    messages: Sequence[Mapping[str, Any]],
    views: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> list[Reference]:
    """The places that the scores of a sample point to, each once, in their order.

    Args:
        scores: `Transcript.scores`.
        messages: `Transcript.messages`: a place in them counts before one in other views.
        views: `Transcript.views`.
    """
    others = sorted((views or {}).items(), key=lambda view: view[0] != COMBINED_VIEW)
    among = [_View(TARGET_VIEW, messages), *(_View(*view) for view in others)]
    found = [
        one
        for score in scores
        if isinstance(score["metadata"], Mapping)
        for one in _of_score(str(score["scorer"]), score["metadata"], among)
    ]
    return list(dict.fromkeys(found))


def _of_score(by: str, metadata: Mapping[str, Any], among: Sequence[_View]) -> Iterator[Reference]:
    for highlight in _objects(metadata.get("highlights")):
        description = _text(highlight.get("description"))
        for part in _objects(highlight.get("parts")) or [highlight]:
            quoted = _text(part.get("quoted_text"))
            said = "\n".join(told for told in (description, quoted and f"“{quoted}”") if told)
            yield Reference(by, said, *_place(_text(part.get("message_id")), quoted, among))
    lines = [line.strip() for line in _text(metadata.get("highlights")).splitlines()]
    for cited in (one for name in CITED for one in _objects(metadata.get(name))):
        if cited.get("type", "message") == "message":
            cite, place = _text(cited.get("cite")), _place(_text(cited.get("id")), "", among)
            for said in [line for line in lines if cite and cite in line] or [cite]:
                yield Reference(by, said, *place)


def _place(message_id: str, quoted: str, among: Sequence[_View]) -> Place:
    found = ((view.find(message_id, quoted), view.name) for view in among)
    return next((place for place in found if place[0]), (None, TARGET_VIEW))


def _quoting(quoted: str, messages: Sequence[Mapping[str, Any]]) -> int | None:
    """The only message that holds some words."""
    holding = [number for number, row in enumerate(messages, start=1) if quoted and quoted in (row["text"] or "")]
    return holding[0] if len(holding) == 1 else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
