"""The plots of the reference study in a real browser: each link of the documentation draws what it names."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Reader
from tests.plots import PLOTS, Plot, links

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: f"row {plot.row}: {plot.title}")
def test_a_link_draws_its_plot(on_demo: Reader, plot: Plot) -> None:
    on_demo.go(links()[plot.row])
    on_demo.wait_for(f'svg [aria-label*="{plot.shows}"]')
    assert on_demo.foreign == []


def test_what_is_picked_in_a_switch_stands_in_the_address(on_demo: Reader) -> None:
    on_demo.go("/mixes")
    on_demo.page.get_by_role("radio", name="ablations").or_(
        on_demo.page.get_by_role("button", name="ablations")
    ).first.click()
    on_demo.wait_for_address("view=ablations", "baseline=")
