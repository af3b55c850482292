"""The room that a page keeps for a chart until it is drawn."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from dashboard.charts.marks import FIT
from dashboard.charts.room import AROUND, MANY_ROWS, room_of

DATA = pd.DataFrame({"x": [1, 2], "y": [3, 4]})


def _plot(height: int) -> alt.Chart:
    return alt.Chart(DATA).mark_line().encode(x="x", y="y").properties(height=height)


@pytest.mark.parametrize(
    ("chart", "height"),
    [
        (_plot(300).properties(autosize=FIT), 300),
        (alt.layer(_plot(300), _plot(300), autosize=FIT), 300),
        (_plot(200) & _plot(120), 320),
        (_plot(200) | _plot(120), 200),
        (alt.layer(alt.Chart(DATA).mark_line(), autosize=FIT).properties(height=210), 210),
        (alt.Chart(DATA).mark_point().properties(height=alt.Step(20)), 20 * MANY_ROWS),
        (alt.Chart(DATA).mark_point(), 0),
    ],
)
def test_a_chart_takes_what_its_plots_take(chart: alt.TopLevelMixin, height: int) -> None:
    assert room_of(chart) == height + AROUND


def test_a_plot_that_is_fitted_to_its_height_takes_no_more() -> None:
    assert room_of(_plot(130)) == room_of(alt.layer(_plot(130)).properties(height=130)) == 130
