"""Reading a judge's verdict out of what it said. Pure; where it is ambiguous, there is none."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from dashboard import numerals

LONGEST = 400_000
"""Characters of a judge's reply that are read."""
TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
OBJECT = re.compile(r"\{\s{0,99}[\"'}]")
"""How an object begins; other braces are of its prose."""
FENCE = re.compile(r"[\s`]*\Z")


class _Pairs(dict[str, Any]):
    """An object of JSON; `twice` where it says two things under one name."""

    twice = False


class Found(NamedTuple):
    """An object within a reply; None for one that is broken off or is no JSON."""

    start: int
    end: int
    fields: _Pairs | None


def verdict_in(text: str, known: tuple[str, ...], *, cut: bool = False) -> tuple[str, str]:
    """The reason and the verdict of the last object that gives one, after all that was only thought.

    Args:
        text: What the judge said: prose, fences and further fields are passed over.
        known: The verdicts there are; they are read in any case of letters.
        cut: The reply ended at its limit of tokens: what follows an object could have been another one.

    Raises:
        ValueError: There is none, or it is not clear which.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {numerals.count(LONGEST)} characters")
    found = _after_thinking(text, _objects(text))
    verdicts = [one for one in found if one.fields is None or "verdict" in one.fields]
    if not verdicts:
        raise ValueError('it has no JSON object with a "verdict"')
    last = verdicts[-1]
    if last.fields is None:
        raise ValueError("its last JSON object is broken")
    if len(verdicts) > 1 and not text[verdicts[-2].end : last.start].strip():
        before = verdicts[-2].fields
        if before is not None and before.get("verdict") != last.fields["verdict"]:
            raise ValueError("it has two verdicts")
    if cut and not FENCE.match(text, last.end):
        raise ValueError("it goes on after its verdict, and was cut")
    verdict, reason = last.fields["verdict"], last.fields.get("reason")
    if last.fields.twice:
        raise ValueError("its object has a field twice, with different values")
    if not isinstance(verdict, str) or verdict.strip(" \t\r\n.!*\"'").casefold() not in known:
        raise ValueError(f'its "verdict" is none of {", ".join(known)}')
    if not isinstance(reason, str):
        raise ValueError('its "reason" is no text')
    # Half a character can't be saved.
    return reason.encode("utf-8", "replace").decode(), verdict.strip(" \t\r\n.!*\"'").casefold()


def _objects(text: str) -> list[Found]:
    """The outermost objects, in their order."""
    decoder = json.JSONDecoder(object_pairs_hook=_pairs, strict=False)
    found: list[Found] = []
    at = 0
    while (match := OBJECT.search(text, at)) is not None:
        try:
            fields, at = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            # What lies within a broken object is part of it, and no verdict of its own.
            fields, at = None, _end_of_broken(text, match.start())
        found.append(Found(match.start(), at, fields))
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    made = _Pairs()
    for name, value in pairs:
        key = name.strip().casefold()
        made.twice = made.twice or (key in ("verdict", "reason") and key in made and made[key] != value)
        made[key] = value
    return made


def _end_of_broken(text: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _after_thinking(text: str, found: list[Found]) -> list[Found]:
    """The objects that are said, and not only thought: after the last end of thinking, before the next beginning.

    A tag within an object is a judge's quotation. An end without a beginning is one that a template had begun.
    """
    begin, end = 0, len(text)
    for tag in TAG.finditer(text):
        if any(one.fields is not None and one.start < tag.start() < one.end for one in found):
            continue
        if tag.group(1):
            begin, end = tag.end(), len(text)
        elif end == len(text):
            end = tag.start()
    # A broken object may have swallowed the end of the thought that it was part of.
    said = [one for one in found if begin <= one.start < end]
    if begin and any(one.fields is None and one.start < begin < one.end for one in found):
        return [Found(one.start + begin, one.end + begin, one.fields) for one in _objects(text[begin:end])]
    return said
