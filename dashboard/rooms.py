"""Room for a part of a page whose code comes after what stands below it: nothing moves when it is drawn. Pure.

How high a part will be is known when its page is computed, but a style that comes with the page is late itself. So the
styles of all heights are in the document, from its first line on, and a container takes one by its key.
"""

from __future__ import annotations

STEP, MOST = 10, 2000
"""Pixels between two heights, and of the greatest."""


def room_key(name: str, height: float) -> str:
    """The key of a container that is at least so high.

    Args:
        name: Unique on its page.
        height: Pixels, about.
    """
    return f"{name}_room_{min(round(height / STEP), MOST // STEP)}_"


def styles() -> str:
    """The styles of all heights; a chart's room is its own affair once it is drawn."""
    heights = "".join(f'[class*="_room_{at}_"]{{--dl-room:{at * STEP}px}}' for at in range(1, MOST // STEP + 1))
    drawn = 'body [class*="st-key-chart_place"]:has([data-testid="stVegaLiteChart"] svg)'
    return f'{heights}body [class*="_room_"]{{min-height:var(--dl-room)}}{drawn}{{min-height:0}}'
