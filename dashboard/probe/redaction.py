"""Keys never leave the process: every text that comes from outside passes here before anybody sees or saves it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

SHORTEST_KEY = 8
"""Shorter keys (`x`, `EMPTY`, as local servers get them) are no secrets, and are words that replies may hold."""

MASK = "[key]"

_LOOKS_LIKE_A_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}|\b(Bearer\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
"""Keys of others: a proxy may tell the key that it uses upstream."""


class Redactor:
    """Takes given keys out of texts."""

    def __init__(self, keys: Iterable[str | None] = ()) -> None:
        known = {key for key in keys if key and len(key) >= SHORTEST_KEY}
        forms = known | {quote(key, safe="") for key in known}
        # Longer first: a key may begin with another one.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __call__(self, text: str) -> str:
        """The text without the keys."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def message(self, text: str) -> str:
        """The text of an error without the keys, and without anything else that looks like one."""
        return _LOOKS_LIKE_A_KEY.sub(lambda match: (match[1] or "") + MASK, self(text))

    def held(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of a key that goes on in the next piece."""
        longest = 0
        for form in self._forms:
            tail = text[-(len(form) - 1) :]
            start = tail.find(form[0])
            while start >= 0:
                if form.startswith(tail[start:]):
                    longest = max(longest, len(tail) - start)
                    break
                start = tail.find(form[0], start + 1)
        return longest


class Flow:
    """Takes keys out of a text that comes in pieces: what may be the beginning of a key waits for the next piece."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._waiting = ""

    def feed(self, text: str) -> str:
        """What can be shown after one more piece."""
        text = self._redactor(self._waiting + text)
        held = self._redactor.held(text)
        self._waiting = text[len(text) - held :] if held else ""
        return text[: len(text) - held]

    def rest(self) -> str:
        """What still waits, when nothing follows."""
        rest, self._waiting = self._waiting, ""
        return rest
