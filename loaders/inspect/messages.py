"""Messages of a conversation as records."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from loaders.inspect.decode import decode, plain
from loaders.inspect.documents import ABSENT, NULL, MessageDoc, PartDoc
from loaders.inspect.resolve import Resolver
from loaders.json_text import clean, clean_tree
from loaders.records import MessageRecord

PART = msgspec.json.Decoder(PartDoc)

MEDIA = ("image", "audio", "video", "document")


def message_record(message: MessageDoc, resolver: Resolver) -> MessageRecord:
    """A message with its attachments resolved.

    Raises:
        Unreadable: A part of its content has a field of the wrong type.
    """
    content = message.content
    text, content_json, reasoning = "", None, message.reasoning
    if isinstance(content, str):
        text = resolver.text(content)
    elif content:
        text, parts_reasoning, content_json = _parts(content, resolver)
        reasoning = parts_reasoning or reasoning
    tool_call_id = message.tool_call_id
    if isinstance(tool_call_id, list):
        tool_call_id = (
            tool_call_id[0] if len(tool_call_id) == 1 else msgspec.json.encode(clean_tree(tool_call_id)).decode()
        )
    error_json = None if message.error is ABSENT else resolver.json(message.error)
    if error_json is None and message.tool_error:
        error_json = msgspec.json.encode({"type": "unknown", "message": clean(message.tool_error)}).decode()
    # Most fields of most messages are not there: what is called for each of millions of them is felt.
    return MessageRecord(
        plain(message.role) or "",
        text,
        content_json,
        reasoning,
        None if message.tool_calls is ABSENT else resolver.json(message.tool_calls),
        None if tool_call_id is None else plain(tool_call_id),
        None if message.function is None else plain(message.function),
        error_json,
        None if message.model is None else plain(message.model),
        None if message.source is None else plain(message.source),
        None if message.id is None else plain(message.id),
        None if message.metadata is ABSENT else resolver.json(message.metadata),
    )


def message_text(message: MessageDoc, resolver: Resolver) -> str:
    """The text of a message alone."""
    content = message.content
    if isinstance(content, str):
        return resolver.text(content)
    return _parts(content, resolver)[0] if content else ""


def _parts(content: list[Raw], resolver: Resolver) -> tuple[str, str | None, str | None]:
    """Text, reasoning, and the whole as JSON (None where the text says it all) of a content list."""
    texts: list[str] = []
    reasonings: list[str] = []
    plain = True
    for raw in content:
        part = decode(PART, raw, "a message's content")
        if part.type == "text":
            texts.append(resolver.text(part.text or ""))
            plain = plain and not (part.refusal or _given(part.citations) or _given(part.internal))
            continue
        plain = False
        if part.type == "reasoning":
            # The text of redacted reasoning is the provider's cipher; the summary is what can be read.
            shown = (part.summary if part.redacted else part.reasoning) or part.summary
            if shown:
                reasonings.append(resolver.text(shown))
        elif part.type in MEDIA:
            source = getattr(part, part.type)
            texts.append(resolver.media(part.type, source or ""))
    text = "\n".join(texts)
    if plain and len(content) == 1:
        return text, None, None
    whole = ",".join(resolver.json(raw) or "null" for raw in content)
    return text, "\n".join(reasonings) or None, f"[{whole}]"


def _given(raw: Raw) -> bool:
    return bytes(raw) not in (NULL, b"", b"[]")
