"""The errors that Driftline raises on purpose: one base class, each says what, where, and what is allowed."""

from __future__ import annotations

from pathlib import Path

TOLD = 200
"""Characters of an unforeseen error that people are shown."""


class DriftlineError(Exception):
    """Anything that a user can put right. Commands print it without a traceback."""


class RejectedFile(DriftlineError):
    """A file that can't be ingested, by itself: everything else goes on.

    Args:
        path: The file.
        reason: What is wrong, where in the file, and what is allowed: one sentence or two, for people.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = Path(path)
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class StudyError(DriftlineError):
    """A `run.yaml` or `study.yaml` that breaks its schema.

    Args:
        path: The file.
        problems: One entry a problem, each `line N: field: what is wrong (allowed: ...)`.
    """

    def __init__(self, path: Path | str, problems: list[str]) -> None:
        self.path = Path(path)
        self.problems = problems
        super().__init__(f"{path}: " + "; ".join(problems))


def unforeseen(error: Exception) -> str:
    """What is said of a file that raised something which no check foresaw."""
    told = " ".join(str(error).split()) or "without a word"
    told = told if len(told) <= TOLD else f"{told[:TOLD]}..."
    return (
        f"has content that Driftline does not support ({type(error).__name__}: {told}): look for a value of an odd"
        " type or size in it, and report it as a fault of Driftline if the file is right"
    )


class StoreBusy(DriftlineError):
    """Another process owns the store; the message names it and says what to do."""
