"""What an ingest did, for people and for programs."""

from __future__ import annotations

from msgspec import Struct, field


class FileLine(Struct):
    """One eval (or a file without evals) of an ingest."""

    path: str
    format: str
    outcome: str
    """new, changed, moved, copy, rejected, left, gone, ignored."""
    run: str | None = None
    step: str | None = None
    eval: str | None = None
    samples: int | None = None
    run_rule: str | None = None
    step_rule: str | None = None
    reason: str | None = None
    status: str | None = None
    """How the log ended: success, error, cancelled, "not finished", "no samples"; None where it is no log."""


SPOKEN = {"error": "errored", "cancelled": "cancelled", "not finished": "not finished", "no samples": "without samples"}
"""How logs that did not end well are summed up."""


def how_ended(status: str | None, complete: bool | None, samples: int | None, reported: bool) -> str | None:
    """How a log ended, in a word: its own status; else that it was never finished, or that nothing is in it."""
    if status in ("error", "cancelled"):
        return status
    if status == "started" or complete is False:
        return "not finished"
    return status if samples or reported else "no samples"


class IngestReport(Struct):
    """What happened to every file of an ingest.

    `lines` holds all files but the unchanged ones; rejected files are listed each time, until they are mended.
    """

    roots: list[str]
    batch: int
    """The batch that the data is at afterwards; unchanged where nothing was new."""
    dry_run: bool = False
    ingested: int = 0
    unchanged: int = 0
    moved: int = 0
    copies: int = 0
    gone: int = 0
    left: int = 0
    rejected: int = 0
    ignored: int = 0
    """Files that a study file says are not to be read."""
    others: int = 0
    """Files that are no logs by their name."""
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Remarks on files that were read, each with its path: rows left out, an encoding that was guessed."""
    lines: list[FileLine] = field(default_factory=list)
    seconds: float = 0.0

    def summary(self) -> str:
        """One sentence with every count that isn't nought."""
        counts = [
            (self.ingested, "ingested"), (self.unchanged, "unchanged"), (self.moved, "moved"),
            (self.copies, "copies of known logs"), (self.gone, "gone"), (self.left, "skipped (no mapping)"),
            (self.rejected, "rejected"), (self.ignored, "ignored by study.yaml"),
            (self.others, "ignored (unsupported type)"),
        ]  # fmt: skip
        said = ", ".join(f"{count} {word}" for count, word in counts if count) or "no logs found"
        verb = "Would be" if self.dry_run else "Files"
        ended = ", ".join(f"{count} {SPOKEN[status]}" for status, count in self.ended_badly().items())
        return f"{verb}: {said}." + (f" Of these logs: {ended}." if ended else "")

    def ended_badly(self) -> dict[str, int]:
        """How many of the evals in `lines` ended otherwise than well, by how."""
        found = [line.status for line in self.lines if line.status in SPOKEN]
        return {status: found.count(status) for status in SPOKEN if status in found}
