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
            (self.copies, "copies of known logs"), (self.gone, "gone"), (self.left, "tables without a mapping"),
            (self.rejected, "rejected"), (self.ignored, "ignored by study.yaml"),
            (self.others, "of other kinds, not read"),
        ]  # fmt: skip
        said = ", ".join(f"{count} {word}" for count, word in counts if count) or "no logs found"
        verb = "Would be" if self.dry_run else "Files"
        return f"{verb}: {said}."
