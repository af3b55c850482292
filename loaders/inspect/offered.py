"""The tools that a model was offered in a sample, which a log keeps in its events; the store doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from loaders.errors import RejectedFile
from loaders.inspect import limits
from loaders.inspect.archive import Archive
from loaders.inspect.audit import TARGET
from loaders.inspect.chunked import sample_members
from loaders.inspect.decode import ANY, decode
from loaders.inspect.documents import ABSENT, SampleDoc, TranscriptDoc
from loaders.inspect.errors import Unreadable
from loaders.inspect.log import ZIP_SIGNATURES
from loaders.inspect.resolve import Budget, Resolver
from loaders.inspect.samples import own_attachments
from loaders.json_text import decode as tolerant
from loaders.packed import READ_ERRORS, open_plain

T = TypeVar("T")


class CallDoc(Struct, gc=False):
    """An event, as far as it tells of tools."""

    event: str = ""
    model: str | None = None
    role: str | None = None
    tools: Raw = ABSENT


class EventfulDoc(TranscriptDoc, gc=False):
    """Before 2025, the events and what they refer to."""

    events: list[CallDoc] = field(default_factory=list)


class EventsDoc(SampleDoc, gc=False):
    """A sample with its events."""

    transcript: EventfulDoc | None = None


class SamplesDoc(Struct):
    """A `.json` log's samples."""

    samples: list[EventsDoc] | None = None


SAMPLE = msgspec.json.Decoder(EventsDoc)
LOG = msgspec.json.Decoder(SamplesDoc)
CALLS = msgspec.json.Decoder(list[CallDoc] | None)


def offered_tools(path: Path, sample: str, epoch: int) -> list[dict[str, Any]] | None:
    """The tools of one sample's calls to the model, as Inspect writes them: {name, description, parameters}.

    Calls to models in a role (a grader, an auditor) don't count, but for the target of an audit.

    Args:
        path: An `.eval` or `.json` log.
        sample: The sample's id as text.
        epoch: From 1.

    Returns:
        None where the log keeps no such events, or holds no such sample.

    Raises:
        RejectedFile: It can't be read (any more).
    """
    try:
        with open_plain(path) as file:
            head = file.read(4)
            if head.startswith(ZIP_SIGNATURES):
                found = _in_zip(Archive(file), sample, epoch)
            else:
                data = head + file.read(limits.MAX_MEMBER_BYTES)
                held = _decoded(LOG, data, "the log").samples or []
                found = next((one for one in held if (str(one.id), one.epoch) == (sample, epoch)), None)
            return None if found is None else _tools(found)
    except Unreadable as e:
        raise RejectedFile(path, str(e)) from e
    except READ_ERRORS as e:
        raise RejectedFile(path, f"can't be read: {getattr(e, 'strerror', None) or e}") from e


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes, where: str) -> T:
    """As `decode`, which forgets the events where the JSON isn't strict."""
    try:
        try:
            return decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return decoder.decode(msgspec.json.encode(tolerant(data)))
    except (ValueError, RecursionError) as e:  # msgspec's errors among them
        raise Unreadable(f"{where} can't be read: {e}") from e


def _in_zip(archive: Archive, sample: str, epoch: int) -> EventsDoc | None:
    end = f"_epoch_{epoch}.json"
    name = f"samples/{sample}{end}"
    whole, _ = sample_members(archive.names)
    # By the name that Inspect gives it; else ids were cleaned, and it is the one that says so.
    for member in [name] if name in archive else [one for one in whole if one.endswith(end)]:
        found = _decoded(SAMPLE, archive.read(member), "a sample")
        if (str(found.id), found.epoch) == (sample, epoch):
            return found
    return None


def _tools(sample: EventsDoc) -> list[dict[str, Any]] | None:
    events = decode(CALLS, sample.events, "events") or (sample.transcript.events if sample.transcript else [])
    asked = [event for event in events if event.event == "model" and event.role in (None, TARGET)]
    if not asked:
        return None
    json = Resolver(own_attachments(sample), Budget()).json
    tools: dict[str, dict[str, Any]] = {}
    for event in asked:
        text = json(event.tools)
        for tool in decode(ANY, text.encode(), "tools") if text else []:
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                tools.setdefault(tool["name"], tool)
    return list(tools.values())
