"""What stands under a panel's title fits a narrow screen, to its last word: Vega cuts off what doesn't."""

from __future__ import annotations

from dashboard.charts.panels import LINE, subtitle
from dashboard.charts.points import marked_points
from tests.rates_rows import rate_row, rates_frame


def test_a_long_definition_is_wrapped_and_its_direction_survives() -> None:
    long = "average of Honeypots: Blackmail, Framing for crimes, Research sabotage (each misaligned: *.harmful = 1)"
    lines = subtitle(marked_points(rates_frame([rate_row("a", 1, 3, 100, definition=long)])), {})
    assert max(map(len, lines)) <= LINE
    assert "(lower is better)" in " ".join(lines)
