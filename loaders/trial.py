"""What a study file would make of some files, found out by reading them with it into a store in memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from loaders.ingest import ABOVE, ingest
from loaders.listing import STUDY_FILE
from loaders.report import IngestReport
from loaders.store import Store
from loaders.tabular import verifiers

MOST_BYTES = 50_000_000
"""Read for a trial at the most, the first file aside: it is waited for."""
LARGEST = 500_000_000
"""A file that is larger is not tried."""


class Trial(Struct, frozen=True):
    """What came of it.

    Attributes:
        store: With what was read, in memory. Close it.
        report: Of the ingest.
        read: The files that were read.
        left_out: Those that were too many or too large to wait for.
    """

    store: Store
    report: IngestReport
    read: list[str]
    left_out: list[str]


def trial(root: Path, paths: Sequence[str], study: bytes, cards: Mapping[str, Path], at: str = STUDY_FILE) -> Trial:
    """Ingest some files of a folder as if a study file said something else.

    Args:
        root: The folder.
        paths: Of the files, relative to it.
        study: The content of the study file.
        cards: The other run cards and study files below the folder, by path: where they lie.
        at: Where the study file would lie, relative to the folder.

    Raises:
        DriftlineError: As `ingest`.
    """
    read, left_out = _affordable(root, paths)
    with TemporaryDirectory(prefix="driftline-trial-") as temporary:
        # Names of folders above the root say what a run is called, too.
        place = Path(temporary).joinpath(*root.resolve().parts[1:][-ABOVE:])
        for path, file in {**cards, **{path: root / path for path in read}}.items():
            if path != at:
                _link(file, place / path)
        for path in read:
            for beside in verifiers.companion(root / path):
                _link(beside, (place / path).with_name(beside.name))
        (place / at).parent.mkdir(parents=True, exist_ok=True)
        (place / at).write_bytes(study)
        store = Store.open(":memory:")
        try:
            report = ingest([place], store)
        except BaseException:
            store.close()
            raise
    return Trial(store, report, read, left_out)


def _affordable(root: Path, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    read: list[str] = []
    left_out: list[str] = []
    room = MOST_BYTES
    for path in paths:
        try:
            size = (root / path).stat().st_size
        except OSError:
            continue
        if size > LARGEST or (read and size > room):
            left_out.append(path)
            continue
        read.append(path)
        room -= size
    return read, left_out


def _link(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        return
    try:
        place.symlink_to(file.resolve())
    except OSError:  # a system that lets nobody make links
        shutil.copyfile(file, place)
