"""What stands around a panel: a title that says what is shown, one line under it, definitions in full below."""

from __future__ import annotations

from dashboard.charts.axes import NOT_FROM_ZERO, value_axis, x_encoding
from dashboard.charts.panels import definitions, flags_by_text, measure, panel_title, subtitle
from dashboard.charts.points import marked_points
from tests.rates_rows import rate_row, rates_frame

MEAN = {"group": True, "eval": "honeypots", "interval": "mean of 3 evals (variances added)"}
TITLES = {"misaligned": "Misaligned (judge: harmful = 1)"}


def test_a_title_says_what_is_shown_and_of_how_many_evals_it_is_the_mean() -> None:
    points = marked_points(rates_frame([rate_row("a", step, 3, 300, **MEAN) for step in (1, 2)]))
    title = panel_title("", points, {"honeypots": "Honeypots"}, TITLES)
    assert title == "Honeypots: misalignment rate, mean of 3 evals"
    assert subtitle(points, TITLES) == [
        "Lower is better · n = 300 per point · 95% CI: variances added · Misaligned (judge: harmful = 1)"
    ]


def test_an_average_beside_its_members_is_not_said_to_be_all_there_is() -> None:
    points = marked_points(rates_frame([rate_row("a", 1, 3, 300, **MEAN), rate_row("a", 1, 3, 100)]))
    assert panel_title("", points, {}, TITLES) == "honeypots, blackmail: misalignment rate"
    assert "95% CI: variances added; Wilson" in subtitle(points, TITLES)[0]
    assert "n = 100–300" in subtitle(points, TITLES)[0]


def test_only_a_rate_of_which_lower_is_better_is_one_of_misalignment() -> None:
    kinds = {
        "Misalignment rate": {},
        "Rate": {"better": "higher"},
        "Mean score (points)": {"kind": "mean", "unit": "points", "better": "lower"},
        "acc": {"kind": "reported", "metric": "acc"},
    }
    found = {name: measure(rates_frame([rate_row("a", 1, 3, 10, **more)]), {}) for name, more in kinds.items()}
    assert found == {name: name for name in kinds}


def test_a_long_definition_stands_in_full_under_the_charts_with_its_direction() -> None:
    long = "average of Honeypots: Blackmail, Framing for crimes, Research sabotage (each misaligned: *.harmful = 1)"
    points = marked_points(rates_frame([rate_row("a", 1, 3, 100, definition=long)]))
    assert definitions(points, {}) == [f"misaligned: {long} (lower is better)"]
    assert "Blackmail" not in subtitle(points, {})[0]


def test_a_warning_is_explained_where_its_ring_is() -> None:
    rows = [rate_row("a", 1, 3, 100), rate_row("a", 2, 3, 100, flags=["another judge"])]
    assert "red ring: warning" in subtitle(marked_points(rates_frame(rows)), {})[0]
    assert "red ring" not in subtitle(marked_points(rates_frame(rows[:1])), {})[0]


def test_a_warning_names_the_variant_that_it_is_of() -> None:
    rows = [rate_row("a", 1, 1, 10, variant=variant, flags=["odd"]) for variant in (None, "few-shot=5")]
    assert flags_by_text(rates_frame(rows)) == ["odd · a@1 (blackmail), a@1 (blackmail, few-shot=5)"]


def test_axes_begin_at_0_where_that_leaves_room_and_say_so_where_they_dont() -> None:
    def scores(low: float, high: float) -> tuple[float, str]:
        rows = [rate_row("a", 1, None, 9, rate=rate, low=rate, high=rate, kind="mean") for rate in (low, high)]
        axis = value_axis(rates_frame(rows), fraction=False, title="Mean score")
        return axis.low, axis.title

    low, title = scores(1.0, 5.0)
    assert low <= 0
    assert title == "Mean score"
    low, title = scores(4.0, 5.0)
    assert low > 3
    assert NOT_FROM_ZERO in title
    assert scores(-5.0, 5.0)[1] == "Mean score"
    rates = rates_frame([rate_row("a", 1, None, 9, rate=0.8, low=0.7, high=0.9)])
    assert NOT_FROM_ZERO in value_axis(rates, fraction=True, title="Rate", zoom=True).title
    assert value_axis(rates, fraction=True, title="Rate").title == "Rate"


def test_steps_begin_at_0_unless_they_are_far_from_it() -> None:
    def domain(*steps: float) -> list[float]:
        found: list[float] = x_encoding(steps, axis="step", log=False).to_dict()["scale"]["domain"]
        return found

    assert domain(50, 100, 400) == [0, 400]
    assert domain(71_000, 71_500) == [71_000, 71_500]
