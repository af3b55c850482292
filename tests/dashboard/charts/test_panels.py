"""What stands under a panel's title fits a narrow screen, to its last word: Vega cuts off what doesn't."""

from __future__ import annotations

from dashboard.charts.panels import LINE, flags_by_text, subtitle
from dashboard.charts.points import marked_points
from tests.rates_rows import rate_row, rates_frame


def test_a_long_definition_is_wrapped_and_its_direction_survives() -> None:
    long = "average of Honeypots: Blackmail, Framing for crimes, Research sabotage (each misaligned: *.harmful = 1)"
    lines = subtitle(marked_points(rates_frame([rate_row("a", 1, 3, 100, definition=long)])), {})
    assert max(map(len, lines)) <= LINE
    assert "(lower is better)" in " ".join(lines)


def test_a_warning_names_the_variant_that_it_is_of() -> None:
    rows = [rate_row("a", 1, 1, 10, variant=variant, flags=["odd"]) for variant in (None, "few-shot=5")]
    assert flags_by_text(rates_frame(rows)) == ["odd · a@1 (blackmail), a@1 (blackmail, few-shot=5)"]
