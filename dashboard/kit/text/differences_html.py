"""Differences by word as HTML: what was added, and what is missing, struck through. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.kit.text.plain import escaped
from dashboard.texts.word_differences import Segment

KEY = (
    '<div class="dl-note"><span class="dl-added">added</span> <span class="dl-removed">missing</span>,'
    " by word, against the chosen column.</div>"
)
"""What the marks mean."""


def segments_html(segments: Sequence[Segment], most: int) -> str:
    """Differences to another text.

    Args:
        segments: From `dashboard.texts.word_differences.differences`.
        most: Characters that are shown.
    """
    css = {"added": "dl-added", "removed": "dl-removed"}
    shown, room = [], most
    for segment in segments:
        text = escaped(segment.text[:room])
        room -= len(segment.text)
        shown.append(f'<span class="{css[segment.kind]}">{text}</span>' if segment.kind in css else text)
        if room <= 0:
            shown.append(" …")
            break
    return "".join(shown)
