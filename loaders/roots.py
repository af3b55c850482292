"""Roots within roots: a file belongs to one root of a store, the outermost that holds it, and is read once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from loaders.errors import DriftlineError


@dataclass(frozen=True)
class Roots:
    """What is brought up to date, instead of the paths that were given.

    Attributes:
        paths: Folders and files, none of them within another one or within a folder that the store knows.
        absorbed: Folders of the store that lie within one of `paths`, with that one.
        others: The folders of the store that are none of these.
        notes: What is done otherwise than it was asked for, for people.
    """

    paths: list[Path]
    absorbed: dict[Path, Path] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def beside(self, path: Path) -> list[Path]:
        """The folders that are listed by themselves, where links within `path` may lead."""
        return [one for one in (*self.paths, *self.others) if one != path and one.is_dir()]


def roots_of(given: Sequence[Path], cursor: duckdb.DuckDBPyConnection, study: Path | None = None) -> Roots:
    """The roots that some paths mean in a store.

    Raises:
        DriftlineError: There is no such path; or a study file that is given, or was, for a folder would speak of a
            folder around it.
    """
    wanted = list(dict.fromkeys(Path(path).expanduser().resolve() for path in given))
    known = {Path(root): whole for root, whole in cursor.execute(KNOWN_ROOTS).fetchall()}
    folders = [root for root, whole in known.items() if whole]
    roots = Roots([])
    for root in wanted:
        if not root.exists():
            raise DriftlineError(f"{root}: no such file or folder.")
        around = _within(root, [*folders, *wanted])
        if around in known:
            if study is not None and around not in wanted:
                raise DriftlineError(
                    f"{root} lies in {around}, which is in this store: --study would speak of all of it. Put the study"
                    f" file into the folder as study.yaml, or keep {root} in a store of its own (--store)."
                )
            roots.notes.append(f"{root} lies in {around}, which is in this store: that is brought up to date")
        elif around:
            roots.notes.append(f"{root} lies in {around}, and is read with it")
        target = around or root
        if target not in roots.paths:
            roots.paths.append(target)
    for folder in known:
        if around := _within(folder, roots.paths):
            roots.absorbed[folder] = around
            if study is None and (own := cursor.execute(GIVEN_STUDY, [str(folder)]).fetchone()):
                raise DriftlineError(
                    f"{around} holds {folder}, which is in this store with a study file that was given for it"
                    f" ({own[0].partition(':')[2]}). Put that into {folder} as study.yaml, and say with --study which"
                    f" study file {around} has."
                )
            if folder not in wanted and known[folder]:
                roots.notes.append(f"{folder}, which was in this store by itself, is read with {around} from now on")
        elif known[folder] and folder not in roots.paths:
            roots.others.append(folder)
    return roots


def _within(path: Path, folders: Collection[Path]) -> Path | None:
    """The outermost of some folders that a path lies in, other than itself."""
    around = [folder for folder in folders if folder != path and path.is_relative_to(folder)]
    return min(around, key=lambda folder: len(folder.parts), default=None)


KNOWN_ROOTS = """
SELECT DISTINCT root, root IN (SELECT unnest(from_json(roots, '["VARCHAR"]')) FROM seen_batch_reports())
FROM seen_locations() WHERE batch_to IS NULL ORDER BY root
"""
"""With whether all of the folder was read: of a file that was named itself, the root is its folder, too."""

GIVEN_STUDY = """
SELECT path FROM seen_locations() WHERE root = ? AND batch_to IS NULL AND starts_with(path, 'given:')
"""
