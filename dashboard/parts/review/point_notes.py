"""Notes on the point of a chart: the same point is the same on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.charts.points import point_id
from dashboard.parts.review.threads_panel import threads_panel
from dashboard.parts.review.watching import shown
from dashboard.queries.rows import step_of
from dashboard.queries.threads import on_point, threads_on


def point_notes(row: Mapping[Any, Any], as_of: int) -> None:
    """Show the threads on a point, and let those who may write.

    Args:
        row: A row of the rates.
        as_of: The batch that is shown.
    """
    anchor = on_point(point_id(row), str(row["run"]), step_of(row))
    threads_panel(shown("point", lambda con: threads_on(con, [anchor])), anchor, as_of, title="Notes on this point")
