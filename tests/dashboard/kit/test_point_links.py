"""The points of a chart as links: each with its value, leading to just its samples."""

from __future__ import annotations

import re
from html import unescape

from dashboard import links
from dashboard.kit.charts.point_links import has_points, point_links
from tests.rates_rows import rate_row, rates_frame


def test_each_point_with_samples_leads_to_them_in_a_tab_of_its_own() -> None:
    rows = [
        rate_row("a & <b>", 10, 66, 300, low=0.177, high=0.27, split="calm"),
        rate_row("a & <b>", 20, 0, 300, low=0.0, high=0.013, split=None),
        rate_row("reported", 10, None, None, rate=0.5, low=None, high=None, kind="reported"),
        rate_row("gap", 10, None, 0),
    ]
    data = rates_frame(rows)
    made = point_links(data, ["metadata.mood"], {"as_of": ["3-abcdef"]})
    found = [unescape(href) for href in re.findall(r'<a href="([^"]*)" target="_blank">', made)]
    assert found == [
        f"{links.SAMPLES}?{links.query(links.samples_of_rate(row, ['metadata.mood']) | {'as_of': ['3-abcdef']})}"
        for row in data.to_dict("records")[:2]
    ]
    assert "where=metadata.mood%3Dcalm" in found[0]
    cells = re.sub(r"<[^>]+>", "|", made)
    assert "a &amp; &lt;b&gt;@10" in cells
    assert "22.0% [17.7%, 27.0%] (66/300)" in cells
    assert "reported@10" in cells
    assert "gap" not in cells
    # A metric that all have is told nowhere, groups that differ are.
    assert "Group" in cells
    assert "Metric" not in cells


def test_numbers_that_are_no_rates_of_checkpoints_offer_no_points() -> None:
    data = rates_frame([rate_row("a", 10, 1, 3)])
    assert has_points(data)
    assert not has_points(data.drop(columns="k"))
    assert not has_points(data.assign(rate=None))
