"""JSON as log writers write it: NaN and Infinity, half surrogates and NUL included; and JSON that DuckDB can parse."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

UNCLEAN = re.compile("[\x00\ud800-\udfff]")
ESCAPED_NUL = b"\\u0000"

MAX_VALUES = 10_000_000
"""Lists and objects of one document: each takes Python some hundred bytes, and its text perhaps only two."""


def decode(raw: bytes) -> Any:
    """Decode one JSON document; texts in it come out clean (see `clean`), NaN and Infinity as floats.

    Raises:
        ValueError: It is not UTF-8, not JSON, nested too deeply, or of too many parts; the message says where.
    """
    if len(raw) > MAX_VALUES and parts_of(raw) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} lists and objects")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        try:
            value = msgspec.json.decode(raw)
            return clean_tree(value) if ESCAPED_NUL in raw else value
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Python's writer gives NaN and half surrogates, which are not JSON proper.
            return clean_tree(json.loads(raw))
    except RecursionError as e:
        raise ValueError("nested too deeply") from e


def parts_of(raw: bytes) -> int:
    """At most so many lists and objects are in some JSON; without those in texts there may be fewer."""
    return raw.count(b"[") + raw.count(b"{")


def json_text(value: Any) -> str:
    """Encode as JSON text that DuckDB can parse: NaN and Infinity become null, unclean texts are cleaned."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError):  # half surrogates; integers beyond 64 bits
        return json.dumps(clean_tree(value, finite=True), ensure_ascii=False, separators=(",", ":"))


def clean(text: str) -> str:
    """Valid Unicode without NUL: such characters are replaced by U+FFFD."""
    if text.isascii() and "\x00" not in text:  # much faster than the search, and true of most texts
        return text
    return UNCLEAN.sub("\ufffd", text) if UNCLEAN.search(text) else text


def clean_tree(value: Any, finite: bool = False) -> Any:
    """Decoded JSON with every text cleaned, keys included; with `finite`, NaN and Infinity become None."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean_tree(key, finite): clean_tree(item, finite) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_tree(item, finite) for item in value]
    if finite and isinstance(value, float) and not float("-inf") < value < float("inf"):
        return None
    return value
