"""Small things that the documents of a log share."""

from __future__ import annotations

import re
from typing import Any, overload

ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+"  # http://...
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d{1,5})?"
    r"|\[[0-9a-f:]*:[0-9a-f:]*\](?::\d{1,5})?"
    r"|\b(?:[\w-]+\.)*[\w-]*[a-z][\w-]*:\d{2,5}\b"  # host:8000
    r"|\blocalhost\b",
    re.IGNORECASE,
)


@overload
def plain_error(text: str) -> str: ...


@overload
def plain_error(text: None) -> None: ...


def plain_error(text: str | None) -> str | None:
    """An error without addresses: a log is passed on to people whom they don't concern."""
    return None if text is None else ADDRESS.sub("[address]", text)


def without_missing(values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that are None."""
    return {name: value for name, value in values.items() if value is not None}
