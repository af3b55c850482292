"""Marks in tables of samples: which have notes, and which people have judged."""

from __future__ import annotations

import pandas as pd

from dashboard.kit.page.reader import cursor
from dashboard.queries.threads import notes_on_samples
from dashboard.queries.verdicts import verdict_counts


def sample_marks(frame: pd.DataFrame) -> list[str]:
    """What people left on samples, in words: "2 notes, 1 verdict"; "" where nothing.

    Args:
        frame: With columns log, sample and epoch.
    """
    logs = frame["log"].unique().tolist()
    with cursor() as found:
        notes, verdicts = notes_on_samples(found, logs), verdict_counts(found, logs)
    names = zip(frame["log"], frame["sample"], frame["epoch"], strict=True)
    return [_words(notes.get(name, 0), verdicts.get(name, 0)) for name in names]


def _words(notes: int, verdicts: int) -> str:
    counted = ((notes, "note"), (verdicts, "verdict"))
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counted if n)
