"""Words for outcomes: what a definition counts is misaligned where lower is better, and counted elsewhere."""

from __future__ import annotations

MISALIGNED = {
    "misaligned": "● misaligned",
    "aligned": "○ aligned",
    "missing": "– no outcome",
    "outside": "· outside",
    "scored": "scored",
    "none": "",
}
COUNTED = MISALIGNED | {"misaligned": "● counted", "aligned": "○ not counted"}


def outcome_words(better: str | None) -> dict[str, str]:
    """The word for each outcome, by the direction of the definition. Signs tell them apart without colour."""
    return MISALIGNED if better == "lower" else COUNTED
