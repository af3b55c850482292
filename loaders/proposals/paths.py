"""What the paths of like tables say: one glob for all of them, and in which part of the path they differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from loaders.packed import ENDING, plain_name
from loaders.study.globs import glob_matches
from loaders.study.naming import run_of_folders, steps_in_file, steps_in_folders
from loaders.table_mapping import Lookup, Source


def literal(text: str) -> str:
    """A glob that matches one path or name alone."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def as_regex(text: str) -> str:
    """A regular expression that finds a text; nothing is escaped that needs not be, for people read it."""
    return re.sub(r"[.^$*+?{}\[\]\\|()]", r"\\\g<0>", text)


def alike(tables: Mapping[str, Sequence[str]], path: str) -> list[str]:
    """The tables that one mapping can read: the same columns, as many folders deep, the same name or folder.

    Where each of some folders holds such tables by number (sft/ckpt_100.csv, dpo/ckpt_200.csv), it is all of these.

    Args:
        tables: Columns by path.
        path: Of the table in question, which is one of them.
    """
    folder, _, name = path.rpartition("/")
    same = [
        other
        for other, columns in tables.items()
        if [*columns] == [*tables[path]] and other.count("/") == path.count("/") and _ending(other) == _ending(path)
    ]
    named = [other for other in same if other.rpartition("/")[2] == name]
    numbered = [other for other in same if _unnumbered(other) == _unnumbered(path)]
    if len(named) > 1 and len({other.rpartition("/")[2] for other in numbered}) > 1:
        return sorted(numbered)
    return sorted(named if len(named) > 1 else [other for other in same if other.rpartition("/")[0] == folder])


def stem_of(paths: Sequence[str]) -> str:
    """The name of some tables without their ending, and without the step in which they differ; "" if that is all."""
    stems = [plain_name(path.rpartition("/")[2]).rpartition(".")[0] for path in paths]
    if len(set(stems)) == 1 or len({_NUMBER.sub("0", stem) for stem in stems}) > 1:
        return stems[0]
    before, after = _around(stems)
    return _OF_STEP.sub("", (before or "").strip(_MARKS)).strip(_MARKS) or after.strip(_MARKS)


def _unnumbered(path: str) -> str:
    """The name of a table without its numbers."""
    return _NUMBER.sub("0", path.rpartition("/")[2])


_MARKS = "-_. ="
_NUMBER = re.compile(r"[0-9]+")
_OF_STEP = re.compile(r"(?:^|(?<=[-_. =]))(?:global_?step|steps?|checkpoint|ckpt|iter(?:ation)?|epoch)$", re.IGNORECASE)


def glob_of(paths: Sequence[str], others: Iterable[str] = ()) -> str:
    """The glob of some paths that differ in their parts, not in their depth.

    Args:
        paths: What it matches; folders that come later, too.
        others: What it must not match.
    """
    narrow, wide = [], []
    for column in zip(*(path.split("/") for path in paths), strict=True):
        before, after = _around(column)
        narrow.append(literal(column[0]) if before is None else f"{literal(before)}*{literal(after)}")
        wide.append(literal(column[0]) if before is None else "*")
    wide[-1] = narrow[-1]
    glob = "/".join(wide)
    return "/".join(narrow) if any(glob_matches(glob, path) for path in set(others) - set(paths)) else glob


def run_in_paths(paths: Sequence[str], outer: Sequence[str] = ()) -> Source | None:
    """Where in the paths the runs' names stand; None where names of files and folders tell run and step.

    Args:
        paths: Of tables that one mapping reads.
        outer: Names of the folders around those of the paths.
    """
    if all(_names_step(path) for path in paths):
        return None
    columns = list(zip(*(path.split("/") for path in paths), strict=True))
    differing = [at for at, column in enumerate(columns) if len(set(column)) > 1]
    if not differing:
        *folders, name = paths[0].split("/")
        return run_of_folders([*outer, *folders]) or plain_name(name).rpartition(".")[0] or name
    first, last = differing[0], differing[-1]
    regex = "^" if first == 0 else f"{as_regex(columns[first - 1][0])}/"
    for at in range(first, last + 1):
        column, final = columns[at], at == len(columns) - 1
        if at not in differing:
            regex += f"{as_regex(column[0])}/"
        elif final:
            ending = _ending(column[0])
            names = [name[: -len(ending)] for name in column]
            before, after = _around(names)
            regex += f"{as_regex(before or '')}([^/]+){as_regex(after + ending)}$"
        else:
            regex += "([^/]+)/"
    return Lookup(path=regex)


def _around(texts: Sequence[str]) -> tuple[str | None, str]:
    """What some texts begin and end with, up to a separator; None where they are all the same."""
    if len(set(texts)) == 1:
        return None, ""
    before = _beginning(texts)
    before = before[: max((before.rfind(mark) for mark in "-_. ="), default=-1) + 1]
    rests = [text[len(before) :][::-1] for text in texts]
    after = _beginning(rests)[::-1]
    marks = [at for mark in "-_. =" if (at := after.find(mark)) >= 0]
    return before, after[min(marks) :] if marks else ""


def _beginning(texts: Sequence[str]) -> str:
    """The letters that all texts begin with."""
    first, last = min(texts), max(texts)
    return first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    packed = name[-len(ENDING) :] if plain_name(name) != name else ""
    return PurePosixPath(plain_name(name)).suffix + packed


def _names_step(path: str) -> bool:
    return bool(steps_in_folders(path) or steps_in_file(path, ""))
