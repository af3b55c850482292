"""The code blocks of the documentation, for tests that do what it says."""

from __future__ import annotations

import re
from typing import NamedTuple

from dashboard.docs.contents import PAGES

BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A code block: its language, the file that it is named after, and its text."""

    language: str
    file: str
    text: str


class Command(NamedTuple):
    """A command as it is typed, and what is shown below it."""

    typed: str
    shown: str


def blocks(page: str) -> list[Block]:
    """The code blocks of a page, in order."""
    found = BLOCK.finditer((PAGES / f"{page}.md").read_text(encoding="utf-8"))
    return [Block(block[1], block[2] or "", block[3]) for block in found]


def block(page: str, file: str) -> str:
    """The text of the one block of a page that is named after a file."""
    (found,) = (each.text for each in blocks(page) if each.file == file)
    return found


def commands(text: str) -> list[Command]:
    """The commands of a console block; remarks behind them are left out."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [Command(re.sub(r"\s+# .*", "", part.partition("\n")[0]), part.partition("\n")[2]) for part in parts]
