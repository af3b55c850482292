"""Globs on relative paths with forward slashes: `*` and `?` stay within a folder, `**` stands for any folders."""

from __future__ import annotations

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")
_TOKEN = re.compile(r"\*+|\?|\[!?[^\]/]+\]|.", re.DOTALL)


def _one(text: str) -> str:
    """A regular expression for what stands for one character."""
    if text == "?":
        return "[^/]"
    if text[0] == "[" and len(text) > 1:
        negated = text[1] == "!"
        body = text[1 + negated : -1].replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
        members = f"[{'^/' if negated else ''}{body}]"
        try:
            re.compile(members)
        except re.error:  # a range that runs backwards
            return re.escape(text)
        return members
    return re.escape(text)


def _part(part: str) -> str:
    """A regular expression for a folder's or file's name; what follows it begins with a slash or is the end.

    What stands between two stars is taken where it first occurs, and never looked for again (an atomic group): nothing
    further right could let more match, and the time grows with the lengths, however many stars there are.
    """
    pieces = [""]
    for token in _TOKEN.findall(part):
        if token[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += _one(token)
    first, *between = pieces
    if not between:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" for piece in between[:-1] if piece) + "[^/]*" + between[-1]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """`**` is among folders what `*` is among characters, and what stands between two of them is taken as such."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    *blocks, last = _split(parts)
    end = "/".join(map(_part, last))
    if last and not _WILD.search(last[-1]):
        end += "(?:/.*)?"  # a folder by its name stands for all that is in it
    if blocks:
        end = rf"(?:[^/]+/)*?{end}" if last else ".*"
    regex = "".join(_part(part) + "/" for part in (blocks[0] if blocks else ()))
    for block in filter(None, blocks[1:]):
        regex += "(?>(?:[^/]+/)*?" + "".join(_part(part) + "/" for part in block) + ")"
    return re.compile(regex + end, re.DOTALL)


def _split(parts: list[str]) -> list[list[str]]:
    """The parts between the `**`."""
    blocks: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            blocks.append([])
        else:
            blocks[-1].append(part)
    return blocks


def glob_matches(pattern: str, path: str) -> bool:
    """Whether a path matches: `rl/*.eval` files right in rl, `rl/**/*.eval` also below; `rl` all that is in rl."""
    return _compiled(pattern).fullmatch(path) is not None


def fixed_depth(pattern: str) -> int:
    """How many parts of a pattern come before its first wildcard: how closely it says where."""
    depth = 0
    for part in pattern.split("/"):
        if _WILD.search(part):
            break
        depth += part not in ("", ".")
    return depth
