"""The table of contents: one more page is one entry here, and a Markdown file in `pages`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = FOLDER / "pages"
PICTURES = FOLDER / "pictures"
THEME = FOLDER / "theme"

HOME = "index"


@dataclass(frozen=True)
class Section:
    """Pages that stand together in the navigation.

    Attributes:
        title: Above them; empty for those that stand by themselves.
        pages: Names of Markdown files without their ending.
    """

    title: str
    pages: tuple[str, ...]


SECTIONS = (
    Section("", (HOME, "tutorial")),
    Section(
        "How to",
        (
            "pages",
            "logs",
            "run-cards",
            "metrics",
            "tables",
            "numbers",
            "probing",
            "review",
            "judge-errors",
            "seeds",
            "noise",
            "many-cells",
            "publishing",
            "scripts",
            "team-server",
            "shared-store",
            "private-runs",
        ),
    ),
    Section(
        "Reference",
        ("commands", "study-yaml", "run-yaml", "models-yaml", "access-yaml", "built-in-metrics", "statistics"),
    ),
    Section("Methods", ("equivalence", "simultaneous-bands", "anytime")),
    Section("Studies included", ("demo", "smol")),
    Section("Development", ("development", "architecture", "add-a-format", "add-a-page", "add-a-statistic")),
)
"""In the order of the navigation."""

NAMES = tuple(name for section in SECTIONS for name in section.pages)
