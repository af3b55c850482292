"""Attachment references and media in texts and JSON: references become what they refer to, media a placeholder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from loaders import bounds
from loaders.inspect import limits
from loaders.inspect.decode import ANY, decode, too_deep
from loaders.inspect.documents import ABSENT
from loaders.inspect.errors import Unreadable
from loaders.json_text import clean, clean_tree

PROTOCOLS = ("attachment://", "tc://")
"""How a text refers to an attachment; the second until 2025."""

SPECIAL = (*PROTOCOLS, "data:")
EMPTY = frozenset(("", "null", "{}", "[]"))
DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200};base64,")

MAX_DIGITS = 4300
"""Python refuses to parse longer integers (texts of digits are fine), so readers of the stored JSON would fail."""

WHITESPACE = frozenset(" \t\r\n")
DIGITS = "0123456789"

Lookup = Callable[[str], str | None]


class Budget:
    """How much text the records of one file may still hold, and how much of it references may bring in."""

    def __init__(self) -> None:
        self.left = limits.MAX_RESOLVED_BYTES
        self.held = self.records = 0

    def hold(self, characters: int, records: int) -> None:
        """Count the text of a sample and its records, so that no more is read than can be kept.

        Raises:
            Unreadable: More than `loaders.bounds.MAX_TEXT` or `MAX_RECORDS` in this file.
        """
        self.held += characters
        self.records += records
        if self.held > bounds.MAX_TEXT:
            raise Unreadable(bounds.too_much())
        if self.records > bounds.MAX_RECORDS:
            raise Unreadable(bounds.too_many())

    def spend(self, size: int) -> None:
        """Count resolved text.

        Raises:
            Unreadable: More than `limits.MAX_RESOLVED_BYTES` in this file.
        """
        self.left -= size
        if self.left < 0:
            raise Unreadable(f"attachment references that unfold to more than {limits.MAX_RESOLVED_BYTES:,} bytes")


class Resolver:
    """Texts and JSON of one sample as records keep them."""

    __slots__ = ("_budget", "_lookup")

    def __init__(self, lookup: Lookup, budget: Budget) -> None:
        """Take where attachments come from.

        Args:
            lookup: The attachment of a key (a hash, or an index in chunked samples), or None.
            budget: Shared by the samples of one file.
        """
        self._lookup = lookup
        self._budget = budget

    def text(self, text: str) -> str:
        """Text without NUL, resolved where it is a reference; an unknown reference stays as it is."""
        if text.startswith(SPECIAL):
            text = self._special(text)
        return clean(text) if "\x00" in text else text

    def optional(self, text: str | None) -> str | None:
        """As `text`, where there is one."""
        return None if text is None else self.text(text)

    def json(self, raw: Raw) -> str | None:
        """JSON as compact text, resolved; None for null and for empty objects and lists.

        Raises:
            Unreadable: Too much of it, or JSON that Python can't read back: an integer of thousands of digits.
        """
        if raw is ABSENT:
            return None
        if len(memoryview(raw)) > bounds.MAX_TEXT:
            raise Unreadable(bounds.too_much())
        text = str(raw, "utf-8")
        if text in EMPTY:
            return None
        if len(text) > MAX_DIGITS and has_many_digits(text):
            decode(ANY, text.encode(), "a JSON value")
        if "attachment://" in text or ";base64," in text or "\\u0000" in text or '"tc://' in text:
            return self._rebuilt(text)
        if text[1:2] in WHITESPACE:
            text = msgspec.json.format(text, indent=-1)
            return None if text in EMPTY else text
        return text

    def media(self, kind: str, source: str) -> str:
        """What stands for an image, a sound, a video or a document in text: its type and size, or its address.

        Args:
            kind: image, audio, video or document.
            source: A `data:` URI, an address or a path, or a reference to one of these.
        """
        source = self._content(source)
        return media_placeholder(source) or f"[{kind}: {clean(source[:200])}]"

    def _rebuilt(self, text: str) -> str:
        try:
            tree = self._walk(decode(ANY, text.encode(), "a JSON value"))
            return msgspec.json.encode(clean_tree(tree)).decode()
        except RecursionError as e:
            raise too_deep("a JSON value") from e

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._special(value) if value.startswith(SPECIAL) else value
        if isinstance(value, dict):
            return {key: self._walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._walk(item) for item in value]
        return value

    def _special(self, text: str) -> str:
        content = self._content(text)
        if len(content) > limits.MAX_INLINE_MEDIA and (placeholder := media_placeholder(content)):
            return placeholder
        if content is not text:
            self._budget.spend(len(content))
        return content

    def _content(self, text: str) -> str:
        for protocol in PROTOCOLS:
            if text.startswith(protocol):
                content = self._lookup(text[len(protocol) :])
                return text if content is None else content
        return text


def media_placeholder(text: str) -> str | None:
    """`[image/png, 12 kB]` for a base64 `data:` URI, None for any other text."""
    uri = DATA_URI.match(text)
    if uri is None:
        return None
    size = (len(text) - uri.end()) * 3 // 4
    shown = f"{size:,} bytes" if size < 10_000 else f"{size / 1000:,.0f} kB"
    return f"[{uri[1] or 'unknown type'}, {shown}]"


def has_many_digits(text: str) -> bool:
    """Whether more than `MAX_DIGITS` digits stand in a row: such a run covers a multiple of that number."""
    for at in range(MAX_DIGITS, len(text), MAX_DIGITS):
        if text[at] in DIGITS:
            before, after = text[at - MAX_DIGITS : at], text[at : at + MAX_DIGITS]
            if len(before) - len(before.rstrip(DIGITS)) + len(after) - len(after.lstrip(DIGITS)) > MAX_DIGITS:
                return True
    return False
